"""Contributions are the detector's own, add up, and are shown as they are."""

import dataclasses
import gzip
import io
import itertools
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from detectors import signed
from hash_encoder import StandIn
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import NAMED
from rich.console import Console

from cleaner import Cleaner, Document, ModelError, cleaning
from cleaner.cli import main
from cleaner.contributions import LIKENESS, OWN, Trees, _Game, kind_of, shapley_by_kind
from cleaner.detector import Detector
from cleaner.encoders import MODELS
from cleaner.evidence import observe
from cleaner.explanation import COUNTING, KEPT, KINDS, Explanation, Pass, Term, explain
from cleaner.formats import decode
from cleaner.network import PAIR_FEATURES, Fragments, Layer, Network, TermEmbeddings
from cleaner.reasons import REASONS
from cleaner.terminal import COLOURS, Explained, show
from cleaner.words import Lexicon

TOLERANCE = 1e-6
DETECTORS = sorted(path.parent for path in MODELS.glob("*/detector/trees.npz"))


def run(*arguments, stdin=None):
    return CliRunner().invoke(main, ["explain", *map(str, arguments)], input=stdin)


EXPLAINED = Path(__file__).parent.parent / "docs" / "explain.md"
NUMBER = re.compile(r"[+−-]?\d+\.\d+")


def as_number(text):
    return float(text.replace("−", "-"))


# --- the values themselves -----------------------------------------------------------------------


