"""The same rows through every host: each function takes rows and gives their texts back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache, partial
from pathlib import Path

import pytest


def texts(rows):
    from cleaner import Cleaner
    from cleaner.adapters.texts import clean_texts

    results = clean_texts(Cleaner(), *_columns(rows))
    return [None if result is None else result.text for result in results]


def scikit_learn_frame(rows, kind):
    library = pytest.importorskip(kind)
    pytest.importorskip("sklearn")
    from cleaner.adapters.scikit_learn import ArticleCleaner

    frame = library.DataFrame(rows)
    column = ArticleCleaner().fit_transform(frame)["text"]
    return [text if isinstance(text, str) else None for text in column]


def datasets(rows, batch):
    hosted = pytest.importorskip("datasets")
    from cleaner.adapters.datasets import ArticleCleaner

    dataset = hosted.Dataset.from_list(rows)
    cleaned = dataset.with_format(batch).map(ArticleCleaner(), batched=True, batch_size=10)
    return cleaned.with_format(None)["text"][:]


def langchain(rows):
    pytest.importorskip("langchain_core")
    from langchain_core.documents import Document

    from cleaner.adapters.langchain import ArticleCleaner

    present = [row for row in rows if row["text"] is not None]
    documents = [Document(row["text"], metadata={"title": row["title"]}) for row in present]
    cleaned = ArticleCleaner().transform_documents(documents)
    texts = {row["id"]: doc.page_content for row, doc in zip(present, cleaned, strict=True)}
    return [texts.get(row["id"]) for row in rows]


def haystack(rows):
    hosted = pytest.importorskip("haystack")
    from cleaner.adapters.haystack import ArticleCleaner

    documents = [
        hosted.Document(id=row["id"], content=row["text"], meta={"title": row["title"]})
        for row in rows
    ]
    pipeline = hosted.Pipeline()
    pipeline.add_component("cleaner", ArticleCleaner())
    cleaned = pipeline.run({"cleaner": {"documents": documents}})["cleaner"]["documents"]
    return [document.content for document in cleaned]


def datatrove(rows):
    pytest.importorskip("datatrove")
    from datatrove.data import Document
    from datatrove.executor import LocalPipelineExecutor

    from cleaner.adapters.datatrove import ArticleCleaner

    cleaned = {}

    def keep(data, rank, world_size):  # noqa: ARG001 -- of the interface
        for document in data:
            cleaned[document.id] = document.text
            yield document

    documents = [
        Document(text=row["text"], id=row["id"], metadata={"title": row["title"]})
        for row in rows
        if row["text"] is not None
    ]
    steps = [documents, ArticleCleaner(), keep]
    with tempfile.TemporaryDirectory() as folder:
        LocalPipelineExecutor(steps, logging_dir=folder).run()
    return [cleaned.get(row["id"]) for row in rows]


def ray(rows):
    """From Parquet to Parquet, in several files, of which Ray makes one block."""
    hosted = start_ray()
    from cleaner.adapters.ray import ray_clean

    with tempfile.TemporaryDirectory() as folder:
        write_parquet(rows, Path(folder) / "in", files=8)
        dataset = hosted.data.read_parquet(f"{folder}/in")
        ray_clean(dataset, size=2).write_parquet(f"{folder}/out")
        return read_parquet(rows, Path(folder) / "out")


def spark(rows):
    """From Parquet to Parquet, in more partitions than there are workers."""
    session = spark_session()
    from cleaner.adapters.spark import spark_clean

    with tempfile.TemporaryDirectory() as folder:
        write_parquet(rows, Path(folder) / "in", files=8)
        df = session.read.parquet(f"{folder}/in")
        assert df.rdd.getNumPartitions() > session.sparkContext.defaultParallelism
        spark_clean(df).write.parquet(f"{folder}/out")
        return read_parquet(rows, Path(folder) / "out")


def child_process(rows):
    """Record by record, each answered before the next is sent."""
    command = [sys.executable, "-m", "cleaner", "--quiet", "--format", "jsonl"]
    command += ["--on-error", "keep", "-"]
    texts = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        for row in rows:
            child.stdin.write(json.dumps(row).encode() + b"\n")
            child.stdin.flush()
            texts.append(json.loads(child.stdout.readline())["text"])
        child.stdin.close()
    assert child.returncode == 0
    return texts


HOSTS = {
    "texts": texts,
    "scikit-learn, pandas": partial(scikit_learn_frame, kind="pandas"),
    "scikit-learn, polars": partial(scikit_learn_frame, kind="polars"),
    "datasets, Arrow": partial(datasets, batch="arrow"),
    "datasets, lists": partial(datasets, batch=None),
    "langchain": langchain,
    "haystack": haystack,
    "datatrove": datatrove,
    "ray": ray,
    "spark": spark,
    "child process": child_process,
}


def write_parquet(rows, folder, *, files):
    """Write the rows to Parquet files, dealt out in turn."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.string()) for name in rows[0]])
    folder.mkdir()
    for number in range(files):
        table = pa.Table.from_pylist(rows[number::files], schema=schema)
        pq.write_table(table, folder / f"{number}.parquet")


def read_parquet(rows, folder):
    """Read the texts back, in the order of the rows."""
    import pyarrow.parquet as pq

    table = pq.read_table(folder)
    assert table.num_rows == len(rows)
    texts = dict(zip(*(table.column(name).to_pylist() for name in ("id", "text")), strict=True))
    return [texts[row["id"]] for row in rows]


@cache
def start_ray():
    """Start a local cluster of two processors and a GPU, all of them logical.

    It ends with the test process.
    """
    hosted = pytest.importorskip("ray")
    import ray.data

    # Ray's workers stand back for all else on a machine: on a busy one, for ever.
    os.environ |= {"RAY_worker_niceness": "0"}
    hosted.init(
        num_cpus=2,
        num_gpus=1,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
        object_store_memory=100_000_000,
    )
    ray.data.DataContext.get_current().enable_progress_bars = False
    return hosted


@cache
def spark_session():
    """Start a local session: two workers, four attempts at a task; it ends with the process."""
    sql = pytest.importorskip("pyspark.sql")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, and there is none")
    os.environ |= {
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        # Workers find the package that is under test, installed or not.
        "PYTHONPATH": str(Path(__file__).parent.parent.parent),
    }
    return (
        sql.SparkSession.builder.master("local[2,4]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.extraJavaOptions", "-Dlog4j2.level=ERROR")
        .config("spark.sql.files.maxPartitionBytes", "1m")  # a partition a file
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )


def _columns(rows):
    return [row["text"] for row in rows], [row["title"] for row in rows]
