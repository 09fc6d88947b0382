"""Documents a second through the command line, Ray Data and Spark, Parquet to Parquet.

    python docs/examples/throughput.py articles.parquet --rounds 3

The sessions of the engines are up before their time begins; their workers are not, nor is the
command: each loads the model within its time, so give it articles for some minutes. Each way
takes a turn in every round, so that what else the machine does falls on all alike. Processor time
is that of the whole machine, the engine's processes included: it should do nothing else.
Needs psutil beside the extras `ray` and `spark`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pyarrow.parquet as pq

WORKERS = 2
ROWS = 100  # of a row group, and of what a Python worker of Spark is given at a time


def main() -> None:
    """Measure what was asked for, and print a line for each way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("articles", help="a Parquet file with a column `text`")
    parser.add_argument("--encoder", default="fast", help="fast (the default) or accurate")
    parser.add_argument("--rounds", type=int, default=3, help="3 if nothing is said")
    options = parser.parse_args()
    table = pq.read_table(options.articles)
    with tempfile.TemporaryDirectory() as folder:
        articles = Path(folder) / "articles.parquet"
        pq.write_table(table, articles, row_group_size=ROWS)
        ways = {"command line": command_line, "Ray Data": ray_data, "Spark": spark}
        runs = {name: way(articles, options.encoder) for name, way in ways.items()}
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
        for turn in range(options.rounds):
            for name, run in runs.items():
                target = Path(folder) / f"{name} {turn}.parquet"
                start, worked = time.perf_counter(), processor_time()
                run(target)
                taken[name].append((time.perf_counter() - start, processor_time() - worked))
                written = pq.read_table(target).num_rows
                if written != table.num_rows:
                    raise SystemExit(f"{name} wrote {written} of {table.num_rows} documents")
        report(table.num_rows, taken)


def report(documents: int, taken: dict[str, list[tuple[float, float]]]) -> None:
    """Print what each way reaches, and its share of what the command line reaches."""
    for unit, at in (("second", 0), ("processor second", 1)):
        rates = {
            name: documents / statistics.median(turn[at] for turn in turns)
            for name, turns in taken.items()
        }
        for name, rate in rates.items():
            share = rate / rates["command line"]
            sys.stdout.write(
                f"{name}: {rate:.1f} documents a {unit}, {share:.2f} of the command line\n"
            )


def processor_time() -> float:
    """Seconds that the machine has worked: not all processes of an engine can be followed."""
    times = psutil.cpu_times()
    return times.user + times.system


def command_line(articles: Path, encoder: str) -> Callable[[Path], None]:
    """The command `cleaner` itself: no engine."""
    # A null passes here as it does through the engines.
    command = [sys.executable, "-m", "cleaner", "--jobs", str(WORKERS), "--on-error", "keep"]

    def run(target: Path) -> None:
        way = ["--quiet", "--encoder", encoder, "-o", str(target), str(articles)]
        subprocess.run([*command, *way], check=True)  # noqa: S603 -- our own command

    return run


def ray_data(articles: Path, encoder: str) -> Callable[[Path], None]:
    """A pool of actors."""
    # Ray's workers stand back for all else that runs, unless they are told not to.
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    import ray

    from cleaner.adapters.ray import ray_clean

    ray.init(num_cpus=WORKERS, include_dashboard=False, log_to_driver=False, logging_level="error")
    ray.data.DataContext.get_current().enable_progress_bars = False

    def run(target: Path) -> None:
        dataset = ray.data.read_parquet(str(articles))
        ray_clean(dataset, size=WORKERS, encoder=encoder).write_parquet(str(target))

    return run


def spark(articles: Path, encoder: str) -> Callable[[Path], None]:
    """Python workers, each with a partition."""
    from pyspark.sql import SparkSession

    from cleaner.adapters.spark import spark_clean

    session = (
        SparkSession.builder.master(f"local[{WORKERS}]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.files.maxPartitionBytes", max(articles.stat().st_size // 8, 1))
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", ROWS)
        .getOrCreate()
    )

    def run(target: Path) -> None:
        df = session.read.parquet(str(articles))
        spark_clean(df, encoder=encoder).write.parquet(str(target))

    return run


if __name__ == "__main__":
    main()
