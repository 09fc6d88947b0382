"""Markdown: read as a reader sees it, and cut as a whole."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaner import Cleaner
from cleaner.document import find_header
from cleaner.evaluation.reader import read_labelled
from cleaner.markdown import as_read, only_heading, without_ends
from cleaner.results import delete
from cleaner.segment import readable, segment

ADDRESS = "https://example.org/a.html?of=it"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Nothing of it.", "Nothing of it."),
        ("## The old bridge", "The old bridge"),
        ("> > Quoted in a quote", "Quoted in a quote"),
        ("* Home", "Home"),
        ("- a dash stays", "- a dash stays"),
        ("- [Home](/)", "Home"),
        ("- [ ] Call Ann", "- [ ] Call Ann"),
        ("[the map](/map 'Ann\\'s') [it](/it (the map))", "the map it"),
        (f"[See [the [very] old]({ADDRESS}) map]({ADDRESS})", "See the [very] old map"),
        (f"see <{ADDRESS}>", f"see {ADDRESS}"),
        ("**By Ann Lee** and _others_", "By Ann Lee and others"),
        ("***both*** and **_both_**", "both and both"),
        ('**"It is,"** he said', '"It is," he said'),
        (f"See [the map]({ADDRESS}) of it.", "See the map of it."),
        ('[the map](/map "A map")', "the map"),
        ("[the map](<a map.png>)", "the map"),
        ("[Bridge](https://e.org/Bridge_(song))", "Bridge"),
        ("[[1]](#note-1)", "[1]"),
        (f"![The mayor]({ADDRESS})", "The mayor"),
        (f"[![The mayor]({ADDRESS}) Mayor resigns]({ADDRESS})", "The mayor Mayor resigns"),
        (f"![]({ADDRESS})", ""),
        (f"[![]({ADDRESS})]({ADDRESS})", ""),
        (f"]({ADDRESS})", ""),
        ("[", ""),
        (r"3\. \*Note\* \[sic\]", "3. *Note* [sic]"),
        (rf"a \[see note]({ADDRESS}) so", f"a [see note]({ADDRESS}) so"),
        (rf"a \\[see note]({ADDRESS}) so", r"a \see note so"),
        # What only looks like it.
        ("snake_case and 2*3*4", "snake_case and 2*3*4"),
        ("5 * 3 = 15", "5 * 3 = 15"),
        ("#1 in sales", "#1 in sales"),
        ("[sic](he meant the other one)", "[sic](he meant the other one)"),
        ("[1] See there", "[1] See there"),
    ],
)
def test_what_a_reader_sees(text, seen):
    assert as_read(text) == seen


@pytest.mark.parametrize(
    ("line", "fragments"),
    [
        (
            f"Go [to The Hague. It is old]({ADDRESS}) in May. Then leave it again.",
            [f"Go [to The Hague. It is old]({ADDRESS}) in May.", "Then leave it again."],
        ),
        (
            f"[Read the whole story.]({ADDRESS}) Then come back to us here.",
            [f"[Read the whole story.]({ADDRESS})", "Then come back to us here."],
        ),
        (
            f"![Three men. They sit.]({ADDRESS} 'Men. Sitting.')",
            [f"![Three men. They sit.]({ADDRESS} 'Men. Sitting.')"],
        ),
        (
            "**Read the whole story.** Then come back to us here.",
            ["**Read the whole story.**", "Then come back to us here."],
        ),
        (
            "It was all *over.* _They went home._ Nobody was left.",
            ["It was all *over.*", "_They went home._", "Nobody was left."],
        ),
        (
            f"Nobody came to it. **[... Read on]({ADDRESS})** And so it goes on.",
            ["Nobody came to it.", f"**[... Read on]({ADDRESS})** And so it goes on."],
        ),
        (f"They asked him. _[?]({ADDRESS})_", ["They asked him.", f"_[?]({ADDRESS})_"]),
        # A picture without a word is read with what stands before it, or else behind.
        (
            f"![]({ADDRESS}) The mayor spoke at noon. Nobody came. ![]({ADDRESS})",
            [f"![]({ADDRESS}) The mayor spoke at noon.", f"Nobody came. ![]({ADDRESS})"],
        ),
        (f"![]({ADDRESS})", []),
        (f"[![]({ADDRESS})]({ADDRESS}) ![]({ADDRESS})", []),
    ],
)
def test_a_link_and_emphasis_are_never_parted(line, fragments):
    assert segment(line).texts == fragments


def test_fragments_as_read_stand_where_they_stood():
    segments = segment(f"# The bridge\n\n![]({ADDRESS})\n\n[It]({ADDRESS}) is **old.** So it is.\n")
    read = readable(segments)
    assert read.texts == ["The bridge", "It is old.", "So it is."]
    assert read.lines.tolist() == segments.lines.tolist() == [0, 4, 4]


def test_a_line_before_a_picture_goes_with_the_blank_line_behind_it():
    text = f"The bridge.\n\n[Sign up]({ADDRESS})\n\n![]({ADDRESS})\n"
    spans = segment(text).deletions([False, True])
    assert delete(text, list(spans.values())) == f"The bridge.\n\n![]({ADDRESS})\n"


def test_what_underlines_a_heading_goes_with_it():
    text = f"The bridge\n===\n\nIt is [old]({ADDRESS}).\n\nRelated\n-------\n\nSo it is.\n"
    segments = segment(text)
    assert segments.texts == ["The bridge", f"It is [old]({ADDRESS}).", "Related", "So it is."]
    spans = segments.deletions([False, False, True, False])
    assert [text[span.start : span.end] for span in spans.values()] == ["Related\n-------\n\n"]
    title, *_ = find_header(text, title="The bridge").spans
    assert segment(text, skip=[title]).texts == segments.texts[1:]


def test_front_matter_is_not_left_open():
    text = f"---\ntitle: It\nsite: One\n---\n\n[Home]({ADDRESS})\n"
    segments = segment(text)
    spans = segments.deletions([text == "site: One" for text in segments.texts])
    assert delete(text, list(spans.values())) == text.replace("site: One\n", "")


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        (f"[Home]({ADDRESS})\n\n# The *old* bridge #\n\n## It\n", "# The *old* bridge #"),
        (f"[Home]({ADDRESS})\r\n\r\nThe bridge\r\n===\r\n", "The bridge\r\n===\r"),
        (f"[Home]({ADDRESS})\n\n# The bridge\n\n# The river\n", None),
        (f"[Home]({ADDRESS})\n\n## The bridge\n\n#1 in sales\n", None),
        ("# follow the links\ngit checkout\n", None),
        (f"# The bridge\r\r[Home]({ADDRESS})\rIt is old.\r", "# The bridge"),
        (
            f"\ufeff# The bridge\n[Home]({ADDRESS})\n```sh\n# install it\n```\n",
            "\ufeff# The bridge",
        ),
        (f"---\n# of the site\n---\n[Home]({ADDRESS})\n\n# The bridge\n", "# The bridge"),
        (f"[Home]({ADDRESS})\n- Home\n===\n> So\n===\n===\n===\n", None),
    ],
)
def test_the_only_heading_of_the_first_rank(text, heading):
    found = only_heading(text)
    assert (found and text[slice(*found)]) == heading


@pytest.mark.parametrize(
    "text",
    [
        "The bridge is old. So it is (he said).\n- It is\n",
        "# follow the links\ngit checkout -b topic\n* Share the draft with Ann\n",
        "> No more\n*whispered* the _old_ man\n",
    ],
)
def test_text_without_links_is_read_as_it_is(text):
    segments = segment(text)
    assert readable(segments) is segments


MARKED = st.lists(
    st.sampled_from(
        ["[", "]", "(", ")", "](", "![", "*", "**", "_", "# ", "> ", "\\", "<", ">", '"', ".", "! ",
         "a", "The end", " ", "https://e.org/a.b", "\ud800", "\u00e9"]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@given(MARKED)
def test_any_marks_are_read_and_keep_their_places(text):
    assert len(without_ends(text)) == len(text)
    assert len(as_read(text)) <= len(text)
    segments = segment(text)
    read = readable(segments)
    assert len(read) == len(segments)
    assert all(read.texts)
    for link in re.finditer(r"(?<!\\)\[[^\[\]\\\n]*\]\([^\s()<>\"']*\)", text):
        edges = {*segments.starts.tolist(), *segments.ends.tolist()}
        assert not any(link.start() < edge < link.end() for edge in edges)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "[[a]" * 50_000,
        "[a](" * 50_000,
        "[a](" + " " * 100_000 + "b",
        "[a\\" * 50_000 + "](",
        r"Said so.\[12\] " * 50_000 + f"[Home]({ADDRESS})",
        "[a](b" + " " * 100_000 + "c",
        "*a" * 100_000,
        "Sources [see: " + "[a](b) " * 20_000,
        "Sources [see: " + "![a](b) " * 20_000,
        "[see [this: " + "[a] " * 20_000 + "[" * 20_000,
    ],
)
def test_marks_without_end_take_no_time(text):
    assert len(without_ends(text)) == len(text)
    as_read(text)


@pytest.fixture(scope="module")
def cleaner():
    return Cleaner()


FORMS = ("**{}**", "## {}", "{}", "> {}", f"[{{}}]({ADDRESS})", "* {}")


def as_markdown(line, number):
    """A line in one of the forms; as it is where that joins its sentences, as a link does."""
    marked = FORMS[number % len(FORMS)].format(line)
    return marked if len(segment(marked)) == len(segment(line)) else line


def test_a_page_scores_the_same_in_markdown(cleaner, labelled_pages):
    found = []
    for page in labelled_pages:
        lines = [line for line in page.text.split("\n") if not set("*_[]#>\\") & set(line)]
        marked = [
            line if line in {"", page.title} else as_markdown(line, n)
            for n, line in enumerate(lines)
        ]
        plain = cleaner.clean_and_explain("\n".join(lines), title=page.title)
        result = cleaner.clean_and_explain("\n".join(marked), title=page.title)
        assert result.judged
        assert [f.score for f in result.fragments] == [f.score for f in plain.fragments]
        assert [f.reason for f in result.findings] == [f.reason for f in plain.findings]
        found.append(len(result.findings))
    assert min(found) > 8
    assert sum(found) > 500


@pytest.fixture(scope="module")
def labelled_pages():
    pages = read_labelled("fixtures/labelled/wcxb_page.jsonl.gz")
    return [page for page, _ in zip(pages, range(4), strict=False)]


def test_the_only_heading_stays_whatever_its_score(labelled_pages):
    page = labelled_pages[0]
    text = page.text.replace(page.title, f"# {page.title}", 1) + f"\n[Home]({ADDRESS})\n"
    everything = Cleaner(threshold=0.0).clean_and_explain(text)
    assert everything.judged
    assert everything.text.strip() == f"# {page.title}"
    assert page.title not in Cleaner(threshold=0.0, drop=["."]).clean(text)


def test_pictures_stay_and_a_heading_is_the_title_that_was_given(cleaner, seed, intruders):
    title, *lines = seed.splitlines()
    picture = f"![]({ADDRESS})"
    body = "\n\n".join(part for line in lines[2:] for part in (line, picture))
    result = cleaner.clean_and_explain(f"# **{title}**\n\n{body}\n", title=title)
    kept = [line for line in result.text.split("\n") if line and line != picture]
    gone = {line.strip() for line in intruders}
    assert kept == [f"# **{title}**", *(line for line in lines[2:] if line.strip() not in gone)]
    assert result.text.count(picture) == len(lines[2:])