def ensemble(trees):
    """Arrays as of `BoostedTrees`, from nested (feature, threshold, left, right) or leaves.

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


@settings(max_examples=150)
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
        log_odds = explanation.last.base
        for term in explanation.last.terms:
            log_odds += term.log_odds
            if term.kind != "line":  # of one piece
                pieces = sum(piece.log_odds for piece in term.pieces)
                assert term.log_odds == pytest.approx(pieces, abs=TOLERANCE)
        assert 1 / (1 + math.exp(-log_odds)) == pytest.approx(fragment.score, abs=TOLERANCE)
        assert explanation.last.probability == pytest.approx(fragment.score, abs=TOLERANCE)
    sums = [explanation.first.log_odds for explanation in found]
    np.testing.assert_allclose(sums, first_verdicts(cleaner, text), atol=TOLERANCE)
    return len(found)


def first_verdicts(cleaner, text):
    """Log-odds of the first pass, as the filter computes them."""
    encoded = cleaner._encode([cleaning._prepare(Document(text), ("en",))])
    return cleaner._detector.score(encoded)[0].prose


@pytest.mark.parametrize("name", NAMED)
def test_contributions_add_up_to_the_score_on_every_named_input(fast, name):
    add_up(fast, decode(NAMED[name]))


def test_contributions_add_up_to_the_score_on_the_seed(fast, seed):
    assert add_up(fast, seed) > 100


@pytest.mark.parametrize("folder", DETECTORS, ids=lambda path: path.parent.name)
def test_contributions_of_every_shipped_detector_add_up(folder, seed):
    cleaner = Cleaner(encoder=StandIn(folder), model=folder)
    # By these vectors an article may have no topic: it is judged all the same.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cleaner.cleaning._has_topic", lambda *_: True)
        assert add_up(cleaner, seed) > 100


def test_contributions_add_up_where_a_line_goes_whole(fast, seed):
    inspected = fast.inspect(seed)
    assert (inspected.contributions.line > 0).any()


def test_the_first_pass_speaks_of_no_suspects(fast, seed):
    inspected = fast.inspect(seed)
    for explanation in explain(inspected, fast.goes(inspected.result)):
        kinds = {term.kind for term in explanation.first.terms}
        assert not kinds & {OWN, "family", "suspects around it", "line"}
        assert all("suspected" not in term.words for term in explanation.first.terms)


def test_the_words_on_the_own_verdict_name_what_the_first_pass_rested_on(fast, seed):
    inspected = fast.inspect(seed)
    for explanation in explain(inspected, fast.goes(inspected.result)):
        side = np.sign(explanation.first.log_odds)
        strongest = max(explanation.first.terms, key=lambda term: side * term.log_odds)
        for term in explanation.last.terms:
            if term.kind == OWN:
                assert f"the first pass, above all for {strongest.kind}" in term.words


def test_what_is_raised_by_its_line_is_not_said_to_go_with_it(fast, seed):
    inspected = fast.inspect(seed)
    terms = [term for found in explain(inspected) for term in found.last.terms]
    words = {term.words for term in terms if term.kind == "line"}
    assert words == {"raised towards the score of its line as a whole"}


def test_what_decides_speaks_for_the_verdict_and_weighs_something():
    terms = {"topic": 2.0, "title": -3.0, "form": 0.09, "wording": -0.2, OWN: 9.0}
    first = Pass(-1.0, tuple(Term(kind, kind, log_odds) for kind, log_odds in terms.items()))
    last = Pass(0.0, (Term("topic", "topic again", 3.0), Term("line", "line", 0.5)))
    found = Explanation(first, last)
    assert [term.words for term in found.deciding(goes=True)] == ["topic again", "line"]
    assert [term.words for term in found.deciding(goes=False)] == ["title", "wording"]
    assert found.deciding(goes=True, most=1) == (Term("topic", "topic again", 3.0),)
    assert Explanation(Pass(0.0, ()), Pass(0.0, ())).deciding(goes=True) == ()


def test_only_what_shares_its_line_has_evidence_on_the_rest_of_it(fast, seed):
    inspected = fast.inspect(seed)
    sizes = np.exp(inspected.observed.columns["line_size"])
    alone, beside = [], []
    for size, found in zip(sizes, explain(inspected), strict=True):
        kinds = {term.kind for term in (*found.first.terms, *found.last.terms)}
        (alone if size < 1.5 else beside).append("rest of its line" in kinds)
    assert len(alone) > 100
    assert not any(alone)
    assert any(beside)


def test_how_many_of_the_closest_are_out_is_told_of_what_goes(fast, seed):
    inspected = fast.inspect(seed)
    count = len(inspected.result.fragments)
    for goes, told in (([True] * count, "5 of the 5"), ([False] * count, "0 of the 5")):
        for found in explain(inspected, goes):
            assert len(set(found.nearest)) == 5
            terms = (*found.first.terms, *found.last.terms)
            words = [term.words for term in terms if term.kind in COUNTING]
            assert words
            assert all(said.startswith(f"{told} fragments closest to it are out") for said in words)
    silent = [
        term.words
        for found in explain(inspected)
        for term in (*found.first.terms, *found.last.terms)
    ]
    assert not any("are out" in words for words in silent)


def test_another_detector_s_trees_are_refused(tmp_path, seed):
    for path in (MODELS / "fast" / "detector").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with np.load(tmp_path / "trees.npz") as arrays:
        changed = {name: arrays[name] for name in arrays}
    changed["second_baseline"] = changed["second_baseline"] + 1.0
    np.savez(tmp_path / "trees.npz", **changed)
    with pytest.raises(ModelError, match="other scores than the detector"):
        Cleaner(model=signed(tmp_path)).inspect(seed)
    (tmp_path / "trees.npz").unlink()
    with pytest.raises(ModelError, match=r"trees\.npz is missing"):
        Cleaner(model=tmp_path)


# --- a network as the first pass -----------------------------------------------------------------


def small_network(evidence, dimensions, *, width=4):
    """A network of one layer with random weights."""
    generator = np.random.default_rng(7)

    def random(*shape):
        return generator.normal(scale=0.5, size=shape).astype(np.float32)

    layer = Layer(
        query_key_value=random(width + 1, 3 * width),
        attended=random(width + 1, width),
        pair=random(PAIR_FEATURES + 1, 2),
        dense_in=random(width + 1, width),
        dense_out=random(width + 1, width),
    )
    return Network(
        phrases=TermEmbeddings(np.zeros(0, np.uint32), np.zeros((1, 2), np.float32)),
        mean=np.zeros(evidence, np.float32),
        deviation=np.ones(evidence, np.float32),
        entry=random(evidence + dimensions + 4, width),
        layers=(layer,),
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
    return Cleaner(encoder="fast", model=signed(folder))


def test_a_network_s_verdict_is_taken_apart_by_kinds_of_evidence(with_network, seed):
    assert add_up(with_network, seed) > 100
    inspected = with_network.inspect(seed)
    explanations = list(explain(inspected, with_network.goes(inspected.result)))
    assert len({found.first.base for found in explanations}) == 1
    for found in explanations:
        kinds = [term.kind for term in found.first.terms]
        assert len(kinds) == len(set(kinds))
        assert {"topic", "form", LIKENESS} <= set(kinds) <= set(KINDS)


def told_to(cleaner, text):
    """A cleaner's network, what it is told of a text, the names of that, and its verdicts."""
    documents = cleaner._encode([cleaning._prepare(Document(text), ("en",))])
    detector = cleaner._detector
    observed = observe(documents, knowledge=detector.knowledge, lexicon=Lexicon())
    own = next(iter(observed))
    told = Fragments.of(own, observed.matrix(), documents[0].title_vector)
    return detector._first, told, list(own.columns), detector._first.log_odds(told)


