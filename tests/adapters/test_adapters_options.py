"""What the adapters have in common: options that travel, one model a process, missing hosts."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cleaner import Cleaner
from cleaner.adapters.options import (
    CleanerOptions,
    MissingHostError,
    is_share,
    missing_host,
)
from cleaner.adapters.texts import clean_texts, is_missing, title_in
from cleaner.encoders import MODELS
from cleaner.errors import InputError, ModelError, OptionError
from cleaner.options import is_count

HOSTS = {
    "scikit_learn": ("sklearn", "scikit-learn"),
    "datasets": ("pyarrow", "datasets"),
    "datatrove": ("datatrove", "datatrove"),
    "ray": ("pyarrow", "ray"),
    "spark": ("pyspark", "spark"),
    "langchain": ("langchain_core", "langchain"),
    "haystack": ("haystack", "haystack"),
}


def test_options_are_pickled_compared_and_hashed():
    options = CleanerOptions(threshold=0.9, keep=["a"], only=["advert"], model=Path("x"))
    again = pickle.loads(pickle.dumps(options))
    assert again == options
    assert hash(again) == hash(options)
    assert again.keep == ("a",)
    assert again.model == "x"


def test_a_process_loads_a_model_once():
    options = CleanerOptions(threshold=0.9)
    assert options.cleaner() is CleanerOptions(threshold=0.9).cleaner()
    assert options.cleaner() is not CleanerOptions(threshold=0.8).cleaner()
    assert options.cleaner().threshold == 0.9


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_process_loads_its_own():
    here = CleanerOptions().cleaner()
    child = os.fork()
    if child == 0:
        os._exit(0 if CleanerOptions().cleaner() is not here else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert CleanerOptions().cleaner() is here


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"threshold": 2.0}, "the threshold is 2.0"),
        ({"drop": ["["]}, "'[' is no regular expression"),
        ({"exclude": ["because"]}, "'because' is no reason"),
        ({"keep": "pattern"}, "keep is the string 'pattern'"),
        ({"encoder": Cleaner}, "encoder is of type type"),
        ({"threshold": "0.5"}, "threshold is '0.5', of type str"),
        ({"threshold": True}, "threshold is True, of type bool"),
        ({"threshold": float("nan")}, "the threshold is nan"),
        ({"keep": None}, "keep is of type NoneType"),
        ({"keep": [1]}, "1 in keep is of type int"),
        ({"only": b"advert"}, "in only is of type int"),
        ({"model": 3}, "model is of type int"),
    ],
)
def test_wrong_options_are_refused_where_they_are_written(wrong, message):
    with pytest.raises(OptionError) as caught:
        CleanerOptions(**wrong)
    assert message in str(caught.value)
    assert caught.value.next_step


def test_an_encoder_without_a_detector_is_refused_where_it_is_written():
    with pytest.raises(ModelError, match="no detector has been fitted for the encoder 'fastt'"):
        CleanerOptions(encoder="fastt")


def test_a_folder_need_not_be_where_it_is_written():
    """It may be on the workers alone."""
    options = CleanerOptions(encoder="/on/a/worker", model="/on/a/worker/detector")
    with pytest.raises(ModelError, match="/on/a/worker/detector: cannot read the detector"):
        options.cleaner()


def test_a_misspelt_option_is_refused_with_those_there_are():
    with pytest.raises(OptionError) as caught:
        CleanerOptions.of(thresh=0.9)
    assert str(caught.value) == (
        "there is no option 'thresh'; use encoder, threshold, keep, drop, only, exclude, model, or"
        " a parameter of the adapter itself"
    )
    assert CleanerOptions.of(threshold=0.9) == CleanerOptions(threshold=0.9)


def test_numbers_may_be_of_numpy():
    assert CleanerOptions(threshold=np.float32(0.5)).threshold == 0.5
    assert is_share(np.float64(1.0))
    assert is_count(np.int64(1))
    assert not any(map(is_count, [0, True, 1.0, "1", None]))
    assert not any(map(is_share, [-0.1, True, "1", None, float("nan")]))


def test_a_model_that_was_trained_again_is_loaded_again(tmp_path):
    model = tmp_path / "model"
    shutil.copytree(MODELS / "fast" / "detector", model)
    options = CleanerOptions(model=model)
    before = options.cleaner()
    assert options.cleaner() is before
    manifest = json.loads((model / "manifest.json").read_text("utf-8"))
    (model / "manifest.json").unlink()
    (model / "manifest.json").write_text(json.dumps({**manifest, "threshold": 0.25}), "utf-8")
    assert options.cleaner().threshold == 0.25


@pytest.mark.parametrize("adapter", HOSTS)
def test_a_missing_host_is_named_with_the_extra_that_installs_it(adapter):
    package, extra = HOSTS[adapter]
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        f"from cleaner.adapters.options import MissingHostError\n"
        f"try: import cleaner.adapters.{adapter}\n"
        f"except MissingHostError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    assert f"cleaner.adapters.{adapter}: {package}" in done.stdout
    assert done.stdout.endswith(f"; pip install 'article-cleaner[{extra}]'\n")


def test_a_missing_host_is_an_import_error():
    assert issubclass(MissingHostError, ModuleNotFoundError)
    error = missing_host("a", extra="b", cause=ImportError("no", name="c"))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_no_other_module_imports_an_adapter():
    source = Path(__file__).parent.parent.parent / "cleaner"
    importing = [
        path.name
        for path in source.rglob("*.py")
        if path.parent.name != "adapters" and "cleaner.adapters" in path.read_text("utf-8")
    ]
    assert importing == []


def test_missing_texts_keep_their_places(marks):
    texts = [None, "a JUNK b", None, None, "plain", None]
    results = list(clean_texts(marks, texts, [None] * len(texts)))
    assert [result is None for result in results] == [text is None for text in texts]
    assert results[1].text == ""
    assert results[4].text == "plain"


def test_texts_and_titles_must_be_as_many(marks):
    with pytest.raises(ValueError, match="shorter"):
        list(clean_texts(marks, ["a", "b"], [None]))


def test_no_more_texts_are_held_than_are_encoded_at_a_time(fast):
    taken = 0

    def texts():
        nonlocal taken
        for _ in range(500):
            taken += 1
            yield "Too short."

    results = clean_texts(fast, texts(), iter([None] * 500))
    next(results)
    assert taken < 100


@pytest.mark.parametrize("value", [None, float("nan")])
def test_what_is_missing(value):
    assert is_missing(value)


def test_what_pandas_calls_missing():
    pandas = pytest.importorskip("pandas")
    assert is_missing(pandas.NA)
    assert is_missing(pandas.NaT)
    assert not is_missing("")


def test_a_title_in_metadata_counts_where_it_is_a_string():
    assert title_in({"title": "A"}, "title") == "A"
    assert title_in({"title": 7}, "title") is None
    assert title_in({}, "title") is None
    assert title_in({"title": "A"}, None) is None


def test_an_error_says_where_and_what():
    from cleaner.adapters.texts import string_or_none

    with pytest.raises(InputError) as caught:
        string_or_none(list(range(100)), place="row 7")
    assert str(caught.value).startswith("row 7: [0, 1, 2")
    assert "is of type list, not a string" in str(caught.value)
