"""`cleaner evaluate`: labelled files in, figures out, floors held."""

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zstandard
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from cleaner.cleaning import Cleaner
from cleaner.cli import main
from cleaner.document import Document, Span
from cleaner.errors import InputError
from cleaner.evaluation import Labelled
from cleaner.evaluation.floors import Check, Floors
from cleaner.evaluation.measure import THRESHOLDS, Dataset, evaluate
from cleaner.evaluation.reader import labelled_of, read_labelled
from cleaner.results import CleanResult, Finding, Fragment
from cleaner.segment import segment

ROOT = Path(__file__).parent.parent
FIXTURES = ROOT / "fixtures"


class Told:
    """Stands in for `Cleaner`: a fragment's score is the last number in it, its reason a word."""

    def __init__(self, threshold=0.5):
        self.threshold = threshold

    def clean_many(self, documents):
        for document in documents:
            judged = "KEEP ME WHOLE" not in document.text
            fragments = [
                Fragment(int(a), int(b), _told(text) if judged else 0.0, _reason(text))
                for a, b, text in zip(*_parts(document.text), strict=True)
            ]
            why = "" if judged else "it says so"
            result = CleanResult(document.text, (), tuple(fragments), judged, why)
            yield self.apply(result, threshold=self.threshold)

    def apply(self, result, *, threshold):
        segments = segment(result.source)
        gone = [f.score >= max(threshold, 1e-9) for f in result.fragments]
        findings = tuple(
            Finding(s.start, s.end, result.source[s.start : s.end], 0.9, result.fragments[i].reason)
            for i, s in segments.deletions(gone).items()
        )
        return CleanResult(
            result.source, findings, result.fragments, result.judged, result.why, result.identity
        )


def _parts(text):
    segments = segment(text)
    return segments.starts, segments.ends, segments.texts


def _told(text):
    found = re.findall(r"0\.\d+", text)
    return float(found[-1]) if found else 0.0


def _reason(text):
    return "advert" if "ad" in text else "off-topic"


def labelled(*lines, **fields):
    """A record of lines with their labels: "+" to remove, "-" to keep, "?" not scored."""
    code = {"+": 1, "-": 0, "?": -1}
    return {
        "id": "a",
        "lines": [line[2:] for line in lines],
        "labels": [code[line[0]] for line in lines],
        **fields,
    }


def of(*records, threshold=0.5, **options):
    documents = [labelled_of(record, place="test:1") for record in records]
    return evaluate(Told(threshold), [Dataset("test", documents)], **options)


# Reading


def write(path, *records):
    text = "".join(json.dumps(record) + "\n" for record in records).encode()
    pack = {".gz": gzip.compress, ".zst": zstandard.compress}.get(path.suffix, bytes)
    path.write_bytes(pack(text))
    return path


@pytest.mark.parametrize(
    "name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "packed without saying so"]
)
def test_both_forms_are_read(tmp_path, name):
    lines = labelled("- One.", "+ Ad.", kinds=["text", "advert"], url="https://www.bbc.co.uk/a")
    text = "Œuf \U0001f600.\nAd here.\n"
    spans = {
        "id": 7,
        "source": "me",
        "title": None,
        "text": text,
        "spans": [{"start": 7, "end": 15, "label": 1, "reason": "advert"}],
    }
    path = write(tmp_path / name, lines, spans)
    if "packed" in name:
        path.write_bytes(gzip.compress(path.read_bytes()))
    one, two = read_labelled(path)
    assert (one.text, one.labels, one.kinds) == ("One.\nAd.\n", (0, 1), ("text", "advert"))
    assert one.site == "bbc.co.uk"
    assert [two.text[s.start : s.end] for s in two.spans] == ["Œuf \U0001f600.\n", "Ad here.", "\n"]
    assert (two.labels, two.kinds) == ((-1, 1, -1), ("", "advert", ""))
    assert (two.identity, two.source, two.site) == ("7", "me", "me")