def test_a_network_s_verdict_is_that_of_the_network_itself(with_network, seed):
    verdicts = told_to(with_network, seed)[-1]
    np.testing.assert_allclose(first_verdicts(with_network, seed), verdicts, atol=1e-5)
    assert np.ptp(verdicts) > 0.1


def test_the_same_verdict_is_always_taken_apart_in_the_same_way(with_network, seed):
    once, again = (shapley_by_kind(*told_to(with_network, seed)) for _ in range(2))
    assert once.base == again.base
    np.testing.assert_array_equal(once.values, again.values)


def test_before_any_evidence_all_fragments_are_alike_to_a_network(fast, seed):
    network, told, names, _ = told_to(fast, seed)
    game = _Game.of(network, told, names)
    assert np.ptp(game.log_odds(frozenset())) < 1e-4
    everything = game.log_odds(frozenset(range(len(game.kinds))))
    np.testing.assert_allclose(everything, network.log_odds(told), atol=1e-5)


def test_evidence_that_a_network_does_not_use_contributes_nothing(with_network, seed):
    network, told, names, _ = told_to(with_network, seed)
    deaf = network.entry.copy()
    deaf[[at for at, name in enumerate(names) if kind_of(name) == "repetition"]] = 0.0
    network = dataclasses.replace(network, entry=deaf)
    one = shapley_by_kind(network, told, names, network.log_odds(told))
    values = dict(zip(one.kinds, one.values.T, strict=True))
    np.testing.assert_allclose(values["repetition"], 0.0, atol=1e-5)
    assert np.abs(values["topic"]).max() > 0.01


def test_the_parts_of_a_network_s_verdict_do_not_depend_much_on_the_sample(fast, seed):
    network, told, names, verdicts = told_to(fast, seed)
    found = shapley_by_kind(network, told, names, verdicts).values
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cleaner.contributions._PAIRS", 40)
        patch.setattr("cleaner.contributions._WORK", 10**9)
        closer = shapley_by_kind(network, told, names, verdicts).values
    assert np.abs(found - closer).mean() < 0.4 * np.abs(closer).mean()


def test_a_long_document_is_taken_apart_in_fewer_orders(with_network, seed, monkeypatch):
    network, told, names, verdicts = told_to(with_network, seed)
    calls = []
    monkeypatch.setattr(
        Network, "log_odds", lambda *_, of=Network.log_odds: calls.append(1) or of(*_)
    )
    shapley_by_kind(network, told, names, verdicts)
    usual = len(calls)
    monkeypatch.setattr("cleaner.contributions._WORK", 300)
    long = shapley_by_kind(network, told, names, verdicts)
    assert len(calls) - usual < usual / 3
    np.testing.assert_allclose(long.base + long.values.sum(axis=1), verdicts, atol=1e-9)


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
            assert lines[at + 1].strip().startswith("+")
            assert "before any evidence" in lines[at + 2]
            assert lines[at + 3].strip().startswith("last pass")


def test_on_a_terminal_what_goes_is_struck_through(fast, seed):
    # A console that says what it is: the environment of a test may speak for or against colour.
    screen = io.StringIO()
    console = Console(
        file=screen, force_terminal=True, color_system="standard", no_color=False, width=100
    )
    show(console, Explained.of("article.txt", fast.inspect(Document(seed)), fast), top=3)
    assert "\x1b[9;31m" in screen.getvalue()


def test_the_sums_in_the_documentation_are_those_of_the_seed(article):
    told = [
        line.strip().removesuffix(", ...")
        for line in EXPLAINED.read_text("utf-8").splitlines()
        if line.startswith(("    first pass", "    last pass"))
    ]
    assert told
    shown = [line.strip() for line in run(article).stdout.splitlines()]
    for line in told:
        words = NUMBER.sub("", line)
        alike = [other for other in shown if NUMBER.sub("", other).startswith(words)]
        figures = [[as_number(text) for text in NUMBER.findall(one)] for one in (line, *alike)]
        # Machines differ in the last digits.
        assert any(
            figures[0] == pytest.approx(own[: len(figures[0])], abs=0.05) for own in figures[1:]
        )


