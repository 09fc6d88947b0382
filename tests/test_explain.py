"""Contributions are the detector's own, add up, and are shown as they are."""

import gzip
import itertools
import json
import math

import numpy as np
import pytest
from click.testing import CliRunner
from hash_encoder import HashEncoder
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import NAMED

from cleaner import Cleaner, Document, ModelError, cleaning
from cleaner.cli import main
from cleaner.contributions import Trees
from cleaner.detector import Detector
from cleaner.encoders import MODELS
from cleaner.evidence import observe_all
from cleaner.explanation import KINDS, NETWORK, OWN, explain, kind_of
from cleaner.formats import decode
from cleaner.network import PAIR_FEATURES, Fragments, Layer, Network
from cleaner.words import Lexicon

TOLERANCE = 1e-6
DETECTORS = sorted(path.parent for path in MODELS.glob("*/detector/trees.npz"))


def run(*arguments, stdin=None):
    return CliRunner().invoke(main, ["explain", *map(str, arguments)], input=stdin)


# --- the values themselves -----------------------------------------------------------------------


def ensemble(trees):
    """Arrays as `tree_arrays` makes them, from nested (feature, threshold, left, right) or leaves.

    A leaf is (value, samples); the value of an inner node is the mean over its samples.
    """
    rows, starts = [], [0]

    def add(node):
        at = len(rows) - starts[-1]
        rows.append(None)
        if len(node) == 2:
            rows[starts[-1] + at] = (-1, 0.0, 0, 0, node[0])
            return at, *node
        left, a, n = add(node[2])
        right, b, m = add(node[3])
        mean = (a * n + b * m) / (n + m)
        rows[starts[-1] + at] = (node[0], node[1], left, right, mean)
        return at, mean, n + m

    for tree in trees:
        add(tree)
        starts.append(len(rows))
    names = ("feature", "threshold", "left", "right", "value")
    columns = {name: np.array([row[i] for row in rows]) for i, name in enumerate(names)}
    return columns | {"starts": np.array(starts), "baseline": np.array([0.25])}


def expected(tree, row, known):
    """The value for `row` where only `known` is known, as Lundberg defines it."""
    if len(tree) == 2:
        return tree[0]
    feature, threshold, left, right = tree
    if feature in known:
        return expected(left if row[feature] <= threshold else right, row, known)
    a, b = samples(left), samples(right)
    return (expected(left, row, known) * a + expected(right, row, known) * b) / (a + b)


def samples(tree):
    return tree[1] if len(tree) == 2 else samples(tree[2]) + samples(tree[3])


def shapley(trees, row, count):
    """By the definition: the mean over all orders in which evidence can become known."""
    total = np.zeros(count)
    orders = list(itertools.permutations(range(count)))
    for order in orders:
        known, before = set(), sum(expected(tree, row, ()) for tree in trees)
        for feature in order:
            known.add(feature)
            after = sum(expected(tree, row, known) for tree in trees)
            total[feature] += after - before
            before = after
    return total / len(orders)


EVIDENCE = 4
LEAVES = st.tuples(st.floats(-3, 3).map(lambda x: round(x, 3)), st.integers(1, 50))
TREES = st.recursive(
    LEAVES,
    lambda inner: st.tuples(
        st.integers(0, EVIDENCE - 1), st.sampled_from((-1.0, 0.0, 1.0)), inner, inner
    ),
    max_leaves=9,
)


def is_told_apart(tree):
    """Whether the shares can be told from the mean values: never where both children have one."""
    if len(tree) == 2:
        return True
    means = [expected(child, None, ()) for child in tree[2:]]
    return abs(means[0] - means[1]) > 1e-3 and all(map(is_told_apart, tree[2:]))


@settings(max_examples=150, deadline=None)
@given(
    trees=st.lists(TREES.filter(is_told_apart), min_size=1, max_size=3),
    row=st.lists(
        st.sampled_from((-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)),
        min_size=EVIDENCE,
        max_size=EVIDENCE,
    ),
)
def test_contributions_are_shapley_values_by_their_definition(trees, row):
    found = Trees.of(ensemble(trees), EVIDENCE)
    values = found.contributions(np.array([row]))[0]
    np.testing.assert_allclose(values, shapley(trees, row, EVIDENCE), atol=1e-9)
    whole = 0.25 + sum(expected(tree, row, range(EVIDENCE)) for tree in trees)
    assert found.base + values.sum() == pytest.approx(whole, abs=1e-9)


