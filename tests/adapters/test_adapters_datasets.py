"""Hugging Face datasets: map, its formats, its processes and its cache."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import pytest

hosted = pytest.importorskip("datasets")
pa = pytest.importorskip("pyarrow")

from datasets.fingerprint import Hasher

import cleaner
from cleaner.adapters.datasets import ArticleCleaner
from cleaner.errors import InputError

pytestmark = pytest.mark.adapters


@pytest.fixture(autouse=True)
def _quiet():
    hosted.disable_progress_bars()


@pytest.fixture
def dataset(rows, parquet, tmp_path):
    """The rows from Parquet, with a cache of their own."""
    loaded = hosted.Dataset.from_parquet(str(parquet), cache_dir=str(tmp_path / "cache"))
    assert loaded.num_rows == len(rows)
    return loaded


def test_arrow_in_and_out_on_two_processes(dataset, expected):
    cleaned = dataset.with_format("arrow").map(
        ArticleCleaner(), batched=True, batch_size=8, num_proc=2
    )
    assert cleaned.with_format(None)["text"][:] == expected
    assert cleaned.features == dataset.features
    unchanged = ["id", "title", "length"]
    assert (
        cleaned.select_columns(unchanged).to_dict() == dataset.select_columns(unchanged).to_dict()
    )


def test_an_explanation_has_the_same_types_in_every_batch(dataset, expected, removed):
    """The first batch has nothing removed: its lists are empty, and those of the next are not."""
    backwards = dataset.select(range(len(expected))[::-1]).with_format("arrow")
    cleaned = backwards.map(ArticleCleaner(explain=True), batched=True, batch_size=3)
    assert cleaned.column_names == [*dataset.column_names, "removed", "judged", "why"]
    found = cleaned.with_format(None)["removed"][:][::-1]
    for findings, wanted in zip(found, removed, strict=True):
        for finding in findings or []:
            finding["evidence"] = {pair["name"]: pair["value"] for pair in finding["evidence"]}
        assert findings == wanted


@pytest.mark.parametrize("kind", [None, "arrow", "numpy", "torch"])
def test_the_other_columns_stay_in_every_format(dataset, expected, kind):
    if kind == "torch":
        pytest.importorskip("torch")
    cleaned = dataset.with_format(kind).map(ArticleCleaner(), batched=True, batch_size=8)
    assert cleaned.column_names == dataset.column_names
    # Arrays of numpy lose what ends in NUL, before any function sees it.
    pairs = zip(cleaned.with_format(None)["text"][:], expected, strict=True)
    assert all(text == wanted for text, wanted in pairs if not (wanted or "").endswith("\0"))
    assert cleaned.with_format(None)["length"][:] == dataset["length"][:]


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_a_format_that_would_lose_the_other_columns_is_refused(dataset, kind):
    pytest.importorskip(kind)
    with pytest.raises(InputError, match="the batch is of type DataFrame") as caught:
        dataset.with_format(kind).map(ArticleCleaner(), batched=True)
    assert caught.value.next_step == 'call map on dataset.with_format("arrow")'


def test_a_stream(dataset, expected):
    stream = dataset.to_iterable_dataset().map(ArticleCleaner(), batched=True, batch_size=8)
    assert [row["text"] for row in stream] == expected


def test_splits(dataset, expected):
    splits = hosted.DatasetDict(train=dataset, test=dataset.select(range(2)))
    cleaned = splits.map(ArticleCleaner(), batched=True)
    assert cleaned["train"]["text"][:] == expected
    assert cleaned["test"]["text"][:] == expected[:2]


def test_a_second_run_comes_from_the_cache(dataset, monkeypatch):
    first = dataset.map(ArticleCleaner(keep=["a"]), batched=True)
    monkeypatch.setattr(ArticleCleaner, "clean", lambda *_: pytest.fail("not from the cache"))
    again = dataset.map(ArticleCleaner(keep=["a"]), batched=True)
    assert again.cache_files == first.cache_files


def test_the_fingerprint_goes_by_the_options_and_the_version(monkeypatch):
    of = Hasher.hash
    function = ArticleCleaner(threshold=0.9, keep=["a"])
    before = of(function)
    function(pa.table({"text": ["a"]}))
    assert of(function) == before  # use leaves no trace
    assert of(ArticleCleaner(threshold=0.9, keep=["a"])) == before
    assert of(pickle.loads(pickle.dumps(function))) == before
    assert of(ArticleCleaner(threshold=0.8, keep=["a"])) != before
    assert of(ArticleCleaner(threshold=0.9, keep=["a"], explain=True)) != before
    monkeypatch.setattr(cleaner, "__version__", "99")
    assert of(ArticleCleaner(threshold=0.9, keep=["a"])) != before


def test_a_model_that_was_trained_again_is_not_taken_from_the_cache(dataset, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(Path(cleaner.__file__).parent / "models" / "fast" / "detector", model)
    manifest = json.loads((model / "manifest.json").read_text("utf-8"))

    def run(threshold):
        (model / "manifest.json").unlink()
        text = json.dumps({**manifest, "threshold": threshold})
        (model / "manifest.json").write_text(text, "utf-8")
        return dataset.map(ArticleCleaner(model=model), batched=True)

    before, after = run(0.0), run(1.0)
    assert after._fingerprint != before._fingerprint
    assert before["text"][:] != dataset["text"][:]
    assert after["text"][:] == dataset["text"][:]  # of the new model, in the same process
    assert run(0.0).cache_files == before.cache_files


def test_an_empty_dataset():
    empty = hosted.Dataset.from_dict({"text": []})
    assert empty.map(ArticleCleaner(), batched=True).num_rows == 0


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ({"body": ["a"], "n": [1]}, "there is no column 'text' among 'body', 'n'"),
        ({"text": ["a", 7]}, "column 'text', row 1: 7 is of type int, not a string"),
        (pa.table({"text": [1]}), "the column 'text' is of the type int64"),
    ],
)
def test_columns_that_hold_no_text_are_refused(batch, message):
    with pytest.raises(InputError) as caught:
        ArticleCleaner()(batch)
    assert message in str(caught.value)


def test_a_title_that_is_named_must_be_there():
    with pytest.raises(InputError, match="no column 'headline' among 'text', 'head'"):
        ArticleCleaner(title_column="headline")({"text": ["a"], "head": ["A"]})


@pytest.mark.parametrize(
    "row",
    [{"text": "a text"}, {"text": None}, {"text": "a text", "title": "A title"}, {"text": b"a"}],
)
def test_a_row_by_itself_is_refused_with_the_way_out(row):
    """A text would else be taken for a column of letters."""
    dataset = hosted.Dataset.from_list([row])
    with pytest.raises(InputError, match="'text' holds one value, not a batch") as caught:
        dataset.map(ArticleCleaner())
    assert caught.value.next_step == "call map with batched=True"


def test_bytes_in_lists_are_refused_with_the_way_out():
    with pytest.raises(InputError, match=r"'text' holds bytes.*with_format\(\"arrow\"\)"):
        ArticleCleaner()({"text": [None, b"a"]})


def test_an_explanation_of_a_dictionary_is_refused_with_the_way_out():
    with pytest.raises(InputError, match=r'with_format\("arrow"\)'):
        ArticleCleaner(explain=True)({"text": ["a"]})