WRONG = {
    "no JSON": (b"{", "a.jsonl:1: not valid JSON"),
    "nested without an end": (b"[" * 100_000, "its values are nested too deeply"),
    "no UTF-8": (b'{"lines": ["\xff"], "labels": [0]}', "a.jsonl:1: not valid JSON"),
    "no object": (b"[1]", "no JSON object"),
    "no labels": (b'{"text": "x"}', 'the record has no labels; give "lines" with "labels"'),
    "lines without labels": (b'{"lines": ["x"]}', 'there are no "labels"'),
    "too few labels": (b'{"lines": ["x", "y"], "labels": [1]}', '"labels": 1 for 2 lines'),
    "labels no list": (b'{"lines": ["x"], "labels": 1}', '"labels": no list for 1 lines'),
    "too many kinds": (b'{"lines": ["x"], "labels": [1], "kinds": [1, 2]}', '"kinds": 2 for 1'),
    "a label of 2": (b'{"lines": ["x"], "labels": [2]}', '"labels"[0]: 2 is no label'),
    "a label that is true": (b'{"lines": ["x"], "labels": [true]}', "True is no label"),
    "a label that is a word": (b'{"lines": ["x"], "labels": ["a"]}', "'a' is no label"),
    "a label that is a list": (b'{"lines": ["x"], "labels": [[]]}', "[] is no label"),
    "lines of numbers": (b'{"lines": [1], "labels": [1]}', '"lines" is no list of strings'),
    "title of a number": (b'{"title": 1, "lines": [], "labels": []}', '"title" is no text'),
    "spans without text": (b'{"spans": []}', '"text" is no text'),
    "span without label": (
        b'{"text": "x", "spans": [{"start": 0, "end": 1}]}',
        '"spans"[0] is no span',
    ),
    "span of words": (
        b'{"text": "x", "spans": [{"start": "0", "end": 1, "label": 1}]}',
        '"spans"[0] is no span',
    ),
    "span past the end": (
        b'{"text": "x", "spans": [{"start": 0, "end": 2, "label": 1}]}',
        "0 to 2 lies not within the text of 1 code points",
    ),
    "spans that overlap": (
        (
            b'{"text": "xyz", "spans": [{"start": 0, "end": 2, "label": 1},'
            b' {"start": 1, "end": 3, "label": 0}]}'
        ),
        "the span at 1 overlaps",
    ),
    "half an address": (b'{"url": "http://[x", "lines": [], "labels": []}', '"url" is no address'),
}