def test_evidence_that_changes_nothing_contributes_nothing():
    trees = [(0, 0.0, (1.0, 10), (2.0, 30))]
    values = Trees.of(ensemble(trees), 2).contributions(np.array([[-1.0, 5.0], [1.0, 5.0]]))
    np.testing.assert_allclose(values, [[-0.75, 0.0], [0.25, 0.0]])


def test_a_split_between_equal_values_leaves_the_sum_as_it_is():
    trees = [(0, 0.0, (1.0, 10), (1, 0.0, (1.0, 5), (1.0, 5)))]
    found = Trees.of(ensemble(trees), 2)
    assert found.base + found.contributions(np.zeros((1, 2))).sum() == pytest.approx(1.25)


@pytest.mark.parametrize("folder", DETECTORS, ids=lambda path: path.parent.name)
def test_every_piece_of_evidence_of_the_shipped_detectors_has_a_kind(folder):
    detector = Detector.load(folder)
    for name in detector.manifest["evidence"]:
        assert kind_of(name) in KINDS
    form = [name for name in detector.manifest["evidence"] if kind_of(name) == "form"]
    # "form" is what no pattern claims: new evidence must not fall into it unseen.
    assert all("_within_" not in name and "first" not in name for name in form)
    assert len(form) == 37


# --- they add up ---------------------------------------------------------------------------------


def add_up(cleaner, text):
    inspected = cleaner.inspect(text)
    assert inspected.result == cleaner.clean_and_explain(text)
    found = list(explain(inspected, cleaner.goes(inspected.result)))
    if not inspected.result.judged:
        assert not found
        return 0
    for fragment, explanation in zip(inspected.result.fragments, found, strict=True):
        odds = explanation.last.base
        for term in explanation.last.terms:
            odds += term.log_odds
            if term.kind != "line":
                pieces = sum(piece.log_odds for piece in term.pieces)
                assert term.log_odds == pytest.approx(pieces, abs=TOLERANCE)
        assert 1 / (1 + math.exp(-odds)) == pytest.approx(fragment.score, abs=TOLERANCE)
        assert explanation.last.probability == pytest.approx(fragment.score, abs=TOLERANCE)
    return len(found)


@pytest.mark.parametrize("name", NAMED)
def test_contributions_add_up_to_the_score_on_every_named_input(fast, name):
    add_up(fast, decode(NAMED[name]))


def test_contributions_add_up_to_the_score_on_the_seed(fast, seed):
    assert add_up(fast, seed) > 100


@pytest.mark.parametrize("folder", DETECTORS, ids=lambda path: path.parent.name)
def test_contributions_of_every_shipped_detector_add_up(folder, seed):
    encoder = HashEncoder()
    encoder.dimensions = len(Detector.load(folder).knowledge.topic.mean)
    cleaner = Cleaner(encoder=encoder, model=folder)
    # By these vectors an article may have no topic: it is judged all the same.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cleaner.cleaning._has_topic", lambda _: True)
        assert add_up(cleaner, seed) > 100


def test_contributions_add_up_where_a_line_goes_whole(fast, seed):
    inspected = fast.inspect(seed)
    assert (inspected.contributions.line > 0).any()


def test_contributions_of_the_first_look_add_up_to_its_verdict(fast, seed):
    inspected = fast.inspect(seed)
    explanations = explain(inspected, fast.goes(inspected.result))
    sums = [explanation.first.log_odds for explanation in explanations]
    encoded = fast._encode([cleaning._prepare(Document(seed), ("en",))])
    odds = fast._detector.score_all(encoded)[0].first
    np.testing.assert_allclose(sums, odds, atol=1e-5)


def test_the_first_look_speaks_of_no_suspects(fast, seed):
    inspected = fast.inspect(seed)
    for explanation in explain(inspected, fast.goes(inspected.result)):
        kinds = {term.kind for term in explanation.first.terms}
        assert not kinds & {OWN, "family", "suspects around it", "line"}
        assert all("suspected" not in term.words for term in explanation.first.terms)


def test_another_detector_s_trees_are_refused(tmp_path, seed):
    for path in (MODELS / "fast" / "detector").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with np.load(tmp_path / "trees.npz") as arrays:
        changed = {name: arrays[name] for name in arrays}
    changed["second_baseline"] = changed["second_baseline"] + 1.0
    np.savez(tmp_path / "trees.npz", **changed)
    with pytest.raises(ModelError, match="other scores than the detector"):
        Cleaner(model=tmp_path).inspect(seed)
    (tmp_path / "trees.npz").unlink()
    with pytest.raises(ModelError, match=r"trees\.npz: cannot explain"):
        Cleaner(model=tmp_path).inspect(seed)


