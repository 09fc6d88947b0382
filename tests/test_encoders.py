"""Encoders: the static loader against sentence-transformers, the accurate one, both as one."""

import json
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from cleaner.encoders import MODELS, Encoder, load_encoder, transformer
from cleaner.encoders.joint import JointEncoder
from cleaner.encoders.static import StaticEncoder, is_static
from cleaner.encoders.transformer import TransformerEncoder
from cleaner.errors import ModelError

FOLDER = MODELS / "fast" / "encoder"

LONG = "The harbour bridge was closed for two years. "
TEXTS = {
    "English": "The council voted on Monday to rebuild the old harbour bridge.",
    "one word": "bridge",
    "unknown word": "zxqvbnmkjhgfdsapoiuytrewq" * 8,
    "accents": "Le conseil a décidé de reconstruire le pont: ÉLÈVE, naïve, e\u0301.",
    "CJK": "市议会周一投票决定重建旧港大桥。",
    "Japanese": "\u6a4b\u306f\u6708\u66dc\u65e5\u306b\u518d\u5efa\u3055\u308c\u308b\u30ab\u3099",
    "Arabic": "\u0623\u0639\u0644\u0646 \u0627\u0644\u0645\u062c\u0644\u0633",
    "emoji": "Well done \U0001f44d\U0001f3fd \U0001f468\u200d\U0001f469\u200d\U0001f467 bridge",
    "only emoji": "\U0001f600\U0001f601",
    "control characters": "one\x00two\x07 three\x1bfour\x7f five",
    "control characters that part words": "one\x0btwo\x0cthree\x1cfour\x1dfive\x1esix\x85.",
    "blanks of all kinds": "one\u00a0two\u2003three\u3000four\u2028five\u200bsix\ufeffseven\tend",
    "special tokens": "one [SEP] two [CLS][MASK] three [PAD] [UNK] ##ing",
    "punctuation": "--- 'It's' $3.5m (50%) \u2014 \u201cno\u201d ... !?",
    "very long": LONG * 500,
    "long word": "x" * 50_000,
    "empty": "",
    "blank": " \n\t ",
}


def lengths(vectors):
    return np.linalg.norm(vectors, axis=1)


@pytest.fixture(scope="module")
def static():
    return StaticEncoder.load(FOLDER)


@pytest.fixture(scope="module")
def reference():
    library = pytest.importorskip("sentence_transformers")
    return library.SentenceTransformer(str(FOLDER), device="cpu")


@pytest.mark.parametrize("name", TEXTS)
def test_static_is_what_sentence_transformers_gives(name, static, reference):
    expected = reference.encode([TEXTS[name]], show_progress_bar=False)
    assert np.abs(static.encode([TEXTS[name]]) - expected).max() <= 1e-5


def test_static_does_not_drift_on_texts_of_any_length(static):
    # Single precision does, in sentence-transformers: 5e-5 on this one.
    one, six_thousand = static.encode([LONG, LONG * 6_000])
    assert np.abs(one - six_thousand).max() <= 1e-6


def test_static_gives_the_same_in_one_batch(static, reference):
    texts = list(TEXTS.values())
    together = static.encode(texts)
    assert np.abs(together - reference.encode(texts, show_progress_bar=False)).max() <= 1e-5
    alone = np.concatenate([static.encode([text]) for text in texts])
    assert np.array_equal(together, alone)


def test_what_was_encoded_before_does_not_matter(static):
    texts = list(TEXTS.values())
    fresh = StaticEncoder.load(FOLDER)
    assert np.array_equal(fresh.encode(texts[::-1])[::-1], static.encode(texts))


WORDS = [
    "bridge", "Bridge.", "\u201cbridge\u201d", "half-built", "$3.5m", "don't", "U.S.-led",
    "[SEP]", "a[MASK]b", "2024,", "x" * 120,
    "zxqvb", "co-zxqvb", "a\x00b", "x\x7fy", "caf\u00e9", "##ing", "[", "~!@#%^&*()_+",
]  # fmt: skip


@pytest.mark.parametrize("word", WORDS)
def test_tokens_of_pieces_are_those_that_the_tokenizer_makes(word, static):
    expected = static._tokenizer.encode(word, add_special_tokens=False).ids
    assert static._is_bert
    assert static._token_ids([word]) == [expected]
    assert static._of_pieces(word) in (None, expected)


