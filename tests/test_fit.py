"""Fitting a detector with its networks: a few documents through every step, saved and loaded."""

import gzip
import hashlib
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import click
import numpy as np
import onnxruntime
import pytest
from click.testing import CliRunner
from hash_encoder import HashEncoder

pytest.importorskip("sklearn")
pytest.importorskip("onnx")
pytest.importorskip("torch")

from cleaner.detector import Detector
from cleaner.encoders import MODELS, detector_folder, transformer
from cleaner.encoders.joint import JointEncoder
from cleaner.encoders.transformer import TransformerEncoder
from cleaner.errors import ModelError
from cleaner.evaluation import compose
from cleaner.evidence import Encoded
from cleaner.training import adapt, adapter, teach
from cleaner.training.corpora import host_of
from cleaner.training.datasets import ALL, hosts
from cleaner.training.detector import doubted, fit, save
from cleaner.training.examples import FOLDS, MADE, prepare
from cleaner.training.fit import main
from cleaner.training.knowledge import fit_topic, inverse_document_frequency, observe_apart
from cleaner.training.lessons import Lessons, Steps, fit_networks
from cleaner.training.made import digests, intruders
from cleaner.training.member import _kept, fit_member
from cleaner.training.member import save as save_member
from cleaner.training.trees import BoostedTrees, to_onnx

LABELLED = Path(__file__).parent.parent / "fixtures" / "labelled"
STEPS = Steps(foreign=(2, 3), furniture=(2, 3))


