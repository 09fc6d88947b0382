"""datatrove: between a real reader and a real writer, on its local executor."""

from __future__ import annotations

import gzip
import json

import pytest

pytest.importorskip("datatrove")

from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.writers import JsonlWriter

from cleaner.adapters.datatrove import ArticleCleaner
from cleaner.errors import OptionError

pytestmark = pytest.mark.adapters


@pytest.fixture
def run(parquet, tmp_path):
    """Run the step from Parquet to JSONL, and give its documents and its statistics."""

    def run(tasks=1, **options):
        executor = LocalPipelineExecutor(
            [
                ParquetReader(str(parquet.parent), glob_pattern="*.parquet"),
                ArticleCleaner(**options),
                JsonlWriter(str(tmp_path / "out")),
            ],
            tasks=tasks,
            workers=tasks,
            logging_dir=str(tmp_path / "logs"),
        )
        stats = executor.run().stats[1].stats
        return read(tmp_path / "out"), stats

    return run


def read(folder):
    documents = {}
    for path in folder.glob("*.jsonl.gz"):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            record = json.loads(line)
            documents[record["id"]] = record
    return documents


def with_text(rows, values):
    """What the reader hands on: it leaves out what has no text, and says so."""
    return {row["id"]: value for row, value in zip(rows, values, strict=True) if row["text"]}


def test_between_reader_and_writer(run, rows, results, expected):
    documents, stats = run()
    assert {key: record["text"] for key, record in documents.items()} == with_text(rows, expected)
    assert all("length" in record["metadata"] for record in documents.values())
    found = list(with_text(rows, results).values())
    assert stats["total"].total == stats["forwarded"].total == len(found)
    assert stats["changed"].total == sum(result.changed for result in found)
    assert stats["unchanged"].total == sum(not result.changed for result in found)
    assert stats["not_judged"].total == sum(not result.judged for result in found)
    assert stats["removed"].total == sum(len(result.findings) for result in found)
    assert stats["removed_off-topic"].total > 0
    assert stats["removed_characters"].total == sum(
        len(result.source) - len(result.text) for result in found
    )


def test_an_explanation_goes_into_the_metadata(run, rows, removed):
    documents, _ = run(explain=True)
    found = {key: record["metadata"]["removed"] for key, record in documents.items()}
    assert found == with_text(rows, removed)


def test_documents_of_which_too_much_would_go_are_left_out_whole(run, rows, results, tmp_path):
    def share(result):
        return 1 - len(result.text) / len(result.source)

    limit = 0.01
    excluded = JsonlWriter(str(tmp_path / "excluded"))
    documents, stats = run(max_removed=limit, exclusion_writer=excluded)
    dropped = {key for key, result in with_text(rows, results).items() if share(result) > limit}
    assert dropped
    assert documents.keys() == with_text(rows, results).keys() - dropped
    kept_apart = read(tmp_path / "excluded")
    assert {key: record["text"] for key, record in kept_apart.items()} == {
        row["id"]: row["text"] for row in rows if row["id"] in dropped
    }
    assert {record["metadata"]["filter_reason"] for record in kept_apart.values()} == {
        "too_much_removed"
    }
    assert stats["dropped"].total == stats["dropped_too_much_removed"].total == len(dropped)


def test_one_document_at_a_time(fast, seed):
    document = Document(text=seed, id="1")
    assert ArticleCleaner(batch_size=1).filter(document) is True
    assert document.text == fast.clean(seed)
    assert list(ArticleCleaner().run([])) == []


def test_two_tasks_at_a_time(run, rows, expected):
    documents, _ = run(tasks=2)
    assert {key: record["text"] for key, record in documents.items()} == with_text(rows, expected)


def test_a_missing_text_stays_missing():
    documents = [Document(text=None, id="1"), Document(text="Short.", id="2")]
    missing, short = ArticleCleaner(explain=True, max_removed=0.0).run(documents)
    assert missing.text is None
    assert missing.metadata == {"removed": None, "judged": None, "why": None}
    assert short.metadata["judged"] is False


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"max_removed": 1.1}, "max_removed is 1.1"),
        ({"max_removed": "0.3"}, "max_removed is '0.3'"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"threshold": 7}, "the threshold is 7"),
    ],
)
def test_wrong_options_are_refused(wrong, message):
    with pytest.raises(OptionError, match=message):
        ArticleCleaner(**wrong)