# --- a network as the first look -----------------------------------------------------------------


def small_network(evidence, dimensions, *, width=4):
    """A network of one layer with random weights."""
    generator = np.random.default_rng(7)

    def random(*shape):
        return generator.normal(scale=0.5, size=shape).astype(np.float32)

    layer = Layer(
        norm_attention=np.array([[1.0] * width, [0.0] * width], np.float32),
        query_key_value=random(width + 1, 3 * width),
        attended=random(width + 1, width),
        pair=random(PAIR_FEATURES + 1, 2),
        norm_dense=np.array([[1.0] * width, [0.0] * width], np.float32),
        dense_in=random(width + 1, width),
        dense_out=random(width + 1, width),
    )
    return Network(
        mean=np.zeros(evidence, np.float32),
        deviation=np.ones(evidence, np.float32),
        entry=random(evidence + dimensions + 2, width),
        layers=(layer,),
        norm=layer.norm_dense,
        out=random(width + 1, 1),
    )


@pytest.fixture(scope="module")
def with_network(fast, tmp_path_factory):
    """The fast tier, with a small network in place of the first trees."""
    folder = tmp_path_factory.mktemp("network")
    for path in (MODELS / "fast" / "detector").iterdir():
        if path.name not in {"first.onnx", "network.npz", "trees.npz"}:
            (folder / path.name).write_bytes(path.read_bytes())
    with np.load(MODELS / "fast" / "detector" / "trees.npz") as arrays:
        second = {name: arrays[name] for name in arrays if name.startswith("second_")}
    np.savez(folder / "trees.npz", **second)
    names = fast._detector.manifest["evidence"].index("first")
    network = small_network(names, fast._encoder.dimensions)
    np.savez(folder / "network.npz", **network.to_arrays())
    return Cleaner(encoder="fast", model=folder)


def test_a_network_s_verdict_is_one_term_and_the_last_look_adds_up(with_network, seed):
    inspected = with_network.inspect(seed)
    explanations = list(explain(inspected, with_network.goes(inspected.result)))
    assert inspected.contributions.first is None
    scored = zip(explanations, inspected.result.fragments, strict=True)
    for found, fragment in scored:
        assert found.last.probability == pytest.approx(fragment.score, abs=TOLERANCE)
        (term,) = found.first.terms
        assert (term.kind, found.first.base, term.pieces) == (NETWORK, 0.0, ())
        assert f"suspects it with p = {found.first.probability:.2f}" in term.words


def test_a_network_s_verdict_is_that_of_the_network_itself(with_network, seed):
    task = cleaning._prepare(Document(seed), ("en",))
    documents = with_network._encode([task])
    detector = with_network._detector
    observed = observe_all(documents, knowledge=detector.knowledge, lexicon=Lexicon())
    evidence = observed.matrix()
    own = Fragments.of(next(iter(observed)), evidence, documents[0].title_vector)
    verdicts = with_network.inspect(seed).contributions.network
    np.testing.assert_allclose(verdicts, detector._first.odds(own), atol=1e-5)
    assert np.ptp(verdicts) > 0.1


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def article(tmp_path, seed):
    path = tmp_path / "article.txt"
    path.write_text(seed, encoding="utf-8", newline="")
    return path


def test_piped_it_is_plain_and_marks_what_goes(article, seed, intruders):
    done = run(article)
    assert done.exit_code == 0
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    gone = [line.split("] ", 1)[1] for line in lines if line.startswith("- ")]
    assert "".join(gone).replace(" ", "") == "".join(intruders).replace(" ", "")
    shown = [line[7:] for line in lines[1:] if line[2:6].strip() and line[0] == " "]
    assert all(text in seed for text in shown)


def test_each_removed_fragment_has_its_evidence_in_words_and_figures(article):
    lines = run(article).stdout.splitlines()
    for at, line in enumerate(lines):
        if line.startswith("- "):
            assert "log-likelihood ratio" in lines[at + 1]
            assert "before any evidence" in lines[at + 2]
            assert lines[at + 3].strip().startswith("last look")


