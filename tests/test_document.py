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
        "Tue, 15 Feb 2022 10:00:00 +0000",
        "15-Feb-2022",
        "*15 February 2022*",
        "15/02/2022 - 10:30",
        "15th of February 2022",
        "Published: 15 February 2022",
        "Last updated on 2022-02-15 10:30",
        "29 February 2024",
        "02/29/2024",
    ],
)
def test_dates(date):
    assert parts(f"A bridge is built\n{date}{BODY}") == {"title": "A bridge is built", "date": date}


@pytest.mark.parametrize(
    "line",
    [
        "20221301",
        "2022",
        "In 2022",
        "35 February 2022",
        "2022-02-15 it rained",
        "20220230",
        "2022-02-29",
        "31st of April 2022",
        "31/04/2022",
        "15 \u017fep 2022",
    ],
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


@pytest.mark.parametrize("line", ["The council voted on Monday.", 'It "fell."', "We know this:"])
def test_a_sentence_is_no_title_unless_its_date_is_right_below(line):
    assert parts(f"{line}\nThe bridge is old.\nhttps://example.org/a{BODY}") == {
        "address": "https://example.org/a"
    }
    assert parts(f"{line}\n20220215{BODY}") == {"title": line, "date": "20220215"}


@pytest.mark.parametrize("marks", ["20220215", "15 May 2022\nhttps://example.org/a"])
def test_a_title_below_its_date(marks):
    found = parts(f"{marks}\nA bridge is built{BODY}")
    assert found["title"] == "A bridge is built"
    assert "\n".join(found[name] for name in ("date", "address") if name in found) == marks


@pytest.mark.parametrize(
    "line",
    [
        "The council has voted on Monday.",
        "Here is what we know:",
        "The council has voted on Monday to\nbuild a bridge over the river.",
        "Share this page",
        "By Anna Smith and Paul Brown",
        "Written by Anna Smith of the Post",
    ],
)
def test_what_stands_below_a_date_and_is_no_title(line):
    assert parts(f"20220215\n{line}{BODY}") == {"date": "20220215"}


def test_below_a_date_a_title_that_the_caller_knows_is_the_only_one():
    text = f"20220215\nA bridge is built{BODY}"
    assert parts(text, title="a bridge is built")["title"] == "A bridge is built"
    assert parts(text, title="Another bridge") == {"date": "20220215"}
    assert "title" not in parts(f"https://example.org/a\nA bridge is built{BODY}")


def test_an_opening_sentence_alone_is_no_title():
    assert find_header("The council voted on Monday.\nWork begins in March.\n") == Header()


def test_a_title_that_the_caller_knows():
    text = "The Bridge Is Built" + BODY
    assert parts(text, title=" the bridge is built ") == {"title": "The Bridge Is Built"}
    assert parts("Bridge" + BODY, title="Bridge") == {"title": "Bridge"}


@pytest.mark.parametrize("line", ["The Bridge", "  The Bridge\t", "The Bridge\r"])
def test_the_title_that_the_caller_knows_may_stand_below_a_menu(line):
    menu = "Home\nNews of The Bridge\nContact\nAbout\nMore\nLogin\n"
    title = find_header(f"{menu}{line}\nIt is built.\nThe Bridge\n", title="The Bridge").title
    start = len(menu) + line.index("T")
    assert (title.start, title.end) == (start, start + 10)


def test_the_title_may_stand_there_in_another_case():
    menu = "Home\nNews of The Bridge\nContact\nAbout\nMore\nLogin\n"
    title = find_header(f"{menu}THE BRIDGE\nIt is built.\n", title="The Bridge").title
    assert (title.start, title.end) == (len(menu), len(menu) + 10)


def test_the_line_that_is_the_title_to_the_letter_comes_first():
    text = "Home\nNews here\nContact\nAbout\nMore\nLogin\nIRAN\nSports\nIran\nIt is built.\n"
    found = find_header(text, title="Iran").title
    assert text[found.start : found.end] == "Iran"


@pytest.mark.parametrize("title", ["Bridge", "Home\nNews", "the bridge", "20220215"])
def test_what_is_no_line_below_a_menu(title):
    text = "20220215\nHome\nNews\nContact\nAbout\nMore\nLogin\nThe Bridge is built\n"
    assert find_header(text, title=title).title is None


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