@pytest.mark.parametrize(("data", "says"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_with_its_line(tmp_path, data, says):
    path = tmp_path / "a.jsonl"
    path.write_bytes(data + b"\n")
    with pytest.raises(InputError, match=r"a\.jsonl:1: ") as caught:
        list(read_labelled(path))
    assert says in str(caught.value)
    assert caught.value.next_step


def test_a_file_that_is_missing_or_cut(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        list(read_labelled(tmp_path / "none.jsonl"))
    with pytest.raises(InputError, match="is a directory; name the files in it"):
        list(read_labelled(tmp_path))
    whole = write(tmp_path / "a.jsonl.gz", *[labelled("- One.")] * 100)
    whole.write_bytes(whole.read_bytes()[:-20])
    with pytest.raises(InputError, match="ends in the middle of its gzip data"):
        list(read_labelled(whole))


@given(st.text(max_size=60), st.lists(st.integers(0, 60), max_size=8))
def test_spans_become_the_whole_text(text, cuts):
    points = sorted({min(cut, len(text)) for cut in cuts})
    pairs = list(zip(points[::2], points[1::2], strict=False))
    marks = [{"start": a, "end": b, "label": 1} for a, b in pairs]
    document = labelled_of({"text": text, "spans": marks}, place="x:1")
    assert "".join(text[s.start : s.end] for s in document.spans) == text
    scored = [s for s, label in zip(document.spans, document.labels, strict=True) if label == 1]
    assert scored == [Span(a, b) for a, b in pairs]


# Figures


def test_figures_of_a_case_by_hand():
    found = of(
        labelled(
            "- Ten chars.",
            "- Twenty characters0.6",
            "+ An ad, score 0.9.",
            "+ Another one, 0.4.",
            "? Not scored at all 0.9",
        ),
        labelled("- Five5", "- Five6"),
    )
    overall = found.overall
    assert (overall.documents, overall.units, overall.to_remove) == (2, 6, 2)
    assert (overall.precision, overall.recall, overall.f1) == (0.5, 0.5, 0.5)
    assert overall.lost == pytest.approx(20 / (10 + 20 + 5 + 5))
    assert overall.left == pytest.approx(17 / 34)
    assert overall.average_precision == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert overall.clean_removed == 0.0


def test_a_line_counts_when_half_of_it_goes():
    short = "+ This sentence has a score of 0.9. And this one, of about the same length, has none."
    found = of(labelled(short, "- Ten chars."))
    assert found.overall.recall == 0.0
    assert 0 < found.overall.left < 1
    long = "+ This sentence, of about the same length, has a score of 0.9. And this has none."
    assert of(labelled(long, "- Ten chars.")).overall.recall == 1.0


def test_reasons_and_kinds():
    record = labelled(
        "+ An ad 0.9", "- An ad 0.8", "+ Something 0.7", "- Nothing", kinds=["x", "y", "x", "x"]
    )
    found = of(record)
    rows = {row.reason: (row.removed, row.precision, row.content) for row in found.reasons}
    assert rows == {"advert": (2, 0.5, 9), "off-topic": (1, 1.0, 0)}
    kinds = {row.kind: (row.units, row.to_remove, row.removed) for row in found.kinds}
    assert kinds == {"x": (3, 2, pytest.approx(2 / 3)), "y": (1, 0, 1.0)}


def test_a_reason_that_is_switched_off_scores_nothing():
    record = labelled("+ An ad 0.9", "- Nothing 0.5", "+ Something 0.7")
    assert of(record).overall.average_precision == 1.0
    only = of(record, reasons=["off-topic"]).overall.average_precision
    assert only == pytest.approx((1 / 1 + 2 / 3) / 2)


def test_thresholds_give_what_a_run_at_them_gives():
    generator = np.random.default_rng(0)
    records = [
        labelled(*(f"{mark} Line {i}: 0.{generator.integers(1, 99):02d}" for i, mark in
                   enumerate(generator.choice(["+", "-"], 12))))
        for _ in range(30)
    ]  # fmt: skip
    table = of(*records).thresholds
    assert tuple(row.threshold for row in table) == THRESHOLDS
    for row in table:
        alone = of(*records, threshold=row.threshold).overall
        for name in ("precision", "recall", "f1", "lost", "left"):
            assert getattr(row, name) == getattr(alone, name), (row.threshold, name)


def test_calibration():
    lines = [f"{'+' if i < 7 else '-'} Line {i}: 0.65" for i in range(10)]
    calibration = of(labelled(*lines)).calibration
    own = calibration.bins[6]
    assert (own.units, own.score, own.share) == (10, pytest.approx(0.65), pytest.approx(0.7))
    assert calibration.brier == pytest.approx((7 * 0.35**2 + 3 * 0.65**2) / 10)
    assert calibration.error == pytest.approx(0.05)
    assert sum(part.units for part in calibration.bins) == 10


def test_what_was_not_judged_is_said_and_not_calibrated():
    found = of(labelled("+ KEEP ME WHOLE 0.9", "- Other"), labelled("- One.", "- Two."))
    assert found.not_judged == {"it says so": 1}
    assert sum(part.units for part in found.calibration.bins) == 2
    assert found.overall.recall == 0.0


def test_groups():
    found = of(
        labelled("+ Line 0.9", source="a", page_type="article", view="page"),
        labelled("+ Line 0.1", source="b", page_type="article", view="page"),
    )
    assert {name: row.recall for name, row in found.by["source"].items()} == {"a": 1.0, "b": 0.0}
    assert set(found.by) == {"set", "source"}  # one page type, one view: that is the whole


def test_intervals_hold_the_figure_and_follow_the_number_of_sites():
    generator = np.random.default_rng(1)

    def record(number):
        hits = generator.random(6) < 0.7
        lines = [f"+ Line {i}: {0.9 if hit else 0.1}" for i, hit in enumerate(hits)]
        return labelled("- Kept 0.2", "- Lost 0.9", *lines, url=f"https://site{number}.org/")

    few, many = (of(*(record(n) for n in range(count))) for count in (10, 160))
    widths = []
    for found in (few, many):
        low, high = found.overall.intervals["recall"]
        assert low <= found.overall.recall <= high
        widths.append(high - low)
    assert widths[1] < 0.7 * widths[0]
    assert of(record(0), record(1)).overall.intervals == {}


def test_nothing_to_measure():
    found = evaluate(Told(), [Dataset("none", [])])
    assert found.overall.precision is None
    assert found.calibration.brier is None
    assert found.to_dict()["overall"]["documents"] == 0
    assert of(labelled("? One.")).overall.units == 0


def test_scores_and_removals_agree_with_the_contract(fast):
    """The exact rule, told again in plain words, on a page with the real detector."""
    document = next(read_labelled(FIXTURES / "labelled" / "wcxb_page.jsonl.gz"))
    result = fast.clean_and_explain(document.text, title=document.title)
    gone = {i for finding in result.findings for i in range(finding.start, finding.end)}
    hits = {True: 0, False: 0}
    for span, label in zip(document.spans, document.labels, strict=True):
        size = span.end - span.start
        if label >= 0 and 2 * len(gone & set(range(span.start, span.end))) >= size > 0:
            hits[label == 1] += 1
    found = evaluate(fast, [Dataset("page", [document])]).overall
    assert found.precision == hits[True] / (hits[True] + hits[False])


# Floors


def evaluated(recall):
    lines = ["+ Found 0.9"] * recall + ["+ Missed 0.1"] * (10 - recall) + ["- Kept."] * 10
    return of(labelled(*lines), encoder="fast")


def test_floors_are_set_held_and_moved(tmp_path):
    path = tmp_path / "floors.json"
    Floors().moved(evaluated(7), up=True, down=False).write(path)
    floors = Floors.read(path)
    assert floors.encoders["fast"]["test"]["recall"] == 0.7

    def verdicts(evaluation, held=floors):
        return {check.figure: check.verdict for check in held.check(evaluation)}

    assert set(verdicts(evaluated(7)).values()) == {"holds"}
    assert verdicts(evaluated(6))["recall"] == verdicts(evaluated(6))["left"] == "dropped"
    assert verdicts(evaluated(8))["recall"] == verdicts(evaluated(8))["left"] == "better"
    raised = floors.moved(evaluated(8), up=True, down=False)
    assert verdicts(evaluated(7), raised)["recall"] == "dropped"
    assert floors.moved(evaluated(6), up=True, down=False) == floors
    lowered = floors.moved(evaluated(6), up=False, down=True)
    assert verdicts(evaluated(6), lowered)["recall"] == "holds"
    assert floors.moved(evaluated(8), up=False, down=True) == floors


def test_floors_hold_for_the_documents_they_were_measured_on():
    floors = Floors().moved(evaluated(7), up=True, down=False)
    more = of(labelled("+ Found 0.9", "- Kept."), labelled("+ Found 0.9"), encoder="fast")
    verdicts = {check.figure: check.verdict for check in floors.check(more)}
    assert verdicts["documents"] == "other documents"
    assert floors.moved(more, up=True, down=False) == floors
    moved = floors.moved(more, up=True, down=True)
    assert {check.verdict for check in moved.check(more)} == {"holds"}


def test_less_than_the_tolerance_is_no_drop():
    assert Check("x", "lost", 0.010, 0.0115, 0.002).verdict == "holds"
    assert Check("x", "lost", 0.010, 0.0125, 0.002).verdict == "dropped"
    assert Check("x", "recall", 0.9, None, 0.002).verdict == "not measured"


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"format": 9}', '{"format": 1, "tolerance": 0, "floors": {"a": 1}}',
             '{"format": 1, "tolerance": 0, "floors": {"fast": {"x": {"speed": 1}}}}',
             '{"format": 1, "tolerance": 0, "floors": {"fast": {"x": {"recall": "0.9"}}}}',
             '{"format": 1, "tolerance": true, "floors": {}}']
)  # fmt: skip
def test_a_file_that_holds_no_floors(tmp_path, text):
    path = tmp_path / "floors.json"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match="no file of floors"):
        Floors.read(path)


