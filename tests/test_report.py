"""What goes into the page: figures that are right, in bounded memory, and text that stays text."""

import base64
import hashlib
import html.parser
import json
import re
from collections import Counter

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from cleaner.cli import main
from cleaner.document import Document
from cleaner.explanation import KINDS
from cleaner.formats import decode
from cleaner.reading import Read
from cleaner.reasons import REASONS
from cleaner.report import make_report
from cleaner.report.corpus import Corpus
from cleaner.report.sketches import Frequent, Sample, Smallest
from cleaner.results import CleanResult, Finding, Fragment

HOSTILE = (
    "</script><script>window.hacked = 1</script><!-- <script>",
    "<img src=x onerror=window.hacked=1> <style>*{display:none}</style>",
    "&lt;b&gt; &amp;amp; ]]> <![CDATA[ ${hacked} $title %s {{x}} `+x+`",
    "left \u202eto right\u202c, \u2066isolated\u2069, \u200fmarked, \ufeffno break",
    "\0 \x1b[31m \x07 bell, \u2028 line and \u2029 paragraph separators",
    "broken \udcff\udc80 bytes, half \ud83d of it, \ufffe and \U0001f469\u200d\U0001f680",
)


def run(*arguments, stdin=None):
    return CliRunner().invoke(main, ["report", *map(str, arguments)], input=stdin)


def reads(*texts):
    return [
        Read(Document(text, identity=str(n)), f"a:{n}", f"s{n % 2}") for n, text in enumerate(texts)
    ]


