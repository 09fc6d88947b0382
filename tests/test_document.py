from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaner.document import Document, Header, Span, find_header

BODY = "\nThe council voted on Monday.\nWork begins in March.\n"


def parts(text, **options):
    header = find_header(text, **options)
    return {
        name: text[span.start : span.end]
        for name in ("title", "date", "address")
        if (span := getattr(header, name))
    }


@pytest.mark.parametrize(
    "date",
    [
        "20220215",
        "2022-02-15",
        "2022/2/15",
        "15.02.2022",
        "15 February 2022",
        "15th Feb. 2022",
        "February 15, 2022",
        "Tuesday, 15 February 2022",
        "2022-02-15T10:30:00Z",
        "15 Feb 2022 10:00",
        "15 February 2022 at 10:30",
        "Feb 15 2022 10:00 AM",
        "February 15, 2022, 4 p.m. GMT",
        "15/02/2022 - 10:30",
    ],
)
def test_dates(date):
    assert parts(f"A bridge is built\n{date}{BODY}") == {"title": "A bridge is built", "date": date}


@pytest.mark.parametrize(
    "line", ["20221301", "2022", "In 2022", "35 February 2022", "2022-02-15 it rained"]
)
def test_no_dates(line):
    assert parts(f"A bridge is built\n{line}{BODY}") == {}


def test_all_three_parts_of_the_seed(seed):
    found = parts(seed)
    assert found["title"].startswith("Now Putin plays the peacemaker")
    assert found["date"] == "20220215"
    assert found["address"].startswith("https://www.dailymail.co.uk/")


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r", "\u2028", "\n\n", "\n \t\n"])
def test_line_endings_and_blank_lines(ending):
    text = ending.join(
        ["\ufeffA bridge is built", "  20220215 ", "https://example.org/a", "Body here."]
    )
    assert parts(text) == {
        "title": "A bridge is built",
        "date": "20220215",
        "address": "https://example.org/a",
    }


def test_a_title_of_two_words_right_above_its_date():
    text = f"Putin's War\n20220215\nhttps://example.org/a{BODY}"
    assert parts(text)["title"] == "Putin's War"
    assert parts(f"Menu\nPutin's other war\n20220215{BODY}") == {"date": "20220215"}


def test_a_subtitle_and_an_author_may_stand_between():
    opening = "A bridge is built\nThe river had waited long\nBy Anna Smith\n20220215"
    found = {"title": "A bridge is built", "date": "20220215"}
    assert parts(opening + BODY) == found
    assert parts(f"{opening}\nhttps://example.org/a{BODY}")["address"] == "https://example.org/a"
    assert parts(opening.replace("By", "Then came\nBy") + BODY) == {}


def test_an_opening_sentence_alone_is_no_title():
    assert find_header("The council voted on Monday.\nWork begins in March.\n") == Header()


def test_a_title_that_the_caller_knows():
    text = "The Bridge Is Built" + BODY
    assert parts(text, title=" the bridge is built ") == {"title": "The Bridge Is Built"}
    assert parts("Bridge" + BODY, title="Bridge") == {"title": "Bridge"}


def test_spans_are_in_reading_order():
    header = find_header("20220215\nhttps://example.org/a" + BODY)
    assert header.title is None
    assert list(header.spans) == [header.date, header.address]


def test_span_refuses_what_is_none():
    with pytest.raises(ValueError, match="not a span"):
        Span(3, 2)


def test_documents_are_frozen():
    with pytest.raises(AttributeError):
        Document("a").text = "b"


@given(st.text(st.characters(codec=None)), st.none() | st.text())
def test_header_lies_within_any_text(text, title):
    spans = find_header(text, title=title).spans
    for span in spans:
        assert text[span.start : span.end].strip()
    assert all(a.end <= b.start for a, b in pairwise(spans))