def test_top_shows_the_highest_and_nothing_else(article):
    lines = run(article, "--top", 9).stdout.splitlines()[1:]
    scores = [float(line[2:6]) for line in lines if line[2:6].strip()]
    assert len(scores) == 9
    assert scores == sorted(scores, reverse=True)


def test_all_explains_what_is_kept_as_well(article):
    record = json.loads(run(article, "--json", "--all").stdout)
    assert len(record["fragments"]) == record["count"]
    for fragment in record["fragments"]:
        one = fragment["last_pass"]
        log_odds = one["base"] + sum(term["log_odds"] for term in one["terms"])
        assert 1 / (1 + math.exp(-log_odds)) == pytest.approx(fragment["score"], abs=TOLERANCE)


def test_json_holds_offsets_scores_and_terms(article, seed):
    record = json.loads(run(article, "--json").stdout)
    assert (record["judged"], len(record["fragments"])) == (True, record["removed"])
    for fragment in record["fragments"]:
        assert seed[fragment["start"] : fragment["end"]] == fragment["text"]
        assert fragment["removed"]
        assert fragment["first_pass"]["terms"]
        kinds = [term["kind"] for term in fragment["last_pass"]["terms"]]
        assert "family" in kinds
        for term in (*fragment["first_pass"]["terms"], *fragment["last_pass"]["terms"]):
            assert term.get("evidence") != []  # a network's kinds, taken whole, have none


def test_what_was_not_judged_says_why():
    done = run(stdin="One line.\n")
    assert done.stdout.splitlines()[0].endswith("not judged: fewer than 5 fragments")
    record = json.loads(run("--json", stdin="One line.\n").stdout)
    assert (record["judged"], record["why"]) == (False, "fewer than 5 fragments")
    record = json.loads(run("--json", "--all", stdin="One line.\n").stdout)
    (fragment,) = record["fragments"]
    assert fragment["score"] is None
    assert "first_pass" not in fragment


def test_the_lines_of_a_header_are_shown_where_they_stand():
    shown = run(stdin="A bridge\n2022-02-15\nBy Anna Smith\nhttps://example.org/a\n").stdout
    rows = [line.strip() for line in shown.splitlines()[1:]]
    assert rows == ["A bridge", "2022-02-15", "By Anna Smith", "https://example.org/a"]


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


@pytest.mark.parametrize(
    "option", [("--not", "off-topic"), ("--only", "advert"), ("--keep", "vaccine|arm")]
)
def test_what_an_option_keeps_is_said_to_be_kept_by_it(article, option):
    shown = run(article, *option, "--top", 1).stdout.splitlines()
    assert shown[1].startswith("  1.00 ")
    assert shown[2].strip() == KEPT
    assert shown[3].strip().startswith("first pass")
    (fragment,) = json.loads(run(article, *option, "--top", 1, "--json").stdout)["fragments"]
    assert (fragment["removed"], fragment["settled"]) == (False, False)


def test_whether_a_score_or_a_pattern_decides_is_told(article):
    arguments = ("--all", "--json", "--drop", "Lavrov said")
    for fragment in json.loads(run(article, *arguments).stdout)["fragments"]:
        is_dropped = "Lavrov said" in fragment["text"]
        assert fragment["settled"] is (True if is_dropped else None)
        assert (fragment["reason"] == "pattern") is is_dropped
        assert fragment["score"] == 1.0 or not is_dropped
        assert ("last_pass" in fragment) is not is_dropped


def test_what_is_kept_and_dropped_at_once_is_kept_with_its_own_score(article):
    shown = run(article, "--drop", "Lavrov said", "--keep", "Lavrov said", "--all").stdout
    lines = shown.splitlines()
    at = next(at for at, line in enumerate(lines) if "Lavrov said" in line)
    assert "1.00" not in lines[at]
    assert lines[at + 1].strip() == KEPT
    assert lines[at + 2].strip().startswith("first pass")


def test_every_reason_has_its_colour():
    assert set(COLOURS) == set(REASONS)


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