def test_ascii_words_need_the_model_alone(static):
    assert all(static._of_pieces(word) for word in ("bridge", "Bridge.", "half-built", "zxqvb"))


def test_a_full_cache_is_emptied(monkeypatch, static):
    monkeypatch.setattr("cleaner.encoders.static._CACHE_LIMIT", 4)
    small = StaticEncoder.load(FOLDER)
    for text in TEXTS.values():
        assert np.array_equal(small.encode([text]), static.encode([text]))
    assert len(small._table) < 100


def test_lone_surrogates_are_passed_over(static):
    text = "The bridge is closed."
    assert np.array_equal(static.encode([f"{text} \udcff\ud800"]), static.encode([text]))


@pytest.mark.parametrize("name", ["control characters that part words", "very long", "emoji"])
def test_unit_length(name, static):
    assert lengths(static.encode([TEXTS[name]])) == pytest.approx([1.0], abs=1e-6)


@pytest.mark.parametrize("text", ["", " \n", "\x00", "\udcff", "\u200b"])
def test_zero_where_there_is_nothing_to_encode(text, static):
    assert not static.encode([text]).any()


def test_no_texts(static):
    vectors = static.encode([])
    assert vectors.shape == (0, static.dimensions)
    assert vectors.dtype == np.float32


def test_static_keeps_the_protocol(static):
    assert isinstance(static, Encoder)
    assert static.encode(["bridge"]).dtype == np.float32
    assert load_encoder("fast").name == "fast"


def test_a_static_folder_is_read_without_sentence_transformers(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    folder = shutil.copytree(FOLDER, tmp_path / "mine")
    assert is_static(folder)
    assert isinstance(load_encoder(str(folder)), StaticEncoder)


def test_the_files_may_lie_in_a_folder_of_their_own(static, tmp_path):
    folder = shutil.copytree(FOLDER, tmp_path / "mine")
    (folder / "0_Static").mkdir()
    for name in ("tokenizer.json", "model.safetensors"):
        (folder / name).rename(folder / "0_Static" / name)
    modules = json.loads((folder / "modules.json").read_text())
    modules[0]["path"] = "0_Static"
    (folder / "modules.json").write_text(json.dumps(modules))
    assert is_static(folder)
    texts = list(TEXTS.values())
    assert np.array_equal(load_encoder(str(folder)).encode(texts), static.encode(texts))


@pytest.mark.parametrize("other", ["no unit length", "another module", "tokens with blanks"])
def test_what_only_sentence_transformers_reads(other, tmp_path):
    folder = shutil.copytree(FOLDER, tmp_path / "mine")
    modules = json.loads((folder / "modules.json").read_text())
    if other == "no unit length":
        del modules[1]
    elif other == "another module":
        modules.insert(1, {"type": "sentence_transformers.models.Dense", "path": "1_Dense"})
    else:
        tokenizer = json.loads((folder / "tokenizer.json").read_text())
        tokenizer["pre_tokenizer"] = {"type": "ByteLevel"}
        (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "modules.json").write_text(json.dumps(modules))
    assert not is_static(folder)


def test_no_documents(static):
    assert static.encode_documents([]) == []


def test_a_folder_without_a_model_is_not_static(tmp_path):
    assert not is_static(tmp_path)
    (tmp_path / "modules.json").write_text("[]")
    assert not is_static(tmp_path)


@pytest.mark.parametrize("damage", ["model.safetensors", "tokenizer.json"])
def test_a_damaged_static_model(damage, tmp_path):
    folder = shutil.copytree(FOLDER, tmp_path / "mine")
    (folder / damage).write_bytes(b"\0" * 100)
    with pytest.raises(ModelError, match="cannot read the static model") as caught:
        StaticEncoder.load(folder)
    assert caught.value.place == str(folder)


def test_a_cut_off_static_model(tmp_path):
    folder = shutil.copytree(FOLDER, tmp_path / "mine")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100_000])
    with pytest.raises(ModelError, match="cannot read the static model"):
        StaticEncoder.load(folder)


# The transformer, with a model that counts what it is asked.


