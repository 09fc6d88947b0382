"""The case the project exists for, with the real models, at their default thresholds."""

import importlib.util
import random

import pytest

from cleaner import Cleaner, ModelError

HEADER = 3


@pytest.fixture(scope="session")
def accurate():
    if importlib.util.find_spec("sentence_transformers") is None:
        pytest.skip("sentence-transformers is not installed")
    try:
        return Cleaner(encoder="accurate")
    except ModelError as error:
        if "detector" in str(error):
            raise
        pytest.skip(f"no weights: {error}")


@pytest.fixture(params=["fast", pytest.param("accurate", marks=pytest.mark.accurate)])
def cleaner(request):
    return request.getfixturevalue(request.param)


def lines_gone(text, result):
    """Lines of the input that are gone wholly; no line may be gone in part."""
    gone, kept, at = [], [], 0
    inside = set()
    for finding in result.findings:
        inside.update(range(finding.start, finding.end))
    for line in text.splitlines(keepends=True):
        body = [at + i for i, char in enumerate(line) if not char.isspace()]
        hit = sum(i in inside for i in body)
        assert hit in (0, len(body)), f"cut in two: {line!r}"
        (gone if hit else kept).append(line)
        at += len(line)
    assert "".join(kept) == result.text
    return [line.strip() for line in gone]


def check(cleaner, text, intruders):
    result = cleaner.clean_and_explain(text)
    assert result.judged
    assert sorted(lines_gone(text, result)) == sorted(line.strip() for line in intruders)
    assert result.rebuild() == text


def test_as_it_is(cleaner, seed, intruders):
    check(cleaner, seed, intruders)


def test_without_its_header(cleaner, seed, intruders):
    check(cleaner, "".join(seed.splitlines(keepends=True)[HEADER:]), intruders)


def test_with_crlf(cleaner, seed, intruders):
    check(cleaner, seed.replace("\n", "\r\n"), intruders)


def test_with_leading_blanks_stripped(cleaner, seed, intruders):
    text = "".join(line.lstrip(" ") for line in seed.splitlines(keepends=True))
    assert text != seed
    check(cleaner, text, intruders)


@pytest.mark.parametrize("order", range(20))
def test_shuffled(cleaner, seed, intruders, order):
    lines = seed.splitlines(keepends=True)
    body = lines[HEADER:]
    random.Random(order).shuffle(body)  # noqa: S311 - an order, not a secret
    check(cleaner, "".join(lines[:HEADER] + body), intruders)
