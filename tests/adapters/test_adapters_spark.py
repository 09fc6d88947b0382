"""Spark on a local cluster: Parquet, types, lost workers, and a package shipped to executors."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hosts import read_parquet, spark_session, write_parquet

pytest.importorskip("pyspark")
pa = pytest.importorskip("pyarrow")

from pyspark.sql import types

from cleaner.adapters.spark import ArticleCleaner, spark_clean
from cleaner.cleaning import _loaded
from cleaner.errors import InputError, OptionError

pytestmark = pytest.mark.adapters

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def spark():
    return spark_session()


@pytest.fixture
def articles(spark, rows, tmp_path):
    """The rows as a DataFrame of eight partitions, from Parquet."""
    write_parquet(rows, tmp_path / "in", files=8)
    return spark.read.parquet(str(tmp_path / "in"))


def test_a_lost_worker_is_replaced_and_a_worker_loads_one_model(articles, rows, expected, tmp_path):
    marker = tmp_path / "killed"
    columns = articles.schema.names

    class Killed(ArticleCleaner):
        """Loses its process once, in the middle of a partition."""

        def __call__(self, batches):
            for batch in super().__call__(batches):
                if not marker.exists():
                    marker.touch()
                    os.kill(os.getpid(), signal.SIGKILL)
                facts = {"process": os.getpid(), "loads": _loaded.cache_info().misses}
                added = [pa.array([value] * len(batch), pa.int64()) for value in facts.values()]
                yield pa.RecordBatch.from_arrays([*batch.columns, *added], names=[*columns, *facts])

    schema = types.StructType([*articles.schema.fields])
    schema = schema.add("process", types.LongType()).add("loads", types.LongType())
    cleaned = {row["id"]: row for row in articles.mapInArrow(Killed(), schema).collect()}
    assert marker.exists()
    assert [cleaned[row["id"]]["text"] for row in rows] == expected
    # Eight partitions, and still no process has loaded a model twice.
    assert {row["loads"] for row in cleaned.values()} == {1}
    assert len({row["process"] for row in cleaned.values()}) < articles.rdd.getNumPartitions()


def test_an_explanation_keeps_the_other_columns(spark, rows, removed, parquet, results):
    df = spark.read.parquet(str(parquet)).withColumnRenamed("text", "the body")
    cleaned = spark_clean(df, text="the body", explain=True)
    assert cleaned.schema.names == ["id", "the body", "title", "length", "removed", "judged", "why"]
    found = {row["id"]: row.asDict(recursive=True) for row in cleaned.collect()}
    for row, result, wanted in zip(rows, results, removed, strict=True):
        record = found[row["id"]]
        for finding in record["removed"] or []:
            finding["evidence"] = {pair["name"]: pair["value"] for pair in finding["evidence"]}
        assert record["removed"] == wanted
        assert record["title"] == row["title"]
        assert record["length"] == len(row["text"] or "")
        assert record["judged"] == (None if result is None else result.judged)
        assert record["why"] == (None if result is None else result.why or None)


def test_nothing_is_shuffled(articles):
    plan = spark_clean(articles)._jdf.queryExecution().executedPlan().toString()
    assert "MapInArrow" in plan
    assert "Exchange" not in plan


def test_nothing_gives_nothing(spark):
    empty = spark.createDataFrame([], "text string, n int")
    cleaned = spark_clean(empty, explain=True)
    assert cleaned.collect() == []
    assert cleaned.schema.names == ["text", "n", "removed", "judged", "why"]


def test_bytes_are_kept_whatever_they_are(spark):
    data = [b"caf\xe9 au lait", "é".encode(), b"", None]
    df = spark.createDataFrame([(value,) for value in data], "text binary")
    assert [row["text"] for row in spark_clean(df, explain=True).collect()] == data


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("body string", "there is no column 'text' among 'body'"),
        ("text int", "the column 'text' is of the type int, which holds no text"),
        ("text array<string>", "is of the type array<string>"),
        ("text string, title int", "the column 'title' is of the type int"),
    ],
)
def test_columns_that_hold_no_text_are_refused_before_the_job(spark, schema, message):
    with pytest.raises(InputError) as caught:
        spark_clean(spark.createDataFrame([], schema))
    assert message in str(caught.value)


def test_columns_of_one_name_are_refused(articles):
    with pytest.raises(InputError, match="there are 2 columns 'text'"):
        spark_clean(articles.select("text", "text"))


def test_names_are_exact_and_an_explanation_needs_its_own(spark):
    df = spark.createDataFrame([("Short.", 1)], "text string, Removed int")
    assert spark_clean(df).schema == df.schema
    with pytest.raises(InputError, match="'Removed' and 'removed', which an explanation adds"):
        spark_clean(df, explain=True)
    with pytest.raises(InputError, match="there is no column 'Text' among 'text', 'Removed'"):
        spark_clean(df, text="Text")
    with pytest.raises(OptionError, match=r"the text column is .*, of type Column; give its name"):
        spark_clean(df, text=df.text)


@pytest.mark.parametrize("name", ["a.b", "a`b"])
def test_a_name_that_spark_itself_does_not_find_again_is_refused(spark, name):
    df = spark.createDataFrame([("Short.", 1)], "text string, n int")
    with pytest.raises(InputError, match=f"'{name}' has a dot or a backtick") as caught:
        spark_clean(df.withColumnRenamed("n", name))
    assert caught.value.next_step == "rename it: df.withColumnRenamed"
    nested = df.selectExpr("text", f"named_struct('{name}', n) AS n")
    assert spark_clean(nested).collect() == nested.collect()


def test_a_title_that_is_named_must_be_there(articles):
    with pytest.raises(InputError, match="there is no column 'headline'"):
        spark_clean(articles, title="headline")


def test_wrong_options_are_refused_before_the_job(articles):
    with pytest.raises(OptionError, match="the threshold is 7"):
        spark_clean(articles, threshold=7)


def test_a_model_that_is_missing_ends_the_job_with_its_message(articles):
    from pyspark.errors import PythonException

    with pytest.raises(PythonException, match="cannot read the detector"):
        spark_clean(articles, model="/no/such/folder").collect()


def test_a_package_is_shipped_and_a_lost_executor_is_replaced(rows, expected, tmp_path):
    """In a process of its own: executors are processes, and find the package in an archive."""
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, and there is none")
    if not Path("/proc/self/stat").exists():
        pytest.skip("the job finds its executor by /proc")
    write_parquet(rows, tmp_path / "in", files=8)
    job = [sys.executable, str(HERE / "spark_cluster.py"), str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent.parent)}
    done = subprocess.run(
        job, capture_output=True, text=True, env=environment, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    facts = json.loads(done.stdout.splitlines()[-1])
    assert facts["killed"]
    assert facts["executors"] == ["0", "1", "2"]  # the third in the place of the lost one
    for place in facts["packages"]:
        assert place.startswith("shipped/cleaner/") or "/shipped/cleaner/" in place
    assert read_parquet(rows, tmp_path / "out") == expected