class CountingModel:
    """A stand-in for a `SentenceTransformer`: one axis for each first letter."""

    def __init__(self):
        self.asked = []

    device = SimpleNamespace(type="cpu")

    def get_embedding_dimension(self):
        return 4

    def encode(self, texts, **_):
        self.asked += texts
        rows = [[len(t), t.count("a"), t.count("b"), 1.0] for t in texts]
        return np.array(rows, dtype=np.float32)


class OlderModel(CountingModel):
    """The same as it was in sentence-transformers 5."""

    get_embedding_dimension = None

    def get_sentence_embedding_dimension(self):
        return 4


@pytest.mark.parametrize("kind", [CountingModel, OlderModel])
def test_transformer_dimensions(kind):
    encoder = TransformerEncoder(kind(), name="counting")
    assert encoder.dimensions == 4
    assert encoder.encode([]).shape == (0, 4)


def test_equal_texts_are_encoded_once():
    model = CountingModel()
    vectors = TransformerEncoder(model, name="counting").encode(["a", "b", "a", "a", "b"])
    assert sorted(model.asked) == ["a", "b"]
    assert np.array_equal(vectors[0], vectors[2])
    assert np.array_equal(vectors[1], vectors[4])
    assert lengths(vectors) == pytest.approx([1.0] * 5, abs=1e-6)


def test_transformer_gives_zero_for_blank_texts():
    vectors = TransformerEncoder(CountingModel(), name="counting").encode(["a", "", " \n"])
    assert vectors[0].any()
    assert not vectors[1:].any()


def test_transformer_passes_over_lone_surrogates():
    model = CountingModel()
    TransformerEncoder(model, name="counting").encode(["a \udcff"])
    assert model.asked == ["a "]


def test_weights_that_are_not_the_official_ones_are_refused(tmp_path):
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"tampered")
    with pytest.raises(ModelError, match="not the official weights") as caught:
        transformer._verify(weights)
    assert caught.value.place == str(weights)
    assert "install it anew" in caught.value.next_step


def test_tampered_weights_are_never_loaded(monkeypatch, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"tampered")
    monkeypatch.setattr(transformer, "_packaged_weights", lambda: tmp_path)
    monkeypatch.setattr(transformer, "_load", lambda _: pytest.fail("loaded"))
    with pytest.raises(ModelError, match="not the official weights"):
        load_encoder("accurate")


def test_missing_weights_give_one_clear_line(monkeypatch):
    hub = pytest.importorskip("huggingface_hub")

    def unreachable(*_, **__):
        raise OSError("offline\nand a long story")

    monkeypatch.setattr(hub, "snapshot_download", unreachable)
    monkeypatch.setattr(transformer.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ModelError) as caught:
        load_encoder("accurate")
    line = str(caught.value)
    assert "\n" not in line
    assert "all-MiniLM-L6-v2 cannot be had" in line
    assert "pip install 'article-cleaner[accurate]'" in line


def test_a_download_that_was_broken_off_is_gone_on_with(monkeypatch, tmp_path):
    hub = pytest.importorskip("huggingface_hub")
    asked = []

    def download(*_, local_files_only=False, **__):
        asked.append(local_files_only)
        return str(tmp_path)  # with no weights in it

    monkeypatch.setattr(hub, "snapshot_download", download)
    monkeypatch.setattr(transformer, "_packaged_weights", lambda: None)
    with pytest.raises(ModelError, match="the weights cannot be read"):
        load_encoder("accurate")
    assert asked == [True, False]