class Parser(html.parser.HTMLParser):
    """The elements of a page with their attributes, and the content of its scripts and styles."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.elements, self.content, self.inside = [], [], False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.inside = True
        self.elements.append((tag, dict(attributes)))
        self.content.append("")

    def handle_endtag(self, _tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.content[-1] += data

    def data(self, name):
        for (tag, attributes), content in zip(self.elements, self.content, strict=True):
            if tag == "script" and attributes.get("id") == name:
                return json.loads(content)
        return None


def parsed(page):
    return Parser(page.decode("utf-8"))


# --- summaries of streams ------------------------------------------------------------------------


def test_a_sample_is_of_its_size_uniform_and_always_the_same():
    def sample(count, size):
        found = Sample(size)
        for item in range(count):
            found.add(item)
        return found.items

    assert sorted(sample(5, 9)) == list(range(5))
    assert sample(1000, 50) == sample(1000, 50)
    assert len(set(sample(1000, 50))) == 50
    chosen = Counter(item // 2_500 for item in sample(10_000, 2_000))
    assert all(400 < chosen[quarter] < 600 for quarter in range(4))


@given(st.lists(st.integers(-50, 50)), st.integers(1, 10))
def test_the_smallest_are_kept_the_earlier_first(keys, size):
    found = Smallest(size)
    for place, key in enumerate(keys):
        found.add(key, (key, place))
    assert found.items() == sorted((key, place) for place, key in enumerate(keys))[:size]


@given(st.lists(st.integers(0, 30).map(lambda n: min(n, 30 - n)), max_size=300), st.integers(1, 8))
def test_frequent_items_are_counted_within_their_error(items, size):
    found = Frequent(size)
    for item in items:
        found.add(str(item), str(item))
        assert len(found.counts) <= 2 * size
    true = Counter(map(str, items))
    for key, count in found.counts.items():
        assert count.count - count.error <= true[key] <= count.count
    for key in true.keys() - found.counts.keys():
        assert true[key] <= found.floor


# --- a corpus ------------------------------------------------------------------------------------


def result_of(text, scores, threshold=0.8):
    """A result of lines, one fragment each, with these scores."""
    fragments, findings, at = [], [], 0
    for line, score in zip(text.splitlines(keepends=True), scores, strict=True):
        fragments.append(
            Fragment(at, at + len(line) - 1, score, "advert" if "x" in line else "legal")
        )
        if score >= threshold:
            findings.append(Finding(at, at + len(line), line, score, fragments[-1].reason))
        at += len(line)
    return CleanResult(text, tuple(findings), tuple(fragments))


def test_a_corpus_is_added_up():
    corpus = Corpus(threshold=0.8, pages=4)
    texts = ["one\ntwo\nx ad\n", "three\nx ad\n", "four\n"]
    scores = [(0.01, 0.5, 0.9), (0.79, 0.8), (0.0,)]
    for read, own in zip(reads(*texts), scores, strict=True):
        corpus.add(read, result_of(read.document.text, own), [None] * len(own))
    corpus.add(*unjudged("?", "s9"), [])
    data = corpus.data(corpus.chosen())
    assert [data[name] for name in ("documents", "judged", "changed", "fragments")] == [4, 3, 2, 6]
    assert (data["characters"], data["removed"]) == (sum(map(len, texts)) + 1, 10)
    assert data["why"] == [("short", 1)]
    assert data["sources"] == [["s0", 2, 1, 18, 5], ["s1", 1, 1, 11, 5], ["s9", 1, 0, 1, 0]]
    assert data["frequent"] == [["x ad", 2, 0]]
    scores_of_doubts = [doubt["score"] for doubt in data["doubts"]]
    assert scores_of_doubts == [0.8, 0.79, 0.9, 0.5, 0.01, 0.0]
    assert sum(count for _, count in data["shares"]) == 4
    # What the slider shows: fragments from a threshold on, by reason.
    for threshold in (0.0, 0.05, 0.5, 0.8, 0.81, 0.99):
        over = sum(score >= threshold for own in scores for score in own)
        assert counted(data, threshold) == over


def unjudged(text, source="s"):
    return Read(Document(text), "a:3", source), CleanResult(text, judged=False, why="short: x")


def counted(data, threshold, kind=0):
    """As the page counts: fragments with a score from `threshold` on, or their code points."""
    step = next(at for at, value in enumerate(data["steps"]) if value > threshold - 1e-9)
    return sum(sum(row[step + 1 :]) for row in data["scores"][kind])


@pytest.mark.parametrize("threshold", [0.0, 0.003, 0.805, 0.8, 1.0])
def test_figures_are_right_at_any_threshold_and_shares_agree(threshold):
    corpus = Corpus(threshold=threshold, pages=2)
    scores = (0.0, 0.003, 0.01, 0.8, 0.804, 0.805, 0.806, 1.0)
    text = "".join(f"line {n}\n" for n in range(len(scores)))
    corpus.add(reads(text)[0], result_of(text, scores, threshold), [None] * len(scores))
    data = corpus.data(corpus.chosen())
    assert counted(data, threshold) == sum(score >= threshold for score in scores)
    assert counted(data, threshold, kind=1) == data["removed"]


def test_what_a_pattern_drops_unjudged_is_counted_by_its_reason():
    text = "one\ntwo\n"
    fragments = (Fragment(0, 3, 0.0, "off-topic"), Fragment(4, 7, 0.0, "off-topic"))
    gone = (Finding(0, 4, "one\n", 1.0, "pattern"),)
    result = CleanResult(text, gone, fragments, judged=False, why="short: x")
    corpus = Corpus(threshold=0.8, pages=2)
    corpus.add(reads(text)[0], result, [True, None])
    data = corpus.data(corpus.chosen())
    pattern = REASONS.index("pattern")
    assert [counts[pattern] for counts in data["settled"]] == [1, data["removed"]]
    assert data["fragments"] == 1
    assert counted(data, 0.0) == 0


def test_pages_go_to_the_least_certain_and_then_to_a_sample_of_the_changed():
    corpus = Corpus(threshold=0.8, pages=6)
    texts = [f"document {n}\nx ad\n" for n in range(300)]
    for n, read in enumerate(reads(*texts)):
        scores = (0.79, 0.1) if n in (7, 200) else (0.0, 0.95 if n % 3 == 0 else 0.2)
        corpus.add(read, result_of(read.document.text, scores), [None, None])
    chosen = [int(read.document.identity) for read in corpus.chosen()]
    assert chosen[:2] == [7, 200]
    assert len(set(chosen)) == 6
    assert any(n % 3 == 0 for n in chosen[3:])


def test_the_least_certain_are_listed_where_a_verdict_can_be_given():
    corpus = Corpus(threshold=0.8, pages=4)
    texts = [f"document {n}\nx ad\n" for n in range(50)]
    for n, read in enumerate(reads(*texts)):
        corpus.add(read, result_of(read.document.text, (0.79 - n / 1_000, 0.1)), [None, None])
    chosen = corpus.chosen()
    data = corpus.data(chosen)
    assert [doubt["page"] for doubt in data["doubts"]][:2] == [0, 1]
    assert {doubt["name"] for doubt in data["doubts"]} <= {read.place for read in chosen}
    without = "of the least certain fragments, those of documents without a page"
    assert without in data["left_out"]
    assert corpus.data([])["doubts"] == []
    # Documents without a page, but none of them with a doubt.
    few = Corpus(threshold=0.8, pages=2)
    for read in reads("document\nx ad\n", "another\nx ad\n"):
        few.add(read, result_of(read.document.text, (0.79, 0.1)), [None, None])
    few.add(*unjudged("?"), [])
    said = few.data(few.chosen())["left_out"]
    assert "1 of 3 documents have no page" in said[0]
    assert without not in said


def test_a_page_of_a_corpus_says_from_which_score_it_has_evidence(fast, seed):
    page = parsed(make_report(reads(seed, seed), fast).html)
    left_out = page.data("page-data")["corpus"]["left_out"]
    assert "the evidence on fragments with a score below 0.05" in left_out
    article = page.data("article-0")
    for score, found in zip(article["score"], article["explanations"], strict=True):
        assert (found is not None) == (score >= 0.05)


def test_what_a_corpus_holds_does_not_grow_with_it():
    corpus = Corpus(threshold=0.8, pages=3)
    corpus._frequent.size = 50
    for n in range(3_000):
        read = Read(Document(f"only {n}\nx ad\n", identity=str(n)), f"a:{n}", f"site {n}")
        corpus.add(read, result_of(read.document.text, (0.9, 0.85)), [None, None])
    data = corpus.data(corpus.chosen())
    assert len(corpus._frequent.counts) <= 100
    assert len(corpus._sources) == 1_000
    assert len(corpus._changed.items) == 3
    assert data["frequent"][0] == ["x ad", 3_000, 0]
    assert len(data["sources"]) == 51
    assert data["sources"][-1][:2] == ["(others)", 2_000]
    assert [row[1] for row in data["sources"][:-1]] == [1] * 50
    said = " ".join(data["left_out"])
    assert "2,997 of 3,000 documents have no page" in said
    assert "of more than 1,000; later ones are counted as (others)" in said
    assert "times or less may be missing" in said


def test_long_documents_are_counted_but_get_no_page():
    corpus = Corpus(threshold=0.8, pages=3)
    for n in range(2):
        read = Read(Document("x" * 300_000, identity=str(n)), f"a:{n}", "s")
        corpus.add(read, CleanResult(read.document.text), [])
        if n == 0:
            assert corpus.chosen() == [read]  # alone it is the article that the page is of
    assert corpus.chosen() == []
    assert "2 documents of more than 200,000 characters" in " ".join(corpus.data([])["left_out"])


# --- the page ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def seed_page(fast, seed):
    return make_report(reads(seed), fast).html


def test_an_article_s_page_carries_its_text_its_scores_and_its_cuts(fast, seed, seed_page):
    article = parsed(seed_page).data("article-0")
    result = fast.clean_and_explain(seed)
    assert article["text"] == seed
    assert article["score"] == [fragment.score for fragment in result.fragments]
    assert [REASONS[at] for at in article["reason"]] == [f.reason for f in result.fragments]
    for start, end, fragment in zip(
        article["start"], article["end"], result.fragments, strict=True
    ):
        assert (start, end) == (fragment.start, fragment.end)
    assert len(article["map"]["places"]) == len(article["score"])
    assert parsed(seed_page).data("article-1") is None


def test_evidence_on_the_page_adds_up_to_the_score(seed_page):
    article = parsed(seed_page).data("article-0")
    for score, found in zip(article["score"], article["explanations"], strict=True):
        base, terms = found["last"]
        log_odds = base + sum(term[1] for term in terms)
        assert score == pytest.approx(1 / (1 + pow(2.718281828459045, -log_odds)), abs=1e-3)
        assert all(0 <= kind < len(KINDS) for kind, _, _ in terms)
        assert all(article["strings"][words] for _, _, words in terms)
        for verdict, side in (("gone", 1), ("kept", -1)):
            assert all(side * log_odds > 0 for _, log_odds, _ in found["deciding"][verdict])
        assert len(set(found["nearest"])) == 5


def test_on_the_map_the_intruders_lie_apart(seed_page, intruders):
    article = parsed(seed_page).data("article-0")
    inside, outside = [], []
    for (x, y), a, b in zip(
        article["map"]["places"], article["start"], article["end"], strict=True
    ):
        is_out = any(article["text"][a:b] in line for line in intruders)
        (outside if is_out else inside).append(complex(x, y))
    centres = [sum(points) / len(points) for points in (inside, outside)]
    nearer = [point for point in outside if abs(point - centres[1]) < abs(point - centres[0])]
    assert len(nearer) == len(outside)


def test_offsets_are_given_in_code_points_and_in_utf_16_units(fast, seed):
    text = seed.replace("vaccine", "vaccine \U0001f489", 3).replace("Putin", "\U0001f600", 9)
    article = parsed(make_report(reads(text), fast).html).data("article-0")
    units = text.encode("utf-16-le", "surrogatepass")
    for name, (a, b) in {"code points": ("start", "end"), "units": ("from", "to")}.items():
        for start, end, fragment in zip(
            article[a], article[b], fast.clean_and_explain(text).fragments, strict=True
        ):
            expected = text[fragment.start : fragment.end]
            if name == "units":
                assert units[2 * start : 2 * end].decode("utf-16-le", "surrogatepass") == expected
            else:
                assert text[start:end] == expected


def test_a_page_holds_one_style_one_script_and_a_policy_that_allows_no_more(seed_page):
    page = parsed(seed_page)
    policy = next(
        attributes["content"]
        for tag, attributes in page.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    content = {}
    for (tag, attributes), inside in zip(page.elements, page.content, strict=True):
        if tag == "style" or (tag == "script" and "type" not in attributes):
            content.setdefault(tag, []).append(inside)
        assert not any(name.startswith("on") or name in ("style", "src") for name in attributes)
    assert {tag: len(found) for tag, found in content.items()} == {"style": 1, "script": 1}
    for tag, (inside,) in content.items():
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", "".join(content["script"]))


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_text_stays_text(fast, seed, hostile):
    text = seed.replace("vaccine", f"vaccine {hostile}", 2) + hostile + "\n"
    read = Read(Document(text, title=hostile, identity=hostile), hostile, hostile)
    made = make_report([read], fast, name=hostile)
    page = parsed(made.html)
    tags = [tag for tag, _ in page.elements]
    assert tags.count("script") == 3
    assert "img" not in tags
    article = page.data("article-0")
    assert [article[name] for name in ("text", "title", "id", "name", "source")] == [
        text, hostile, hostile, hostile, hostile,
    ]  # fmt: skip


def test_bytes_that_are_no_utf_8_are_carried(fast):
    text = decode(b"One line\xff\xfe here.\n" * 9)
    assert parsed(make_report(reads(text), fast).html).data("article-0")["text"] == text


def test_the_same_input_gives_the_same_page(fast, seed):
    again = [make_report(reads(seed, "short", seed), fast).html for _ in range(2)]
    assert again[0] == again[1]


def test_what_was_not_judged_has_a_page_that_says_so(fast):
    article = parsed(make_report(reads("One line.\n"), fast).html).data("article-0")
    assert (article["judged"], article["why"]) == (False, "fewer than 5 fragments")
    assert (article["map"], article["explanations"]) == (None, [])


def test_no_documents_give_a_page_too(fast):
    page = parsed(make_report([], fast, name="nothing.jsonl").html)
    assert page.data("page-data")["corpus"]["documents"] == 0


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def records(tmp_path, seed):
    path = tmp_path / "site.jsonl"
    entries = [
        {"id": "a", "text": seed, "url": "https://www.one.example/a", "title": "A"},
        {"id": "b", "text": "One line.", "url": "https://two.example/b"},
        {"id": "c", "text": seed.replace("Putin", "Biden"), "url": "plain name"},
        {"id": "d", "text": seed[:6000], "url": "NUMBER"},
        {"id": "e", "text": "One line.", "url": "http://[half/"},
    ]
    lines = "".join(json.dumps(entry) + "\n" for entry in entries)
    path.write_text(lines.replace('"NUMBER"', "4" * 5000))  # more than Python reads
    return path


def test_the_command_writes_a_corpus(tmp_path, records):
    out = tmp_path / "report.html"
    done = run(records, "-o", out, "--source-field", "url", "--pages", "2")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == f"{out}: 5 documents, 2 with a page\n"
    page = parsed(out.read_bytes())
    corpus = page.data("page-data")["corpus"]
    assert {row[0] for row in corpus["sources"]} == {
        "one.example", "two.example", "plain name", "http://[half/", str(records),
    }  # fmt: skip
    assert page.data("article-1")["text"]
    assert page.data("article-2") is None
    pages = {page.data(f"article-{number}")["id"] for number in (0, 1)}
    for doubt in corpus["doubts"]:
        assert doubt["page"] in (0, 1)
    assert pages <= {"a", "c", "d"}


def test_the_page_names_its_first_inputs(tmp_path, seed):
    names = [tmp_path / f"{letter}.txt" for letter in "abcd"]
    for name in names:
        name.write_text(seed, "utf-8")
    out = tmp_path / "report.html"
    assert run(*names, "-o", out).exit_code == 0
    first = ", ".join(map(str, names[:3]))
    assert f"<title>{first}, ..." in out.read_text("utf-8")


def test_the_command_writes_an_article(tmp_path, seed):
    out = tmp_path / "report.html"
    done = run("-", "-o", out, "--title", "Another title", stdin=seed)
    assert done.stderr == f"{out}: 1 document, 1 with a page\n"
    page = parsed(out.read_bytes())
    assert page.data("page-data")["corpus"] is None
    assert page.data("article-0")["title"] == "Another title"


def test_the_page_can_go_to_standard_output(tmp_path, seed, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run("-", "-o", "-", stdin=seed)
    assert done.stderr == "standard output: 1 document, 1 with a page\n"
    assert parsed(done.stdout_bytes).data("article-0")["text"] == seed
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ((), 2, "Missing option '-o'"),
        (("missing.txt", "-o", "{out}"), 1, "missing.txt: no such file"),
        (("-", "-o", "none/out.html"), 1, "none/out.html: cannot be written"),
        (("-", "-o", "{out}", "--threshold", "2"), 2, "the threshold is 2"),
        (("-", "-o", "{out}", "--pages", "-1"), 2, "Invalid value for '--pages'"),
    ],
)
def test_mistakes_are_told_and_leave_nothing(tmp_path, arguments, status, message):
    out = tmp_path / "out.html"
    done = run(*(item.format(out=out) for item in arguments), stdin="x\n")
    assert done.exit_code == status
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_input_is_not_written_over(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("One line.\n")
    assert run(path, "-o", path).exit_code == 2
    assert path.read_text() == "One line.\n"


def test_a_bad_record_leaves_an_old_report_as_it_is(tmp_path):
    out, bad = tmp_path / "out.html", tmp_path / "bad.jsonl"
    out.write_text("old")
    bad.write_text("{nonsense\n")
    assert "bad.jsonl:1: not valid JSON" in run(bad, "-o", out).stderr
    assert out.read_text() == "old"