def records(name):
    with gzip.open(LABELLED / f"{name}.jsonl.gz", "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


@pytest.fixture(scope="module")
def encoder():
    return HashEncoder()


@pytest.fixture(scope="module")
def articles():
    return hosts(r for r in records("wikipedia_clean") if r["source"] == "wikipedia/en")


@pytest.fixture(scope="module")
def examples(articles, encoder):
    pages = [compose(r, site=r["id"], source="page") for r in records("wcxb_page")[:8]]
    made = intruders([articles], 1)
    return prepare([*pages, *made, *digests([articles], 3)], encoder)


@pytest.fixture(scope="module")
def fitted(examples, articles, encoder):
    topic = fit_topic([a.sentences for a in articles], encoder, axes=8)
    frequency = inverse_document_frequency([a.sentences for a in articles])
    lots = ([example] for example in examples[-8:])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cleaner.training.network._FEWEST", 3)  # documents a known term stands in
        return fit(
            examples,
            topic,
            frequency,
            trees=(3, 4),
            steps=STEPS,
            foreign=lots,
            furnished=[examples[:4]],
            say=lambda _: None,
        )


def test_every_fragment_has_a_score_from_models_that_did_not_see_its_site(fitted, examples):
    assert [len(scores) for scores in fitted.scores] == [len(e.labels) for e in examples]
    assert all(((scores > 0) & (scores < 1)).all() for scores in fitted.scores)


def test_only_the_network_for_furniture_learns_words(fitted):
    assert not len(fitted.first.phrases.known)
    assert len(fitted.furniture.phrases.known)


def test_the_trees_see_both_networks(fitted):
    assert {"first", "furniture", "furniture_document"} <= set(fitted.names)


@pytest.mark.parametrize("log_odds", [3.0, -3.0])
def test_furniture_in_a_clean_article_counts_for_less(log_odds, examples):
    """Nobody has said of it that it belongs: the labels there tell intruders from prose."""
    sizes = [len(example.labels) for example in examples]
    found = doubted(np.ones(sum(sizes)), examples, np.full(sum(sizes), log_odds))
    for example, weights in zip(examples, np.split(found, np.cumsum(sizes)[:-1]), strict=True):
        said = (example.labels == 1) | (example.document.source == "page") | (log_odds < 0)
        assert (weights[said] == 1).all()
        assert (weights[~said] < 1).all()


def test_of_sure_furniture_in_a_clean_article_nothing_is_said(fitted, examples):
    learned = Lessons.of(examples, observe_apart(examples, [fitted.knowledge] * FOLDS))
    learned.leave_unsaid([np.resize([3.0, 0.0], len(e.labels)) for e in examples])
    for example, lesson in zip(examples, learned.lessons, strict=True):
        sure = np.arange(len(example.labels)) % 2 == 0
        unsaid = sure & (example.labels == 0) & (example.document.source in MADE)
        assert lesson.labels.tolist() == np.where(unsaid, -1, example.labels).tolist()


def test_a_network_of_an_earlier_fit_is_kept_beside_those_of_the_folds(fitted, examples):
    own = Lessons.of(examples, observe_apart(examples, [fitted.knowledge] * FOLDS))
    nothing = np.zeros(0, dtype=np.uint32)
    kept, log_odds = fit_networks(own, own, nothing, (1, 1), print, 1, fitted.first)
    assert kept is fitted.first
    other, alike = fit_networks(own, own, nothing, (1, 1), print, 1)
    assert other is not fitted.first
    np.testing.assert_array_equal(log_odds, alike)


@pytest.mark.parametrize("content", [b"", b"words", "words", "furniture"])
def test_what_is_no_network_for_foreign_prose_is_not_kept(content, fitted, tmp_path):
    path = tmp_path / "network.npz"
    if content == "words":
        np.savez(path, words=np.zeros(3))
    elif content == "furniture":
        np.savez(path, **fitted.furniture.to_arrays())
    else:
        path.write_bytes(content)
    told = ["--data", tmp_path, "-o", tmp_path / "out", "--foreign-network", path]
    result = CliRunner().invoke(main, list(map(str, told)))
    assert result.exit_code == 2
    assert str(path) in result.output.replace("\n", "")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder of data: articles of Wikipedia, as news and as others, and pages with menus."""
    clean = Path("fixtures/labelled/wikipedia_clean.jsonl.gz")
    records = map(json.loads, gzip.decompress(clean.read_bytes()).splitlines())
    rows = [record for record in records if record["id"].startswith("en")]
    articles = [
        {"id": f"a{n}", "source": f"s{n}.org", "title": row["title"], "lines": row["lines"]}
        for n, row in enumerate(rows)
    ]
    menu = ["Home", "News", "Sign in", "Subscribe to our newsletter"]
    page = {"lines": menu + rows[0]["lines"], "labels": [1] * 4 + [0] * len(rows[0]["lines"])}
    pages = [{**page, "id": f"p{n}", "url": f"https://www.site{n}.com/"} for n in range(12)]
    files = {"news_clean": articles, "articles_unlabelled": articles, "pages_wcxb": pages}
    folder = tmp_path_factory.mktemp("data")
    for name in (*ALL.labelled, *files):
        with gzip.open(folder / f"{name}.jsonl.gz", "wt", encoding="utf-8") as out:
            out.writelines(json.dumps(record) + "\n" for record in files.get(name, []))
    return folder


def test_only_the_network_for_furniture_is_taught(data, tmp_path):
    folder = detector_folder("fast")
    told = ["--data", data, "-o", tmp_path / "once", "--steps", 3]
    done = CliRunner().invoke(teach.main, list(map(str, told)))
    assert done.exit_code == 0, done.output
    again = [
        "--data",
        data,
        "--detector",
        tmp_path / "once",
        "-o",
        tmp_path / "twice",
        "--steps",
        3,
    ]
    assert CliRunner().invoke(teach.main, list(map(str, again))).exit_code == 0
    taught, twice = Detector.load(tmp_path / "once"), Detector.load(tmp_path / "twice")
    changed = {
        name
        for name, checksum in Detector.load(folder).manifest["sha256"].items()
        if taught.manifest["sha256"][name] != checksum
    }
    assert changed == {"furniture.npz"}
    assert [lesson["steps"] for lesson in twice.manifest["taught"]][-2:] == [3, 3]


def test_who_has_no_pages_to_learn_from_is_told(data, tmp_path):
    own = tmp_path / "data"
    shutil.copytree(data, own)
    with gzip.open(own / "pages_wcxb.jsonl.gz", "wt"):
        pass
    done = CliRunner().invoke(teach.main, ["--data", str(own), "-o", str(tmp_path / "out")])
    assert done.exit_code == 1
    assert "nothing to learn from" in done.output
    assert not (tmp_path / "out").exists()


def test_what_was_saved_is_what_is_loaded(fitted, examples, encoder, tmp_path):
    save(fitted, tmp_path, {"encoder": "hash"}, threshold=0.8, encoder=encoder)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert sorted(manifest["sha256"]) == [
        "furniture.npz", "knowledge.npz", "network.npz", "probe.npy", "second.onnx",
        "trees.npz",
    ]  # fmt: skip
    detector = Detector.load(tmp_path)
    example = examples[0]
    encoded = example.encoded
    (scored,) = detector.score([encoded])
    np.testing.assert_array_equal(scored.first, detector.score([encoded] * 2)[1].first)
    parts = detector.contributions(scored, example.segments)
    log_odds = parts.base + parts.last.sum(axis=1) + parts.line
    np.testing.assert_allclose(1 / (1 + np.exp(-log_odds)), scored.scores, atol=1e-6)


@pytest.fixture(scope="module")
def both(fitted, articles, encoder, tmp_path_factory):
    """A detector, and the same with a member beside it that reads words turned round."""
    folder = tmp_path_factory.mktemp("detectors")
    told = {"encoder": "hash", "licence": "none", "origins": []}
    save(fitted, folder / "own", told, threshold=0.8, encoder=encoder)
    own = Detector.load(folder / "own")
    sizes = {"mixtures": 1, "steps": 3, "axes": 8}
    member = fit_member(articles, TurnedEncoder(), own, **sizes, say=lambda _: None)
    joint = JointEncoder([TurnedEncoder(), encoder], name="both")
    save_member(member, own, folder / "both", encoder=joint, made={})
    return own, Detector.load(folder / "both")


class TurnedEncoder(HashEncoder):
    """Another encoder, whose vectors are shorter."""

    dimensions = 64

    def encode(self, texts):
        return super().encode([text[::-1] for text in texts])


class RetrainedEncoder(HashEncoder):
    """Of the same name and dimensions, with other vectors."""

    def encode(self, texts):
        return super().encode(texts)[:, ::-1]


def test_an_encoder_that_is_not_what_it_was_is_refused(both, encoder):
    own, with_member = both
    own.check(encoder)
    with_member.check(JointEncoder([TurnedEncoder(), encoder], name="both"))
    with pytest.raises(ModelError, match=r"'hash' gives other vectors .* fit the detector again"):
        own.check(RetrainedEncoder())
    with pytest.raises(ModelError, match="gives other vectors"):
        with_member.check(JointEncoder([TurnedEncoder(), RetrainedEncoder()], name="both"))
    with pytest.raises(
        ModelError, match="for vectors of 256 dimensions, the encoder 'hash' gives 64"
    ):
        own.check(TurnedEncoder())


def encoded(example, encoder):
    texts = [*example.segments.texts, example.document.title or ""]
    vectors = encoder.encode(texts)
    title = vectors[-1] if texts[-1] else None
    return Encoded(example.segments, vectors[:-1], texts[-1], title)


def test_a_kept_member_is_refused_beside_another_network(both):
    own, with_member = both
    member, made = _kept(with_member.folder, own)
    assert made == {}
    np.testing.assert_array_equal(member.network.entry, with_member._member.network.entry)
    manifest = json.loads((with_member.folder / "manifest.json").read_text())
    other = SimpleNamespace(manifest={"sha256": {**manifest["sha256"], "network.npz": "0"}})
    with pytest.raises(click.BadParameter, match=r"network\.npz .* fit a new one"):
        _kept(with_member.folder, other)
    with pytest.raises(click.BadParameter, match="no accurate detector"):
        _kept(own.folder, own)


def test_a_member_draws_scores_to_what_both_networks_say(both, examples, encoder):
    own, with_member = both
    joint = JointEncoder([TurnedEncoder(), encoder], name="both")
    assert with_member.dimensions == joint.dimensions == own.dimensions + 64
    changed = 0
    for example in examples:
        alone = own.score([encoded(example, encoder)])[0]
        scored = with_member.score([encoded(example, joint)])[0]
        np.testing.assert_allclose(scored.first, alone.first, atol=2e-6)
        low, high = np.sort([scored.first, scored.member.log_odds], axis=0)
        assert ((low <= scored.prose) & (scored.prose <= high)).all()
        changed += int((np.abs(scored.scores - alone.scores) > 1e-3).sum())
    assert changed


def test_what_trees_say_of_prose_is_heard_in_part_beside_a_member(both, examples, encoder):
    own, with_member = both
    joint = JointEncoder([TurnedEncoder(), encoder], name="both")
    for detector, read in ((own, encoder), (with_member, joint)):
        scored = detector.score([encoded(examples[-1], read)])[0]
        trees = np.zeros(len(scored.first))
        step = 1 / detector.calibration.slope
        reach = detector.log_odds(trees + step, scored) - detector.log_odds(trees, scored)
        assert ((reach > -1e-9) & (reach < 1 + 1e-9)).all()
        assert (reach.min() > 0.99) == (detector is own)


def test_a_detector_without_its_member_is_refused(both, tmp_path):
    folder = tmp_path / "detector"
    shutil.copytree(both[1].folder, folder)
    (folder / "member.npz").unlink()
    with pytest.raises(ModelError, match=r"member\.npz is missing"):
        Detector.load(folder)


def test_the_accurate_tier_is_the_fast_one_and_a_member():
    fast, accurate = (
        json.loads((detector_folder(name) / "manifest.json").read_text("utf-8"))
        for name in ("fast", "accurate")
    )
    own = accurate["sha256"].items() - fast["sha256"].items()
    assert {name for name, _ in own} == {"member.npz", "probe.npy"}
    for name, digest in accurate["sha256"].items():
        data = (detector_folder("accurate") / name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == digest
    assert accurate["calibration"] == fast["calibration"]


def test_the_adapter_is_the_one_that_its_manifest_tells_of():
    folder = MODELS / "accurate" / "encoder"
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert set(manifest["sha256"]) == {"adapter_config.json", "adapter_model.safetensors"}
    for name, digest in manifest["sha256"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


@pytest.mark.accurate
def test_an_adapter_learns_which_sentences_share_an_article(tmp_path, monkeypatch):
    pytest.importorskip("peft")
    if transformer._packaged_weights() is None:
        pytest.skip("the weights are not installed")
    subjects = ("harbour", "orchestra", "vaccine", "election", "glacier", "railway")
    hosts = [
        host_of(
            subject, "", "", [f"What was said about the {subject}, part {n}." for n in range(9)]
        )
        for subject in subjects
    ]
    articles = adapter.learnable(hosts)
    assert [article.identity for article in articles] == list(subjects)
    adapted = adapter.train(transformer.official(), articles, rounds=2, batch=3, rate=1e-3)
    adapter.save(adapted, tmp_path / "encoder", {"articles": len(articles)})
    plain = TransformerEncoder(transformer.official(), name="plain")
    monkeypatch.setattr(transformer, "_ADAPTER", tmp_path / "encoder")
    texts = [sentence for article in articles for sentence in article.sentences]
    mine, theirs = (encoder.encode(texts) for encoder in (TransformerEncoder.accurate(), plain))
    own = np.repeat(range(len(articles)), 9)
    same = own[:, None] == own[None, :]
    told = [(v @ v.T)[same].mean() - (v @ v.T)[~same].mean() for v in (mine, theirs)]
    assert told[0] > told[1] + 0.01


def test_what_a_member_adds_is_explained(both, examples, encoder):
    _, detector = both
    joint = JointEncoder([TurnedEncoder(), encoder], name="both")
    example = examples[-1]
    scored = detector.score([encoded(example, joint)])[0]
    parts = detector.contributions(scored, example.segments)
    log_odds = parts.base + parts.last.sum(axis=1) + parts.line
    np.testing.assert_allclose(1 / (1 + np.exp(-log_odds)), scored.scores, atol=1e-6)
    look = parts.first.base + parts.first.values.sum(axis=1)
    np.testing.assert_allclose(look, scored.prose, atol=1e-6)


def test_boosted_trees_say_the_same_fitted_and_written():
    generator = np.random.default_rng(3)
    matrix = np.stack([generator.normal(size=3_000), generator.integers(0, 4, 3_000)], axis=1)
    labels = (matrix[:, 0] + matrix[:, 1] > 2).astype(np.int64)
    trees = BoostedTrees.fit(matrix, labels, generator.random(3_000), trees=20)
    log_odds = trees.log_odds(matrix)
    assert ((log_odds > 0) == (labels == 1)).mean() > 0.98
    arrays = trees.arrays()
    np.testing.assert_allclose(adapt.predict(arrays, matrix), log_odds, atol=1e-9)
    session = onnxruntime.InferenceSession(to_onnx(arrays, 2))
    (written,) = session.run(None, {"evidence": matrix})
    np.testing.assert_allclose(written.ravel(), log_odds, atol=1e-5)