@pytest.mark.parametrize("missing", ["sentence_transformers", "huggingface_hub"])
def test_a_missing_library_gives_one_clear_line(missing, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.setattr(transformer, "_packaged_weights", lambda: None)
    with pytest.raises(ModelError) as caught:
        load_encoder("accurate" if missing == "huggingface_hub" else "some/model")
    assert "needs sentence-transformers" in str(caught.value)
    assert "pip install 'article-cleaner[accurate]'" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_model_gives_one_clear_line(tmp_path):
    pytest.importorskip("sentence_transformers")
    (tmp_path / "config.json").write_text("not JSON")
    with pytest.raises(ModelError, match="cannot load the encoder") as caught:
        load_encoder(str(tmp_path))
    assert "\n" not in str(caught.value)


# Several as one


class ConstantEncoder:
    """Every text that is not empty has the same vector."""

    def __init__(self, *values):
        self.name = "constant"
        self.dimensions = len(values)
        self._values = np.array(values, dtype=np.float32)

    def encode(self, texts):
        filled = np.array([[bool(text)] for text in texts]).reshape(-1, 1)
        return (filled * self._values).astype(np.float32)

    def encode_documents(self, documents):
        return [self.encode(texts) for texts in documents]


def test_joint_vectors_stand_end_to_end():
    joint = JointEncoder([ConstantEncoder(1, 0), ConstantEncoder(0, 0, 1)], name="both")
    assert joint.dimensions == 5
    assert isinstance(joint, Encoder)
    half = np.sqrt(0.5)
    assert joint.encode(["x"]) == pytest.approx(np.array([[half, 0, 0, 0, half]]))
    assert not joint.encode([""]).any()
    assert joint.encode([]).shape == (0, 5)
    assert joint.encode(["x"]).dtype == np.float32


@pytest.fixture(scope="module")
def accurate():
    pytest.importorskip("sentence_transformers")
    if transformer._packaged_weights() is None:
        pytest.skip("the weights are not installed")
    return load_encoder("accurate")


@pytest.mark.accurate
@pytest.mark.parametrize("seed", range(3))
def test_accurate_vectors_of_a_document_depend_on_it_alone(seed, accurate, monkeypatch):
    # Rounding would hide most of what the shape of a batch does to the last digits.
    monkeypatch.setattr(transformer, "_DECIMALS", 12)
    texts = [text[:200] for text in TEXTS.values()]
    random = np.random.default_rng(seed)
    documents = [
        [texts[row] for row in random.integers(0, len(texts), random.integers(1, 30))]
        for _ in range(5)
    ]
    together = accurate.encode_documents(documents)
    for document, vectors in zip(documents, together, strict=True):
        assert np.array_equal(accurate.encode(document), vectors)


@pytest.mark.accurate
def test_accurate_vectors_do_not_depend_on_the_threads(accurate, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(transformer, "_DECIMALS", 12)
    documents = [[text[:300] for text in TEXTS.values()]] * 2
    threads = torch.get_num_threads()
    found = []
    for count in (1, 2):
        torch.set_num_threads(count)
        found.append(np.concatenate(accurate.encode_documents(documents)))
    torch.set_num_threads(threads)
    assert np.array_equal(*found)


@pytest.mark.accurate
def test_the_accurate_tier_is_the_official_weights_with_the_adapter_as_peft_adds_it(accurate):
    peft = pytest.importorskip("peft")
    texts = ["The bridge is closed.", "Vaccines are safe."]
    model = transformer.official()
    plain = model.encode(texts)
    model[0].model = peft.PeftModel.from_pretrained(model[0].auto_model, transformer._ADAPTER)
    adapted = accurate.encode(texts)[:, :384] * np.sqrt(2)
    assert adapted == pytest.approx(model.encode(texts), abs=2e-3)
    assert np.linalg.norm(adapted - plain, axis=1).min() > 0.1


@pytest.mark.accurate
@pytest.mark.usefixtures("accurate")
def test_a_damaged_adapter_is_told(tmp_path, monkeypatch):
    shutil.copytree(transformer._ADAPTER, tmp_path / "adapter")
    (tmp_path / "adapter" / transformer.ADAPTER_WEIGHTS).write_bytes(b"x")
    monkeypatch.setattr(transformer, "_ADAPTER", tmp_path / "adapter")
    with pytest.raises(ModelError, match="the adapter cannot be read"):
        load_encoder("accurate")


@pytest.mark.accurate
def test_accurate_joins_both_tiers(accurate):
    fast = load_encoder("fast")
    texts = ["The bridge is closed.", "Vaccines are safe.", "The bridge is closed.", ""]
    vectors = accurate.encode(texts)
    assert vectors.shape == (4, 384 + fast.dimensions)
    assert vectors.dtype == np.float32
    assert lengths(vectors) == pytest.approx([1, 1, 1, 0], abs=1e-5)
    assert np.array_equal(vectors[0], vectors[2])
    assert vectors[:3, 384:] * np.sqrt(2) == pytest.approx(fast.encode(texts)[:3], abs=1e-5)
