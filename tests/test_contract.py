"""The promise: it only deletes, accounts for it, and keeps what it cannot judge."""

import json
import subprocess
import sys
import time
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inputs import NAMED, TELL_PEAK_MEMORY

from cleaner import Document, Finding
from cleaner.document import Span
from cleaner.formats import decode, encode
from cleaner.results import delete, restore

# Code points of every kind, and often the ones at which lines, sentences and words end.
CHARACTERS = st.one_of(
    st.sampled_from(list("ab. \n\r\t\x0b\x0c\x85\u2028\u2029\u00a0\ufeff\0!?'\u3002")),
    st.characters(codec=None),
)
LINES = st.one_of(
    st.text(CHARACTERS, max_size=60),
    st.sampled_from([line.decode() for line in NAMED["plain"].splitlines()]),
)
TEXTS = st.one_of(
    st.text(CHARACTERS, max_size=300),
    st.lists(LINES, max_size=16).flatmap(
        lambda lines: st.sampled_from(["\n", "\r\n", "\r", " ", "\n\n", "\u2028"]).map(
            lambda end: end.join(lines)
        )
    ),
)
PATIENT = settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def check(result, text):
    """Points 1 and 2 of the contract."""
    spans = [Span(finding.start, finding.end) for finding in result.findings]
    assert all(a.end <= b.start for a, b in pairwise(spans))
    assert all(span.start < span.end for span in spans)
    assert all(text[f.start : f.end] == f.text for f in result.findings)
    assert all(0.0 <= f.score <= 1.0 and f.reason for f in result.findings)
    assert result.source == text
    assert result.text == delete(text, spans)
    assert restore(result.text, result.findings) == text
    assert result.judged or result.why
    assert result.changed or result.text == text
    data = encode(text)
    kept = b"".join(
        encode(text[a:b])
        for a, b in zip(
            [0, *(span.end for span in spans)],
            [*(span.start for span in spans), len(text)],
            strict=True,
        )
    )
    assert encode(result.text) == kept
    assert len(kept) + sum(len(encode(f.text)) for f in result.findings) == len(data)


@PATIENT
@given(TEXTS, st.none() | st.text(max_size=40))
def test_any_text(small, text, title):
    # A text from a file has no surrogates but those that stand for bytes.
    text = decode(text.encode("utf-8", "surrogatepass"))
    check(small.clean_and_explain(text, title=title), text)


@PATIENT
@given(st.binary(max_size=400))
def test_any_bytes(small, data):
    text = decode(data)
    assert encode(text) == data
    check(small.clean_and_explain(text), text)


@PATIENT
@given(TEXTS)
def test_any_text_from_python(small, text):
    """A caller may hand in lone surrogates of any kind."""
    result = small.clean_and_explain(text)
    assert result.rebuild() == text


@PATIENT
@given(TEXTS)
def test_whatever_goes_the_rest_stays(small, text):
    """With a threshold of nought nearly all goes: the cuts themselves are at stake."""
    text = decode(text.encode("utf-8", "surrogatepass"))
    result = small.apply(small.clean_and_explain(text), threshold=0.0)
    check(result, text)


@PATIENT
@given(st.lists(TEXTS, max_size=6), st.randoms(use_true_random=False))
def test_no_document_sees_another(small, texts, random):
    alone = [small.clean_and_explain(text) for text in texts]
    assert list(small.clean_many(texts)) == alone
    order = list(range(len(texts)))
    random.shuffle(order)
    shuffled = small.clean_many([texts[at] for at in order], batch_documents=2)
    assert list(shuffled) == [alone[at] for at in order]


@pytest.mark.parametrize("name", NAMED)
def test_named_inputs(fast, name):
    text = decode(NAMED[name])
    assert encode(text) == NAMED[name]
    result = fast.clean_and_explain(text)
    check(result, text)
    assert fast.clean_and_explain(text) == result
    check(fast.apply(result, threshold=0.0), text)


def test_named_inputs_in_one_batch_are_as_each_alone(fast):
    texts = [decode(data) for data in NAMED.values()]
    alone = [fast.clean_and_explain(text) for text in texts]
    for size in (1, 7, 100):
        assert list(fast.clean_many(texts, batch_documents=size)) == alone


@pytest.mark.parametrize(
    "name", ["empty", "one line", "only blanks", "only a header", "Arabic", "Chinese"]
)
def test_what_it_cannot_judge_it_keeps(fast, name):
    result = fast.clean_and_explain(decode(NAMED[name]))
    assert not result.judged
    assert result.why
    assert not result.findings


def test_another_threshold_needs_no_encoding(fast, seed, monkeypatch):
    result = fast.clean_and_explain(seed)
    monkeypatch.setattr(fast, "_encoder", None)
    assert fast.apply(result, threshold=fast.threshold) == result
    fewer = fast.apply(result, threshold=1.0)
    more = fast.apply(result, threshold=0.0)
    assert len(fewer.findings) <= len(result.findings) <= len(more.findings)


def test_documents_are_taken_one_batch_at_a_time(fast):
    taken = []

    def documents():
        for number in range(100):
            taken.append(number)
            yield Document("One line.\n", identity=str(number))

    results = fast.clean_many(documents(), batch_documents=4)
    assert next(results).identity == "0"
    assert len(taken) <= 8


LARGE = {
    "5 MB line": lambda: "The bridge will be closed, the council said. " * (5_000_000 // 45),
    "5 MB word": lambda: "x" * 5_000_000,
    "100,000 lines": lambda: "".join(
        f"The council said on day {day} that the bridge is closed.\n" for day in range(100_000)
    ),
}
MEASURED = f"""
import sys
from cleaner.cli import main
main(sys.argv[1:], standalone_mode=False)
{TELL_PEAK_MEMORY}
"""


@pytest.mark.parametrize("name", LARGE)
def test_large_inputs(tmp_path, name):
    path, gone = tmp_path / "a.txt", tmp_path / "removed.jsonl"
    path.write_text(LARGE[name]())
    start = time.perf_counter()
    whole = [sys.executable, "-c", MEASURED, str(path), "--removed", str(gone)]
    done = subprocess.run(whole, capture_output=True, check=True, timeout=300)
    assert time.perf_counter() - start < 120
    findings = [Finding(**_own(json.loads(line))) for line in gone.read_text().splitlines()]
    assert restore(done.stdout.decode(), findings) == path.read_text()
    if sys.platform == "linux":  # elsewhere nothing tells
        assert int(done.stderr) < 1_000_000  # KiB


def _own(record):
    return {name: record[name] for name in ("start", "end", "text", "score", "reason", "evidence")}
