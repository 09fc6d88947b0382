"""Ray Data on a local cluster: a pool of actors that share a block, one of which is killed."""

from __future__ import annotations

import os
import signal
import time

import pytest
from hosts import start_ray

pytest.importorskip("ray")
pa = pytest.importorskip("pyarrow")

import cleaner.adapters.ray
from cleaner.adapters.ray import ArticleCleaner, ray_clean
from cleaner.cleaning import _loaded
from cleaner.errors import InputError, OptionError

pytestmark = pytest.mark.adapters


def test_a_lost_actor_is_replaced_and_an_actor_loads_one_model(
    rows, expected, removed, tmp_path, monkeypatch
):
    ray = start_ray()
    marker = tmp_path / "killed"

    class Killed(ArticleCleaner):
        """Loses its process once, in the middle of a batch."""

        def __call__(self, batch):
            for table in super().__call__(batch):
                if not marker.exists():
                    marker.touch()
                    os.kill(os.getpid(), signal.SIGKILL)
                for name, value in (
                    ("process", os.getpid()),
                    ("loads", _loaded.cache_info().misses),
                ):
                    table = table.append_column(name, pa.array([value] * len(table)))  # noqa: PLW2901
                yield table

    schema = pa.schema([(name, pa.string()) for name in rows[0]])
    blocks = [pa.Table.from_pylist(rows[at::8], schema=schema) for at in range(8)]
    with monkeypatch.context() as patched:  # not while it is pickled: its base is found by name
        patched.setattr(cleaner.adapters.ray, "ArticleCleaner", Killed)
        dataset = ray_clean(ray.data.from_arrow(blocks), size=2, explain=True)
    cleaned = {row["id"]: row for row in dataset.take_all()}
    assert marker.exists()
    assert [cleaned[row["id"]]["text"] for row in rows] == expected
    assert len({row["process"] for row in cleaned.values()}) >= 2
    assert {row["loads"] for row in cleaned.values()} == {1}
    found = [cleaned[row["id"]]["removed"] for row in rows]
    for findings in found:
        for finding in findings or []:
            finding["evidence"] = {pair["name"]: pair["value"] for pair in finding["evidence"]}
    assert found == removed


def test_the_actors_share_a_block(tmp_path, monkeypatch):
    ray = start_ray()

    class Waiting(ArticleCleaner):
        """Ends no batch before two actors have one."""

        def __call__(self, batch):
            (tmp_path / str(os.getpid())).touch()
            patience = time.monotonic() + 200
            while len(list(tmp_path.iterdir())) < 2:
                assert time.monotonic() < patience, "the other actor was given nothing"
                time.sleep(0.05)
            for table in super().__call__(batch):
                for name, value in (("process", os.getpid()), ("rows", len(batch))):
                    table = table.append_column(name, pa.array([value] * len(table)))  # noqa: PLW2901
                yield table

    block = pa.table({"n": range(5_500), "text": ["Too short."] * 5_500})
    with monkeypatch.context() as patched:
        patched.setattr(cleaner.adapters.ray, "ArticleCleaner", Waiting)
        cleaned = ray_clean(ray.data.from_arrow(block), size=2)
    batches = cleaned.iter_batches(batch_size=None, batch_format="pyarrow")
    parts = sorted(batches, key=lambda part: part["n"][0].as_py())
    assert [part["rows"].unique().to_pylist() for part in parts] == [[1_000]] * 5 + [[500]]
    assert len({part["process"][0].as_py() for part in parts}) >= 2
    assert pa.concat_tables(parts).select(block.schema.names) == block


def test_the_accurate_tier_takes_a_gpu_and_smaller_pieces():
    pytest.importorskip("sentence_transformers")
    block = pa.table({"n": range(250), "text": ["Too short."] * 250})
    dataset = start_ray().data.from_arrow(block)
    cleaned = ray_clean(dataset, size=1, encoder="accurate", num_gpus=1)  # Ray alone counts it
    batches = list(cleaned.iter_batches(batch_size=None, batch_format="pyarrow"))
    assert [len(batch) for batch in batches] == [100, 100, 50]
    assert pa.concat_tables(batches) == block


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"text": "body"}, "there is no column 'body' among 'id', 'text', 'title', 'length'"),
        ({"title": "length"}, "the column 'length' is of the type int64"),
        ({"threshold": 7}, "the threshold is 7"),
        ({"size": 0}, "size is 0"),
    ],
)
def test_wrong_columns_and_options_are_refused_before_the_job(parquet, wrong, message):
    dataset = start_ray().data.read_parquet(str(parquet))
    with pytest.raises((InputError, OptionError)) as caught:
        ray_clean(dataset, **{"size": 2, **wrong})
    assert message in str(caught.value)


def test_a_large_batch_comes_out_in_slices():
    table = pa.table({"text": ["Too short."] * 2_500})
    assert [part.num_rows for part in ArticleCleaner()(table)] == [1_000, 1_000, 500]


def test_an_empty_batch_keeps_its_columns():
    (part,) = ArticleCleaner()(
        pa.table({"n": pa.array([], pa.int8()), "text": pa.array([], "str")})
    )
    assert part.schema.names == ["n", "text"]
    assert part.num_rows == 0


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ({"text": ["a"]}, 'map_batches with batch_format="pyarrow"'),
        (pa.table({"body": ["a"]}), "there is no column 'text' among 'body'"),
        (pa.table({"text": [1]}), "the column 'text' is of the type int64"),
    ],
)
def test_what_holds_no_text_is_refused(batch, message):
    with pytest.raises(InputError) as caught:
        list(ArticleCleaner()(batch))
    assert message in str(caught.value)


def test_wrong_options_are_refused():
    with pytest.raises(OptionError, match="the threshold is 7"):
        ArticleCleaner(threshold=7)
