"""What the tests of the adapters share: documents of all kinds, and what becomes of them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from inputs import NAMED

from cleaner import Document

# Nothing is reported to anyone.
os.environ |= {
    "DO_NOT_TRACK": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "RAY_USAGE_STATS_ENABLED": "0",
}


@pytest.fixture(scope="session")
def rows(seed):
    """Documents as rows: ``id``, ``text`` (perhaps null), ``title`` (perhaps null)."""
    lines = seed.split("\n")
    texts = [(seed, None), ("\n".join(lines[3:]), lines[0]), ("\n".join(lines[3:]), None)]
    texts += [(None, None), ("", None), ("Too short.", "A title"), (None, "A title alone")]
    for name, data in NAMED.items():
        # Columns of strings hold UTF-8 alone; what else there may be has tests of its own.
        texts.append((data.decode("utf-8", "replace"), name))
    return [{"id": str(at), "text": text, "title": title} for at, (text, title) in enumerate(texts)]


@pytest.fixture(scope="session")
def results(fast, rows):
    """What `clean_many` makes of the rows that have a text; None for the others."""
    documents = [Document(row["text"], row["title"]) for row in rows if row["text"] is not None]
    found = fast.clean_many(documents)
    return [None if row["text"] is None else next(found) for row in rows]


@pytest.fixture(scope="session")
def expected(results):
    texts = [None if result is None else result.text for result in results]
    assert any(result is not None and result.changed for result in results)
    return texts


@pytest.fixture(scope="session")
def removed(results):
    """What was removed from each row, as JSON gives it back."""
    return [
        None if result is None else json.loads(json.dumps(result.to_dict()["removed"]))
        for result in results
    ]


@pytest.fixture
def parquet(tmp_path, rows):
    """The rows as a Parquet file with a column more."""
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist(rows, schema=pa.schema([(n, pa.string()) for n in rows[0]]))
    table = table.append_column("length", pa.array([len(row["text"] or "") for row in rows]))
    path = Path(tmp_path) / "articles.parquet"
    pq.write_table(table, path, row_group_size=7)
    return path
