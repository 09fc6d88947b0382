import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaner import CleanResult, Finding, InputError, OptionError, RestoreError
from cleaner.document import Span
from cleaner.results import Fragment, delete, restore

ANY = st.text(st.characters(codec=None))


def found(text, *spans):
    return tuple(Finding(a, b, text[a:b], 0.9, "off-topic", {"topic": -1.0}) for a, b in spans)


@st.composite
def results(draw):
    text = draw(ANY)
    points = sorted(draw(st.sets(st.integers(0, len(text)), max_size=12)))
    pairs = list(zip(points[::2], points[1::2], strict=False))
    return CleanResult(text, found(text, *pairs))


@given(results())
def test_output_and_deletions_rebuild_the_input(result):
    assert result.rebuild() == result.source
    assert len(result.text) == len(result.source) - sum(len(f.text) for f in result.findings)
    assert restore(result.text, reversed(result.findings)) == result.source


@given(results())
def test_as_json_and_back(result):
    record = json.loads(json.dumps(result.to_dict()))
    findings = [Finding(**entry) for entry in record["removed"]]
    assert all(result.source[f.start : f.end] == f.text for f in findings)
    # JSON joins the halves of a surrogate pair; no text from a file or record holds them apart.
    if record["text"] == result.text:
        assert restore(record["text"], findings) == result.source


def test_touching_deletions():
    result = CleanResult("abcdef", found("abcdef", (1, 3), (3, 5)))
    assert result.text == "af"
    assert result.rebuild() == "abcdef"


def test_nothing_to_remove_is_the_same():
    result = CleanResult("abc")
    assert (result.text, result.changed, result.rebuild()) == ("abc", False, "abc")


def test_the_header_of_a_text_without_fragments():
    header = "A bridge is built\n20220215\n"
    spans = [Span(0, 17), Span(18, 26)]
    assert CleanResult(header, judged=False).header == spans
    assert CleanResult(header + "Too long. " * 99, judged=False).header == spans
    assert CleanResult("Too long. " * 99, judged=False).header == []
    fragment = Fragment(28, 37, 0.0, "off-topic")
    assert CleanResult(f"{header}\nToo long.", fragments=(fragment,)).header == [Span(0, 28)]


def test_to_dict_says_why_only_where_it_was_not_judged():
    assert CleanResult("a").to_dict() == {"text": "a", "removed": [], "judged": True}
    assert CleanResult("a", judged=False, why="too short").to_dict()["why"] == "too short"


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("ab", found("abcdefgh", (5, 7))),
        ("abcdef", found("abcdef", (1, 4), (2, 5))),
        ("ab", [Finding(0, 3, "a", 0.5, "off-topic")]),
    ],
    ids=["past the end", "overlap", "length"],
)
def test_findings_of_another_text_are_refused(text, findings):
    with pytest.raises(RestoreError, match="does not fit this text; give the clean text"):
        restore(text, findings)


def test_delete():
    assert delete("abcdef", [Span(0, 1), Span(5, 6)]) == "bcde"


@pytest.mark.parametrize("kind", [InputError, OptionError])
def test_errors_say_where_what_and_what_next(kind):
    error = kind("not valid JSON", place="a.jsonl:17", next_step="use --on-error skip")
    assert str(error) == "a.jsonl:17: not valid JSON; use --on-error skip"
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(again), str(again)) == (kind, str(error))