def test_the_project_s_floors_name_its_fixtures():
    names = {path.name.split(".")[0] for path in (FIXTURES / "labelled").glob("*.gz")}
    floors = Floors.read(FIXTURES / "floors.json")
    assert set(floors.encoders) == {"fast", "accurate"}
    assert all(set(sets) == names for sets in floors.encoders.values())


def test_fixtures_are_of_the_sites_kept_for_them():
    from cleaner.training.corpora import is_fixture_site

    seen = {}
    for name in ("wcxb_extracted", "wcxb_page", "wcxb_intruders", "wcxb_headlines"):
        documents = list(read_labelled(FIXTURES / "labelled" / f"{name}.jsonl.gz"))
        seen[name] = {document.site for document in documents}
        assert all(is_fixture_site(site) for site in seen[name])
        assert len(documents) == len(seen[name])
    assert len({frozenset(sites) for sites in seen.values()}) == 1


# The command


@pytest.fixture
def run(monkeypatch):
    def call(*arguments, expect=0, stdin=b""):
        monkeypatch.setattr("cleaner.cleaning.Cleaner", lambda **_: told)
        done = CliRunner().invoke(main, ["evaluate", *map(str, arguments)], input=stdin)
        assert done.exit_code == expect, done.output
        return done

    told = Told()
    told.encoder_name = "fast"
    return call


