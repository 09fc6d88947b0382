"""The benchmark's own parts; the measurements themselves are for who starts it."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from cleaner import InputError, throughput
from cleaner.evidence import Knowledge  # noqa: F401  # loaded before the clock runs
from cleaner.segment import segment
from cleaner.throughput import Measurements, Ratio, compare, read_pages, sampled, table, write_jsonl


def test_pages_are_read_from_either(tmp_path):
    lines = b"".join(json.dumps({"html": f"<p>{n}</p>"}).encode() + b"\n" for n in range(5))
    (tmp_path / "a.jsonl").write_bytes(lines)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(lines))
    pages = [f"<p>{n}</p>" for n in range(5)]
    assert read_pages(tmp_path / "a.jsonl", None) == pages
    assert read_pages(tmp_path / "b.jsonl.gz", 2) == pages[:2]
    (tmp_path / "a.jsonl").write_bytes(b'{"text": "a"}\n')
    with pytest.raises(InputError, match=r"a\.jsonl:1: the record has no field 'html'"):
        read_pages(tmp_path / "a.jsonl", None)
    (tmp_path / "a.jsonl").write_bytes(b'{"html": "a"}\n{"html": "a"\n')
    with pytest.raises(InputError, match=r"a\.jsonl:2: not valid JSON"):
        read_pages(tmp_path / "a.jsonl", None)


def test_documents_are_written_several_times_over(tmp_path):
    write_jsonl(tmp_path / "a.jsonl", ["a", "b"], times=3)
    records = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [record["text"] for record in records] == ["a", "b"] * 3
    assert len({record["id"] for record in records}) == 6


def test_both_sides_take_turns():
    turns = []
    ratio = compare(
        "a", lambda: turns.append("ours"), lambda: turns.append("theirs"), counts=(1, 1), runs=3
    )
    assert turns == ["ours", "theirs"] * 3
    compare(
        "a", lambda: None, lambda: None, counts=(1, 1), runs=2, prepare=lambda: turns.append("new")
    )
    assert turns[6:] == ["new"] * 2
    assert ratio.spread[0] <= ratio.ratio <= ratio.spread[1]


def test_time_is_counted_where_it_is_spent():
    counts = Counter()
    with sampled(counts):
        for _ in range(200):
            segment("The bridge is closed. It is built anew. " * 300)
    assert counts.most_common(1)[0][0] == "splitting"


def test_growth_and_scale():
    found = Measurements({"cores": 2})
    found.documents = {"documents": 10, "characters": 40_000}
    found.ratios = [Ratio("fast, beside trafilatura", "documents/s", 250, 50, 5, (4, 6))]
    found.by_lines = {1_000: 0.1, 10_000: 1.0, 100_000: 10.0}
    found.by_documents = {10: 0.1, 20: 0.4, 40: 1.6}
    figures = found.to_dict()
    assert figures["growth_with_lines"] == pytest.approx(1)
    assert figures["growth_with_documents"] == pytest.approx(2)
    # 250 documents of 4,000 characters are a million a second: 240 billion take 66.7 hours.
    assert figures["core_hours"]["60 billion tokens"] == pytest.approx(66.6667, abs=1e-3)
    shown = table(found)
    assert "fast, beside trafilatura" in shown
    assert "60 billion tokens" in shown


# Modules that a document does not go through on its way in one process.
NO_STAGE = {
    "errors", "contributions", "options", "explanation", "terminal", "sites", "interruption",
    "workers", "outputs", "journal", "progress", "corpus", "report", "evaluation", "command",
    "throughput", "training", "benchmark", "adapters", "cli",
}  # fmt: skip


def test_every_module_that_a_document_goes_through_has_a_stage():
    """A new one would be booked as "other", and its figures would mislead."""
    package = Path(throughput.__file__).parent
    names = {path.stem for path in package.iterdir() if path.suffix == ".py" or path.is_dir()}
    modules = {name for name in names if not name.startswith("_")} - {"models"}
    assert modules == {*throughput._STAGES} | NO_STAGE
    assert not {*throughput._STAGES} & NO_STAGE
