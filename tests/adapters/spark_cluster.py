"""A job on a cluster of two executors, of which one is killed; run by a test, with a folder.

The executors import `cleaner`, its models included, from an archive that the driver ships.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path


def main(folder):
    """Clean the Parquet files in `folder`, and say what happened."""
    from pyspark.sql import types

    spark, home = start(folder)
    df = spark.read.parquet(str(folder / "in"))
    schema = types.StructType([*df.schema.fields]).add("package", types.StringType())
    df.mapInArrow(killed_once(folder / "killed"), schema).write.parquet(str(folder / "out"))
    packages = spark.read.parquet(str(folder / "out")).select("package").distinct().collect()
    spark.stop()
    facts = {
        "killed": (folder / "killed").exists(),
        "executors": sorted(path.name for path in home.glob("work/*/*")),
        "packages": [row["package"] for row in packages],
    }
    sys.stdout.write(json.dumps(facts) + "\n")


def start(folder):
    """Start two executors, which get the package and nothing else to find it by."""
    import pyspark
    from pyspark.sql import SparkSession

    import cleaner

    package = Path(cleaner.__file__).parent
    archive = shutil.make_archive(str(folder / "package"), "zip", package.parent, package.name)
    # Executors work in a folder under Spark's own, which is not for tests to write to.
    home = folder / "home"
    home.mkdir()
    for path in Path(pyspark.__file__).parent.iterdir():
        (home / path.name).symlink_to(path)
    os.environ |= {
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    session = (
        SparkSession.builder.master("local-cluster[2,1,1024]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.archives", f"{archive}#shipped")
        .config("spark.executorEnv.PYTHONPATH", "shipped")
        .config("spark.sql.files.maxPartitionBytes", "1m")  # a partition a file
        .getOrCreate()
    )
    return session, home


def killed_once(marker):
    """Make the function for the partitions; the class goes along by value, as a job's own does."""
    import pyarrow as pa

    from cleaner.adapters.spark import ArticleCleaner

    class Observed(ArticleCleaner):
        """Tells where its package lies, and once kills the executor that it runs in."""

        def __call__(self, batches):
            import cleaner

            for batch in super().__call__(batches):
                if not marker.exists():
                    marker.touch()
                    daemon = Path(f"/proc/{os.getppid()}/stat").read_text()
                    executor = int(daemon.rsplit(")", 1)[1].split()[1])
                    os.kill(executor, signal.SIGKILL)
                    signal.pause()
                place = pa.array([cleaner.__file__] * len(batch))
                names = [*batch.schema.names, "package"]
                yield pa.RecordBatch.from_arrays([*batch.columns, place], names=names)

    return Observed()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