@pytest.fixture
def data(tmp_path):
    lines = ["+ Found 0.9", "+ Missed 0.1", "- Kept [b].", "- An ad 0.8"]
    records = [labelled(*lines, source="[x]"), labelled(*lines, source="y")]
    return write(tmp_path / "data.jsonl", *records)


def test_tables_are_plain_when_piped(run, data):
    out = run(data).stdout
    assert "2 documents, 8 lines, 4 to remove; encoder fast, threshold 0.5" in out
    for title in ("figures", "by threshold", "by source", "by reason given", "reliability"):
        assert title in out
    assert "[x]" in out
    assert not set("─│┃━\x1b") & set(out)


def test_json_to_a_file_or_to_standard_output(run, data, tmp_path):
    run("--json", tmp_path / "out.json", data)
    found = json.loads(run("--json", "-", data).stdout)
    assert found == json.loads((tmp_path / "out.json").read_text("utf-8"))
    assert found["overall"]["precision"] == 0.5
    assert found["threshold"] == 0.5


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--json", "MISSING/out.json"], "cannot be written"),
        (["--floors", "MISSING/floors.json"], "no file of floors"),
        (["--floors", "MISSING/floors.json", "--raise-floors"], "cannot be written"),
        (["--plots", "FILE/plots"], "cannot write the plots"),
    ],
)
def test_what_cannot_be_had_is_told_before_anything_is_cleaned(
    run, data, tmp_path, monkeypatch, options, says
):
    monkeypatch.setattr(Told, "clean_many", None)
    (tmp_path / "FILE").touch()
    done = run(*(o if o[0] == "-" else tmp_path / o for o in options), data, expect=1)
    assert says in done.stderr


def test_what_is_read_is_not_written_over(run, data, tmp_path):
    assert "is an input of the same run" in run("--json", data, data, expect=2).stderr
    floors = tmp_path / "floors.json"
    floors.write_text("{}")
    refused = run("--json", floors, "--floors", floors, data, expect=2)
    assert "is an input of the same run" in refused.stderr


def test_halves_of_code_points_in_names_are_escaped(run, tmp_path):
    half = "\ud800"
    line = {"lines": ["x 0.9", "y"], "labels": [1, 0], "kinds": [half, "x"]}
    path = write(tmp_path / "a.jsonl", *({**line, "source": name} for name in (half, "y")))
    out = tmp_path / "out.json"
    shown = run("--json", out, path).stdout
    assert r"\ud800" in shown
    assert half in json.loads(out.read_text("utf-8"))["by"]["source"]


def test_standard_input(run, data):
    found = json.loads(run("--json", "-", "-", stdin=data.read_bytes()).stdout)
    assert set(found["by"]["set"]) == {"standard input"}
    assert "standard input:1: " in run("-", stdin=b"[]", expect=1).stderr


def test_limit(run, data):
    assert "1 document, 4 lines" in run("--limit", 1, data).stdout


def test_what_is_undefined_where_nothing_is_to_be_removed_is_a_dash(run, tmp_path):
    path = write(tmp_path / "a.jsonl", labelled("- Kept.", "- Gone 0.9"))
    rows = [line.split() for line in run(path).stdout.splitlines()]
    assert [row for row in rows if row[:1] in (["precision"], ["f1"], ["recall"])] == [
        ["precision", "-", "-"],
        ["recall", "-", "-"],
        ["f1", "-", "-"],
    ]


