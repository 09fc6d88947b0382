"""Fragments: exact offsets, and cuts that leave the rest as it was."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaner.document import Span
from cleaner.results import delete
from cleaner.segment import in_small_letters, segment


def removed(text, *marked):
    """`text` less the fragments that hold one of the words `marked`."""
    segments = segment(text)
    spans = segments.deletions([any(m in t for m in marked) for t in segments.texts])
    return delete(text, list(spans.values()))


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("", []),
        (" \n\t\n", []),
        ("One line", ["One line"]),
        ("  indented \n", ["indented"]),
        ("one\ntwo\r\nthree\rfour", ["one", "two", "three", "four"]),
        ("one\x0ctwo\u2028three\u2029four\x85five", ["one", "two", "three", "four", "five"]),
        (
            "The mayor spoke at noon. Nobody listened to him.",
            ["The mayor spoke at noon.", "Nobody listened to him."],
        ),
        ("Mr. Smith met Dr. Jones in the park.", ["Mr. Smith met Dr. Jones in the park."]),
        ("It cost 3.5 million dollars in 2021.", ["It cost 3.5 million dollars in 2021."]),
        ("3. Cookies and privacy here", ["3. Cookies and privacy here"]),
        (
            "1. Sign up here. 2. The bridge is closed to all.",
            ["1. Sign up here.", "2. The bridge is closed to all."],
        ),
        (
            "IV. We keep one cookie. It remembers your basket.",
            ["IV. We keep one cookie.", "It remembers your basket."],
        ),
        ("市议会周一投票决定重建旧港大桥。工程将于三月开始。", None),
    ],
)
def test_fragments(text, fragments):
    segments = segment(text)
    if fragments is None:  # full stops without a blank behind them part sentences too
        fragments = ["市议会周一投票决定重建旧港大桥。", "工程将于三月开始。"]
    assert segments.texts == fragments


def test_offsets_are_code_points():
    text = "\U0001f600 Emoji count as one here. So does \u00e9 and e\u0301 as two.\r\nLast."
    segments = segment(text)
    for start, end, part in zip(segments.starts, segments.ends, segments.texts, strict=True):
        assert text[start:end] == part
    assert segments.texts[-1] == "Last."
    assert segments.lines.tolist() == [0, 0, 1]


def test_lone_surrogates_keep_their_place():
    text = "A first sentence \udcff stands here. Then \ud800 comes another one. A third.\n"
    assert segment(text).texts == [
        "A first sentence \udcff stands here.",
        "Then \ud800 comes another one.",
        "A third.",
    ]


def test_a_pair_of_surrogates_is_never_merged():
    text = "Two halves \ud83d\ude00 stand apart here. They stay two code points."
    assert delete(text, []) == text
    assert "".join(segment(text).texts).count("\ud83d\ude00") == 1


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        # A sentence goes with the white space behind it; the last of a line, with that before it.
        ("JUNK is first here. The rest stays.", "The rest stays."),
        (
            "This one stays here.  JUNK goes now. So does this.",
            "This one stays here.  So does this.",
        ),
        ("This one stays here. JUNK goes now.", "This one stays here."),
        ("This one stays here. JUNK goes now.  \n", "This one stays here.  \n"),
        ("This one stays here. JUNK goes. JUNK again goes.\nNext.", "This one stays here.\nNext."),
        ("  JUNK is first here. The rest stays.", "  The rest stays."),
        # A line goes with its line ending.
        ("one\nJUNK\ntwo\n", "one\ntwo\n"),
        ("one\r\nJUNK\r\ntwo\r\n", "one\r\ntwo\r\n"),
        ("one\rJUNK\rtwo", "one\rtwo"),
        ("one\n  JUNK\t\ntwo", "one\ntwo"),
        ("JUNK\none", "one"),
        ("one\nJUNK", "one\n"),
        ("JUNK", ""),
        ("one\nJUNK goes whole here. JUNK as well does.\ntwo", "one\ntwo"),
        # Between two blank lines, one of them goes too.
        ("one\n\nJUNK\n\ntwo\n", "one\n\ntwo\n"),
        ("one\r\n\r\nJUNK\r\n\r\ntwo", "one\r\n\r\ntwo"),
        ("one\n \nJUNK\n\t\ntwo", "one\n \ntwo"),
        ("one\n\nJUNK\n\nJUNK\n\ntwo", "one\n\ntwo"),
        ("one\nJUNK\n\ntwo", "one\n\ntwo"),
        ("one\n\nJUNK\ntwo", "one\n\ntwo"),
        ("one\n\nJUNK\n", "one\n\n"),
        ("JUNK\n\none", "\none"),
    ],
)
def test_what_a_deletion_leaves(text, rest):
    assert removed(text, "JUNK") == rest


def test_the_blank_line_behind_a_header_stays():
    text = "A title\n20220215\nJUNK\n\nThe article begins.\n"
    segments = segment(text, skip=[Span(0, 7), Span(8, 16)])
    assert segments.texts == ["JUNK", "The article begins."]
    cuts = list(segments.deletions([True, False]).values())
    assert delete(text, cuts) == "A title\n20220215\n\nThe article begins.\n"


def test_what_is_skipped_is_never_cut():
    text = "one\n\nJUNK\nskipped\n\ntwo\n"
    segments = segment(text, skip=[Span(10, 17)])
    cuts = list(segments.deletions([False, True, False]).values())
    assert delete(text, cuts) == "one\n\nskipped\n\ntwo\n"


def test_a_byte_order_mark_before_a_skipped_line():
    assert segment("\ufeffTitle\ntext", skip=[Span(1, 6)]).texts == ["text"]


@pytest.mark.parametrize(
    "text",
    [
        "This is a sentence of the text. " * 160_000,
        "x" * 5_000_000,
        "x. " * 1_700_000,
        "no full stop at all " * 250_000,
        "\udcff\udcfe. " * 1_250_000,
    ],
    ids=["sentences", "one word", "stops", "no stop", "surrogates"],
)
def test_one_line_of_five_megabytes(text):
    started = time.perf_counter()
    segments = segment(text)
    assert time.perf_counter() - started < 20
    assert max(segments.ends - segments.starts) <= 20_000
    cuts = segments.deletions([True] * len(segments))
    assert delete(text, list(cuts.values())) == ""


CHARACTERS = st.one_of(
    st.sampled_from(list("aB. \n\r\t\x0b\x0c\x1c\x85\u2028\u00a0\ufeff\0!?'\u3002\ud800\udc00")),
    st.characters(codec=None),
)
LINES = st.sampled_from(
    ["The mayor spoke. ", "Who? He did not. ", "\n", "\r\n", "\n\n", "\u2028", " "]
)
TEXTS = st.one_of(
    st.text(CHARACTERS, max_size=200),
    st.lists(st.one_of(LINES, st.text(CHARACTERS, max_size=8)), max_size=30).map("".join),
)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("THE SHIP LEFT HARBOUR AT NOON TODAY.", "The ship left harbour at noon today."),
        ("THE SHIP LEFT HARBOUR AT NOON TODAY", None),  # as a headline is
        (
            "IN NO EVENT SHALL THE AUTHORS BE\nLIABLE FOR ANY DAMAGES ARISING FROM IT",
            "In no event shall the authors be\nLiable for any damages arising from it",
        ),
        ("SIGN UP NOW.", None),
        ("The ship left harbour at noon TODAY.", None),
        ("2022 02 15 16 17 18 19.", None),
    ],
)
def test_running_text_in_capitals_is_read_in_small_letters(text, read):
    segments = segment(text)
    small = in_small_letters(segments)
    assert small.text == (read or text)
    assert small.deletions([True] * len(small)) == segments.deletions([True] * len(segments))


@given(TEXTS)
def test_fragments_cover_all_that_is_not_blank(text):
    segments = segment(text)
    bounds = list(zip(segments.starts.tolist(), segments.ends.tolist(), strict=True))
    assert all(start < end for start, end in bounds)
    assert all(one[1] <= other[0] for one, other in pairwise(bounds))
    assert all(part == part.strip() for part in segments.texts)
    assert not delete(text, [Span(start, end) for start, end in bounds]).strip()


@given(TEXTS, st.data())
def test_deletions_are_disjoint_and_in_order(text, data):
    segments = segment(text)
    remove = data.draw(st.lists(st.booleans(), min_size=len(segments), max_size=len(segments)))
    cuts = segments.deletions(remove)
    assert list(cuts) == [index for index, goes in enumerate(remove) if goes]
    assert all(one.end <= other.start for one, other in pairwise(cuts.values()))
    for index, cut in cuts.items():
        start, end = int(segments.starts[index]), int(segments.ends[index])
        assert cut.start <= start < end <= cut.end
        # Nothing but white space goes along.
        assert not (text[cut.start : start] + text[end : cut.end]).strip()


@given(TEXTS, st.data())
def test_what_stays_is_cut_into_the_same_lines(text, data):
    segments = segment(text)
    remove = data.draw(st.lists(st.booleans(), min_size=len(segments), max_size=len(segments)))
    kept = [part for part, goes in zip(segments.texts, remove, strict=True) if not goes]
    rest = delete(text, list(segments.deletions(remove).values()))
    assert "".join("".join(kept).split()) == "".join(rest.split())
