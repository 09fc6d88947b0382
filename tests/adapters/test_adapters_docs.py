"""The examples of docs/adapters.md run, each on its host, and do what they say."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest
from hosts import read_parquet, spark_session, start_ray, write_parquet

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "adapters.md"
SECTIONS = dict(
    re.findall(
        r"^## (.+?)\n(.*?)(?=^## |\Z)", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
)

pytestmark = pytest.mark.adapters


@pytest.fixture
def articles(tmp_path, monkeypatch, rows):
    """A folder of articles in Parquet, where the examples look for it."""
    pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    present = [row for row in rows if row["text"]]
    write_parquet(present, tmp_path / "articles", files=4)
    return present


@pytest.fixture
def clean(fast, articles):
    from cleaner import Document

    documents = [Document(row["text"], row["title"]) for row in articles]
    return [result.text for result in fast.clean_many(documents)]


@pytest.fixture
def example(articles):
    """Run the Python blocks of a section, one after the other, and give what they define."""
    assert articles

    def run(section):
        names = {"__name__": "__main__"}
        blocks = re.findall(r"^```python\n(.*?)^```", SECTIONS[section], re.MULTILINE | re.DOTALL)
        assert blocks
        for number, block in enumerate(blocks):
            exec(compile(block, f"{section}, block {number}", "exec"), names)  # noqa: S102
        return names

    return run


def by_row(articles, ids, texts):
    found = dict(zip(ids, texts, strict=True))
    return [found[row["id"]] for row in articles]


def test_scikit_learn(example, articles, clean, capsys):
    pytest.importorskip("sklearn")
    pytest.importorskip("pandas")
    names = example("scikit-learn")
    assert names["vectors"].shape == (400, 16)
    assert names["vectors_of_frame"].shape[0] == len(articles)
    assert by_row(articles, names["cleaned"]["id"], names["cleaned"]["text"]) == clean
    assert "[ 1  1  1 -1  1  1  1  1]" in capsys.readouterr().out


def test_hugging_face_datasets(example, articles, clean, tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    names = example("Hugging Face datasets")
    assert by_row(articles, names["cleaned"]["id"][:], names["cleaned"]["text"][:]) == clean


def test_datatrove(example, articles, clean, tmp_path):
    pytest.importorskip("datatrove")
    example("datatrove")
    texts = {
        record["id"]: record["text"]
        for path in (tmp_path / "clean").glob("*.gz")
        for record in map(json.loads, gzip.decompress(path.read_bytes()).splitlines())
    }
    assert by_row(articles, texts.keys(), texts.values()) == clean


def test_ray_data(example, articles, clean, tmp_path):
    pytest.importorskip("ray")
    start_ray()
    example("Ray Data")
    assert read_parquet(articles, tmp_path / "clean") == clean
    assert read_parquet(articles, tmp_path / "clean_by_class") == clean


def test_spark(example, articles, clean, tmp_path):
    pytest.importorskip("pyspark")
    spark_session()
    example("Spark")
    assert read_parquet(articles, tmp_path / "clean") == clean


def test_langchain(example, capsys):
    pytest.importorskip("langchain_core")
    names = example("LangChain")
    assert capsys.readouterr().out == "[]\n"
    assert names["cleaned"][0].metadata["source"] == "a.html"


def test_haystack(example):
    pytest.importorskip("haystack")
    (passage,) = example("Haystack")["passages"]
    assert passage.content == "An article ..."
    assert passage.meta["title"] == "Its title"


def test_every_host_has_an_example_that_is_run():
    with_blocks = {name for name, body in SECTIONS.items() if "```python" in body}
    tested = {
        "scikit-learn",
        "Hugging Face datasets",
        "datatrove",
        "Ray Data",
        "Spark",
        "LangChain",
        "Haystack",
    }
    assert with_blocks == tested