def test_plots_are_png(run, data, tmp_path):
    pytest.importorskip("matplotlib")
    run("--plots", tmp_path / "plots", data)
    for name in ("precision-recall.png", "reliability.png"):
        assert (tmp_path / "plots" / name).read_bytes().startswith(b"\x89PNG")


def test_plots_without_matplotlib(run, data, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = run("--plots", tmp_path / "plots", data, expect=2)
    assert "pip install 'article-cleaner[plots]'" in done.stderr


def test_floors_of_the_command(run, data, tmp_path):
    floors = tmp_path / "floors.json"
    assert "no file of floors" in run("--floors", floors, data, expect=1).stderr
    run("--floors", floors, "--raise-floors", data)
    assert "floors hold" in run("--floors", floors, data).stderr
    held = json.loads(floors.read_text("utf-8"))
    held["floors"]["fast"]["data"]["recall"] = 0.9
    floors.write_text(json.dumps(held), "utf-8")
    done = run("--floors", floors, data, expect=1)
    assert "dropped" in done.stderr
    assert "--lower-floors" in done.stderr
    run("--floors", floors, "--raise-floors", data, expect=1)
    run("--floors", floors, "--lower-floors", data)
    run("--floors", floors, data)


def test_a_floor_whose_set_is_not_given_is_no_floor_that_holds(run, data, tmp_path):
    floors, other = tmp_path / "floors.json", tmp_path / "other.jsonl"
    run("--floors", floors, "--raise-floors", data)
    other.write_bytes(data.read_bytes())
    assert "not measured" in run("--floors", floors, other, expect=1).stderr
    shown = run("--floors", floors, "--limit", 1, data, expect=1).stderr
    assert ["data", "documents", "2", "1", "other", "documents"] in map(
        str.split, shown.split("\n")
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Missing argument"),
        (["--raise-floors", "DATA"], "--raise-floors without --floors"),
        (["DATA", "DATA"], "two files are called 'data'"),
        (["--floors", "x", "--only", "advert", "DATA"], "do not go together"),
        (
            ["--floors", "x", "--threshold", ".4", "DATA"],
            "--floors and --threshold do not go together",
        ),
    ],
)
def test_usage_errors(run, data, arguments, says):
    done = run(*(data if a == "DATA" else a for a in arguments), expect=2)
    assert says in done.stderr


def test_files_differ_by_their_whole_names(run, data, tmp_path):
    names = ("news.train.jsonl", "news.test.jsonl")
    paths = [(tmp_path / name).write_bytes(data.read_bytes()) and tmp_path / name for name in names]
    found = json.loads(run("--json", "-", *paths).stdout)
    assert set(found["by"]["set"]) == {"news.train", "news.test"}


def test_a_file_without_a_document_is_refused(run, data, tmp_path):
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n", "utf-8")
    assert f"{empty}: no labelled documents" in run(data, empty, expect=1).stderr


def test_a_bad_record_is_named(run, tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text('{"lines": ["x"], "labels": [1]}\n{"lines": ["x"], "labels": [3]}\n', "utf-8")
    assert f"{path}:2:" in run(path, expect=1).stderr


def test_the_real_command_on_a_fixture():
    command = [sys.executable, "-m", "cleaner", "evaluate", "--json", "-",
               str(FIXTURES / "labelled" / "wikipedia_clean.jsonl.gz")]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found = json.loads(done.stdout)
    assert found["overall"]["to_remove"] == 0
    assert found["overall"]["lost"] < 0.01
    assert sum(found["not_judged"].values()) >= 240  # five languages the detector does not know


def test_cleaner_applies_each_threshold_as_a_run_would(fast):
    documents = list(read_labelled(FIXTURES / "labelled" / "wcxb_extracted.jsonl.gz"))[:3]
    table = evaluate(fast, [Dataset("x", documents)]).thresholds
    for row in table[::4]:
        alone = evaluate(Cleaner(threshold=row.threshold), [Dataset("x", documents)]).overall
        assert (row.recall, row.lost) == (alone.recall, alone.lost)


def test_labelled_without_kinds_has_none():
    document = Labelled("A.\n", None, (Span(0, 2),), (1,), "", "", "")
    assert evaluate(Told(), [Dataset("x", [document])]).kinds == ()
    assert next(Told().clean_many([Document("A.\n")])).judged