def test_on_a_terminal_what_goes_is_struck_through(article, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    shown = run(article, "--top", 3).stdout
    assert "\x1b[9;31m" in shown


def test_top_shows_the_highest_and_nothing_else(article):
    lines = run(article, "--top", 9).stdout.splitlines()[1:]
    scores = [float(line[2:6]) for line in lines if line[2:6].strip()]
    assert len(scores) == 9
    assert scores == sorted(scores, reverse=True)


def test_all_explains_what_is_kept_as_well(article):
    record = json.loads(run(article, "--json", "--all").stdout)
    assert len(record["fragments"]) == record["count"]
    for fragment in record["fragments"]:
        look = fragment["last_look"]
        odds = look["base"] + sum(term["log_odds"] for term in look["terms"])
        assert 1 / (1 + math.exp(-odds)) == pytest.approx(fragment["score"], abs=TOLERANCE)


def test_json_holds_offsets_scores_and_terms(article, seed):
    record = json.loads(run(article, "--json").stdout)
    assert (record["judged"], len(record["fragments"])) == (True, record["removed"])
    for fragment in record["fragments"]:
        assert seed[fragment["start"] : fragment["end"]] == fragment["text"]
        assert fragment["removed"]
        assert fragment["first_look"]["terms"]
        kinds = [term["kind"] for term in fragment["last_look"]["terms"]]
        assert "family" in kinds


def test_what_was_not_judged_says_why():
    done = run(stdin="One line.\n")
    assert done.stdout.splitlines()[0].endswith("not judged: fewer than 5 fragments")
    record = json.loads(run("--json", stdin="One line.\n").stdout)
    assert (record["judged"], record["why"]) == (False, "fewer than 5 fragments")


def test_jsonl_gives_one_explanation_a_record(tmp_path, seed):
    path = tmp_path / "two.jsonl"
    records = [{"id": "a", "text": seed}, {"id": "b", "text": "One line."}]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    found = [json.loads(line) for line in run("--json", path).stdout.splitlines()]
    assert [(record["document"], record["judged"]) for record in found] == [
        ("a", True), ("b", False),
    ]  # fmt: skip


def test_a_pattern_needs_no_evidence(article):
    shown = run(article, "--drop", "Lavrov said").stdout
    assert "[pattern]" in shown
    assert "it matches a pattern to drop" in shown


def test_nothing_in_a_text_steers_the_terminal(tmp_path, seed):
    path = tmp_path / "hostile.txt"
    path.write_text(seed.replace("vaccine", "vac\x1b[2Jcine\u202e"), encoding="utf-8")
    shown = run(path, "--all").stdout
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert r"vac\x1b[2Jcine\u202e" in shown


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("missing.txt",), 1, "missing.txt: no such file"),
        (("--top", "3", "--all"), 2, "--top and --all do not go together"),
        (("--top", "0"), 2, "Invalid value for '--top'"),
        (("--threshold", "7"), 2, "the threshold is 7"),
    ],
)
def test_mistakes_are_told(arguments, status, message):
    done = run(*arguments, stdin="")
    assert (done.exit_code, done.stdout) == (status, "")
    assert message in done.stderr


def test_a_title_is_of_one_text_document(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "One line."}\n', encoding="utf-8")
    done = run("--title", "T", path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--title and anything but one text document" in done.stderr


def test_a_bad_record_is_left_out_if_asked(tmp_path, seed):
    path = tmp_path / "bad.jsonl"
    path.write_text("{nonsense\n" + json.dumps({"text": seed}) + "\n")
    assert "bad.jsonl:1: not valid JSON" in run(path).stderr
    done = run("--json", "--on-error", "skip", path)
    assert len(done.stdout.splitlines()) == 1
    assert "bad.jsonl:1: left out: not valid JSON" in done.stderr


def test_every_format_that_the_filter_reads_is_explained(tmp_path, seed):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(seed.encode()))
    (tmp_path / "b.jsonl").write_text(json.dumps({"text": seed}) + "\n")
    parquet.write_table(pa.table({"text": [seed]}), tmp_path / "c.parquet")
    by_folder = run("--json", tmp_path)
    assert by_folder.exit_code == 0
    found = [json.loads(line) for line in by_folder.stdout.splitlines()]
    assert len(found) == 3
    assert run("--json", tmp_path / "*").stdout == by_folder.stdout
    first, *others = [one["fragments"] for one in found]
    assert first
    assert all(other == first for other in others)
