"""Fit topic model, wording model, detector and calibration for an encoder.

Every step that learns from labels is fitted on some sites and applied to others, so that what the
next step sees is what it will meet on sites never seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression

from cleaner.cleaning import ENCODED
from cleaner.detector import (
    FORMAT,
    FURNITURE,
    MEMBER,
    NETWORK,
    capped,
)
from cleaner.encoders.probe import PROBE, write_probe
from cleaner.evaluation import Figures, figures
from cleaner.evidence import Knowledge, Observed, observe, review
from cleaner.network import Fragments, Network
from cleaner.scores import Calibration, network_weight, of_one_piece, sigmoid
from cleaner.segment import Segments, in_small_letters, segment
from cleaner.sites import fold_of
from cleaner.training.folder import checksums, write_manifest
from cleaner.training.forked import side_by_side
from cleaner.training.trees import Arrays, BoostedTrees, to_onnx
from cleaner.words import BUCKETS, CONTENT, Lexicon

if TYPE_CHECKING:
    from cleaner.encoders import Encoder, Vectors
    from cleaner.evaluation import Labelled
    from cleaner.topic import Floats, TopicModel
    from cleaner.training.network import Lesson

FOLDS = 3
FEWEST_FRAGMENTS = 5
NO_FURNITURE = ("intruders", "headlines", "digest")  # sources whose fragments to remove are prose
MADE = (*NO_FURNITURE, "furniture")  # sources of the documents that are made of clean articles
_SEEN = 3  # fragments in which a term must stand to be learned from
_SURE = 1.0  # log-odds of furniture from which its network is not told that it is an article's
_DOUBTFUL = -1.0  # log-odds of furniture from which it is in doubt that a fragment is an article's
_DOUBTED = 0.2  # what such a fragment of a clean article counts
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled document, cut and encoded."""

    document: Labelled
    segments: Segments
    vectors: Vectors
    title: Vectors | None
    labels: Labels
    fold: int


def prepare(
    documents: Sequence[Labelled], encoder: Encoder, *, language: str = "en"
) -> list[Example]:
    """Cut and encode documents; those with fewer than five fragments are left out."""
    examples = []
    for document in documents:
        segments = in_small_letters(segment(document.text, language=language))
        if len(segments) < FEWEST_FRAGMENTS:
            continue
        texts = [text[:ENCODED] for text in segments.texts]
        title = document.title or ""
        vectors = encoder.encode([*texts, title[:ENCODED]])
        starts = np.array([span.start for span in document.spans])
        owner = np.searchsorted(starts, segments.starts, side="right") - 1
        examples.append(
            Example(
                document,
                segments,
                vectors[:-1],
                vectors[-1] if title.strip() else None,
                np.array(document.labels)[owner],
                fold_of(document.site, FOLDS),
            )
        )
    return examples


def inverse_frequency(texts: Sequence[Sequence[str]]) -> npt.NDArray[np.float32]:
    """Inverse document frequency of hashed words; `texts` holds one list a document."""
    lexicon = Lexicon()
    counts = np.zeros(BUCKETS)
    for document in texts:
        found = lexicon.words(document)
        keys = np.unique(found.keys[(found.flags & CONTENT) > 0] % BUCKETS)
        counts[keys.astype(np.int64)] += 1
    return np.log((len(texts) + 1) / (counts + 1)).astype(np.float32)


def terms_matrix(texts: Sequence[str], lexicon: Lexicon) -> sparse.csr_matrix:
    """Hashed terms of `texts`, scaled as `cleaner.evidence` scales them."""
    found = lexicon.words(texts)
    buckets, owner = found.terms().buckets()
    scale = 1 / np.sqrt(2 * found.counts + 1)
    return sparse.csr_matrix((scale[owner], (owner, buckets)), shape=(len(texts), BUCKETS))


def fit_wording(
    examples: Sequence[Example],
) -> tuple[npt.NDArray[np.float32], float, npt.NDArray[np.float32]]:
    """Two linear models of furniture's wording: on hashed terms, and on the vector.

    Intruding sentences of other articles are no furniture: only labelled scrapes teach wording.
    """
    texts: list[str] = []
    labels: list[int] = []
    vectors: list[Vectors] = []
    for example in examples:
        if example.document.source in NO_FURNITURE:
            continue
        use = np.flatnonzero(example.labels >= 0)
        own = example.segments.texts
        texts += [own[i] for i in use]
        labels += example.labels[use].tolist()
        vectors.append(example.vectors[use])
    if len(set(labels)) < 2:  # noqa: PLR2004  # nothing to tell apart: no wording says anything
        width = examples[0].vectors.shape[1] + 1 if examples else 1
        return np.zeros(BUCKETS, np.float32), 0.0, np.zeros(width, np.float32)
    matrix = terms_matrix(texts, Lexicon())
    # A term seen once or twice says more of its page than of furniture.
    matrix = matrix @ sparse.diags((matrix.getnnz(axis=0) >= _SEEN).astype(np.float64))
    terms = LogisticRegression(C=2.0, max_iter=300).fit(matrix, labels)
    stacked = np.concatenate(vectors)
    dense = LogisticRegression(C=1.0, max_iter=1000).fit(stacked, labels)
    return (
        terms.coef_[0].astype(np.float32),
        float(terms.intercept_[0]),
        np.append(dense.coef_[0], dense.intercept_).astype(np.float32),
    )


def boost(
    matrix: npt.NDArray[np.floating], labels: Labels, weights: Floats, *, trees: int
) -> BoostedTrees:
    """Gradient-boosted trees on the rows with a label."""
    use = labels >= 0
    return BoostedTrees.fit(matrix[use], labels[use], weights[use], trees=trees)


@dataclass(frozen=True, slots=True)
class Steps:
    """Batches that the networks learn from: those of the folds, and the one that is kept."""

    foreign: tuple[int, int]
    furniture: tuple[int, int]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What a detector that did not see a document's site says of its fragments, shape (n,) each.

    Attributes
    ----------
    scores
        The scores, 0 to 1.
    trees
        Log-odds of the second pass's trees, before calibration.
    first, furniture
        Log-odds of the first pass, and of the network for furniture; None without that.
    """

    scores: Floats
    trees: Floats
    first: Floats
    furniture: Floats | None


@dataclass(frozen=True, slots=True)
class Fitted:
    """A detector as fitted, and what it says of documents of sites it did not see."""

    knowledge: Knowledge
    first: Any  # a Network, or trees
    furniture: Network | None
    second: Any
    calibration: Calibration
    names: tuple[str, ...]
    held_out: list[HeldOut]

    @property
    def scores(self) -> list[Floats]:
        """Scores of the fragments of each document, by a detector that did not see its site."""
        return [found.scores for found in self.held_out]


def fit(  # noqa: PLR0913  # what is learned from, and how long each part learns
    examples: Sequence[Example],
    topic: TopicModel,
    frequency: npt.NDArray[np.float32],
    *,
    trees: tuple[int, int] = (120, 200),
    steps: Steps | None = None,
    jobs: int = 1,
    rarity: float = 0.0,
    lone: float = 0.0,
    foreign: Iterable[Sequence[Example]] = (),
    furnished: Iterable[Sequence[Example]] = (),
    kept: Network | None = None,
    shown: Callable[[Observed], Observed] | None = None,
    say: Any = print,
) -> Fitted:
    """Fit both passes, wording and calibration, each on sites apart from those it is applied to.

    Parameters
    ----------
    trees
        Trees of the first pass, where it is no network, and of the second.
    steps
        How long the networks learn; None: the first pass is trees, and no network knows furniture.
    jobs
        Networks, or lots of trees, that are fitted at a time; more than one only where processes
        can be forked.
    rarity, lone
        See `cleaner.scores.Calibration`.
    foreign, furnished
        Examples for the networks alone, which take more of them than trees do: articles with
        sentences of others put in, and with furniture. They are taken one lot at a time.
    kept
        A network for foreign prose of an earlier fit, to be the detector's; those of the folds are
        fitted all the same. None: one is fitted. Without `steps` there is none.
    shown
        What of the evidence of either pass is shown; None: all of it.
    """
    knowledge = Knowledge(topic, frequency, *fit_wording(examples))
    apart = _knowledge_apart(examples, topic, frequency)
    observed = observe_apart(examples, apart, shown)
    say("evidence")
    labels = np.concatenate([example.labels for example in examples])
    sizes = [len(example.labels) for example in examples]
    row_fold = np.repeat([example.fold for example in examples], sizes)
    weights = _weights(examples)
    ends = np.cumsum(sizes)[:-1]
    furniture: Network | None = None
    furniture_parts: list[Any] = [None] * len(examples)
    first: Any
    if steps:
        own = _Lessons.of(examples, observed)
        # Held by nobody here: gigabytes, of which there is no room for both at once.
        first, first_apart = _fit_first(
            own, _Lessons.of_lots(foreign, apart, shown), steps, say, jobs, kept
        )
        furniture, found = _fit_furniture(
            own, _Lessons.of_lots(furnished, apart, shown), steps, say, jobs
        )
        segments = [example.segments for example in examples]
        furniture_parts = np.split(capped(found, segments), ends)
        weights = doubted(weights, examples, found)
        del own
    else:
        matrix = np.concatenate([o.matrix() for o in observed]).astype(np.float32)
        first, first_apart = _fit_trees(
            matrix, labels, weights, row_fold, trees=trees[0], jobs=jobs
        )
        del matrix
    say("first pass")
    verdicts = np.split(sigmoid(first_apart), ends)
    reviewed = [
        review(o, p, f, knowledge=knowledge)
        for o, p, f in zip(observed, verdicts, furniture_parts, strict=True)
    ]
    if shown is not None:
        reviewed = [shown(own) for own in reviewed]
    names = tuple(reviewed[0].columns)
    matrix = np.concatenate([o.matrix() for o in reviewed]).astype(np.float32)
    del reviewed
    second, second_apart = _fit_trees(matrix, labels, weights, row_fold, trees=trees[1], jobs=jobs)
    say("second pass")
    use = labels >= 0
    platt = LogisticRegression(C=1e3).fit(
        second_apart[use][:, None], labels[use], sample_weight=weights[use]
    )
    slope, intercept = float(platt.coef_[0, 0]), float(platt.intercept_[0])
    calibration = Calibration(slope, intercept, rarity, lone)
    parts = zip(
        examples,
        np.split(second_apart, ends),
        np.split(first_apart, ends),
        furniture_parts,
        strict=True,
    )
    held_out = [
        _held_out(example, calibration, *log_odds, networks=steps is not None)
        for example, *log_odds in parts
    ]
    return Fitted(knowledge, first, furniture, second, calibration, names, held_out)


def _held_out(
    example: Example,
    calibration: Calibration,
    trees: Floats,
    first: Floats,
    furniture: Floats | None,
    *,
    networks: bool,
) -> HeldOut:
    """Scores of a document as the detector gives them, and what they come from."""
    log_odds = calibration.log_odds(trees)
    if networks:
        weight = network_weight(log_odds, first, example.segments.lines)
        log_odds = calibration.decided(log_odds, first, furniture, weight=weight)
    return HeldOut(of_one_piece(sigmoid(log_odds), example.segments), trees, first, furniture)


@dataclass(slots=True)
class _Lessons:
    """What networks learn from: lessons, the fold of each, and the kind of document it is."""

    lessons: list[Lesson]
    folds: list[int]
    sources: list[str]

    @classmethod
    def of(cls, examples: Sequence[Example], observed: Sequence[Observed]) -> Self:
        lessons = lessons_of(examples, observed)
        return cls(lessons, [e.fold for e in examples], [e.document.source for e in examples])

    @classmethod
    def of_lots(
        cls,
        lots: Iterable[Sequence[Example]],
        apart: Sequence[Knowledge],
        shown: Callable[[Observed], Observed] | None,
    ) -> Self:
        """Of lots of examples, of which no more than one is held at a time."""
        found = cls([], [], [])
        for examples in lots:
            found.extend(cls.of(examples, observe_apart(examples, apart, shown)))
        return found

    def extend(self, other: _Lessons) -> None:
        """Take in those of `other` as well."""
        self.lessons += other.lessons
        self.folds += other.folds
        self.sources += other.sources

    def leave_unsaid(self, furniture: Sequence[Floats]) -> None:
        """Say nothing of what is an article's own and surely `furniture`, by its log-odds."""
        for at, log_odds in enumerate(furniture):
            lesson = self.lessons[at]
            doubted = (lesson.labels == 0) & (log_odds > _SURE)
            if self.sources[at] in MADE and doubted.any():
                self.lessons[at] = replace(lesson, labels=np.where(doubted, -1, lesson.labels))

    def only(self, use: Sequence[bool]) -> _Lessons:
        """Those that are to be used."""
        rows = np.flatnonzero(use).tolist()
        return _Lessons(
            [self.lessons[i] for i in rows],
            [self.folds[i] for i in rows],
            [self.sources[i] for i in rows],
        )


def lessons_of(examples: Sequence[Example], observed: Iterable[Observed]) -> list[Lesson]:
    """What a network is told of examples, by their first-pass evidence."""
    from cleaner.training.network import Lesson

    return [
        Lesson(Fragments.of(own, own.matrix(), example.title), example.labels)
        for example, own in zip(examples, observed, strict=True)
    ]


def _fit_first(  # private: what `fit` was given
    own: _Lessons, foreign: _Lessons, steps: Steps, say: Any, jobs: int, kept: Network | None
) -> tuple[Network, Floats]:
    """The network for foreign prose, and log-odds for every fragment of `own` from one apart.

    It learns from articles with prose put in, not from scrapes, whose furniture would take all it
    has; and no words: by its words it would know the articles of the training.
    """
    learned = own.only([source in NO_FURNITURE for source in own.sources])
    learned.extend(foreign)
    say(f"network for foreign prose: {len(learned.lessons)} documents")
    return _fit_networks(own, learned, np.zeros(0, dtype=np.uint32), steps.foreign, say, jobs, kept)


def _fit_furniture(
    own: _Lessons, furnished: _Lessons, steps: Steps, say: Any, jobs: int
) -> tuple[Network, Floats]:
    """The network for furniture, and log-odds for every fragment of `own` from one apart.

    It learns wording as well, from all but the documents that have foreign prose in them. And it
    learns twice: what a first one, of other sites, is sure of in articles that are called clean is
    not held against it.
    """
    from cleaner.training.network import known_terms

    worded = own.only([source not in NO_FURNITURE for source in own.sources])
    terms = known_terms([*worded.lessons, *furnished.lessons])
    prose = [
        source == "intruders" and bool((lesson.labels > 0).any())
        for source, lesson in zip(own.sources, own.lessons, strict=True)
    ]
    learned = own.only([not foreign for foreign in prose])
    learned.extend(furnished)
    say(f"network for furniture: {len(learned.lessons)} documents, {len(terms)} terms")
    before = side_by_side(_tasks_apart(learned, terms, steps.furniture[0], say), jobs=jobs)
    learned.leave_unsaid(_log_odds_apart(before, learned))
    return _fit_networks(own, learned, terms, steps.furniture, say, jobs)


def _fit_networks(
    own: _Lessons,
    learned: _Lessons,
    known: npt.NDArray[np.uint32],
    steps: tuple[int, int],
    say: Any,
    jobs: int,
    kept: Network | None = None,
) -> tuple[Network, Floats]:
    """A network, and for all of `own` log-odds from one that did not learn from their sites."""
    from cleaner.training.network import fit_network

    tasks = _tasks_apart(learned, known, steps[0], say)
    if kept is None:  # the longest first: none waits for it alone at the end
        whole = partial(fit_network, learned.lessons, steps=steps[1], known=known, say=say)
        tasks.insert(0, whole)
    apart = side_by_side(tasks, jobs=jobs)
    network = apart.pop(0) if kept is None else kept
    return network, np.concatenate(_log_odds_apart(apart, own))


def _tasks_apart(
    learned: _Lessons, known: npt.NDArray[np.uint32], steps: int, say: Any
) -> list[Callable[[], Network]]:
    """For each fold what fits the network that has not learned from it."""
    from cleaner.training.network import fit_network

    def of_others(fold: int) -> Network:
        others = learned.only([other != fold for other in learned.folds])
        return fit_network(others.lessons, steps=steps, known=known, say=say)

    return [partial(of_others, fold) for fold in range(FOLDS)]


def _log_odds_apart(apart: Sequence[Network], lessons: _Lessons) -> list[Floats]:
    """Log-odds of each lesson's fragments, from the network of its fold, to six digits."""
    return [
        np.round(apart[fold].log_odds(lesson.fragments), 6)
        for lesson, fold in zip(lessons.lessons, lessons.folds, strict=True)
    ]


def figures_by(
    examples: Sequence[Example],
    scores: Sequence[Floats],
    threshold: float,
    kind: Callable[[Labelled], str],
) -> dict[str, Figures]:
    """Figures over fragments, by what `kind` says of their documents."""
    groups: dict[str, list[int]] = defaultdict(list)
    for index, example in enumerate(examples):
        groups[kind(example.document)].append(index)
    return {
        name: figures(
            np.concatenate([examples[i].labels for i in indices]),
            np.concatenate([scores[i] for i in indices]),
            np.concatenate(
                [examples[i].segments.ends - examples[i].segments.starts for i in indices]
            ),
            threshold,
        )
        for name, indices in sorted(groups.items())
    }


def _knowledge_apart(
    examples: Sequence[Example], topic: TopicModel, frequency: npt.NDArray[np.float32]
) -> list[Knowledge]:
    """For each fold what is known without its sites: their wording is not learned from."""
    return [
        Knowledge(topic, frequency, *fit_wording([e for e in examples if e.fold != fold]))
        for fold in range(FOLDS)
    ]


def observe_apart(
    examples: Sequence[Example],
    apart: Sequence[Knowledge],
    shown: Callable[[Observed], Observed] | None = None,
) -> list[Observed]:
    """First-pass evidence of each example, by what is known without its fold."""
    lexicon = Lexicon()
    found = (_observed(example, apart[example.fold], lexicon) for example in examples)
    return [own if shown is None else shown(own) for own in found]


def _observed(example: Example, knowledge: Knowledge, lexicon: Lexicon) -> Observed:
    return observe(
        example.segments,
        example.vectors,
        example.title,
        knowledge=knowledge,
        lexicon=lexicon,
        title=example.document.title or "",
    )


def _fit_trees(
    matrix: npt.NDArray[np.float32],
    labels: Labels,
    weights: Floats,
    folds: Labels,
    *,
    trees: int,
    jobs: int,
) -> tuple[BoostedTrees, Floats]:
    """Trees, and log-odds for every row from some that did not see the row's fold."""

    def of(rows: npt.NDArray[np.bool_] | slice) -> BoostedTrees:
        return boost(matrix[rows], labels[rows], weights[rows], trees=trees)

    others = [folds != fold for fold in range(FOLDS)]
    tasks = [partial(of, rows) for rows in (slice(None), *others)]
    model, *apart = side_by_side(tasks, jobs=jobs)
    log_odds = np.zeros(len(matrix))
    for rows, one in zip(others, apart, strict=True):
        log_odds[~rows] = one.log_odds(matrix[~rows])
    return model, log_odds


def _weights(examples: Sequence[Example]) -> Floats:
    """Row weights: long documents count by the root of their length, sets by their documents."""
    sizes = np.array([len(example.labels) for example in examples])
    weights = np.repeat(1 / np.sqrt(sizes), sizes)
    return np.asarray(weights / weights.mean())


def doubted(weights: Floats, examples: Sequence[Example], furniture: Floats) -> Floats:
    """Row weights, less where an article's own fragment is furniture to all appearances.

    What passes for clean articles has "Read this story" and "Add a comment" in it here and there.
    Labels of the documents that are made of them tell foreign prose from the articles' own, and
    no more; trees that take them at their word believe the network for furniture nowhere.

    Parameters
    ----------
    furniture
        Log-odds of the network for furniture, shape (n,).
    """
    sizes = [len(example.labels) for example in examples]
    made = np.repeat([e.document.source in NO_FURNITURE for e in examples], sizes)
    own = np.concatenate([example.labels for example in examples]) == 0
    return np.where(made & own & (furniture > _DOUBTFUL), _DOUBTED * weights, weights)


def save(
    fitted: Fitted,
    folder: Path,
    manifest: dict[str, Any],
    *,
    threshold: float,
    encoder: Encoder,
) -> None:
    """Write the folder of a detector that was fitted for `encoder`."""
    folder.mkdir(parents=True, exist_ok=True)
    knowledge = fitted.knowledge
    np.savez_compressed(
        folder / "knowledge.npz",
        mean=knowledge.topic.mean,
        projection=knowledge.topic.projection,
        between=knowledge.topic.between,
        frequency=knowledge.frequency.astype(np.float16),
        wording=knowledge.wording.astype(np.float16),
        wording_bias=np.array(knowledge.wording_bias),
        wording_vector=knowledge.wording_vector,
    )
    for stale in (NETWORK, FURNITURE, MEMBER, "first.onnx"):
        (folder / stale).unlink(missing_ok=True)
    write_probe(encoder, folder)
    files = ["knowledge.npz", PROBE, "second.onnx", "trees.npz"]
    trees: Arrays = {}
    for name, model in (("first", fitted.first), ("second", fitted.second)):
        if isinstance(model, Network):
            continue
        arrays = model.arrays()
        (folder / f"{name}.onnx").write_bytes(to_onnx(arrays, len(model.edges)))
        trees |= {f"{name}_{key}": value for key, value in arrays.items()}
    np.savez_compressed(folder / "trees.npz", **trees)  # type: ignore[arg-type]
    for file, network in ((NETWORK, fitted.first), (FURNITURE, fitted.furniture)):
        if isinstance(network, Network):
            np.savez(folder / file, **network.to_arrays())  # type: ignore[arg-type]
            files.append(file)
    if NETWORK not in files:
        files.append("first.onnx")
    manifest = {
        "format": FORMAT,
        "threshold": threshold,
        "calibration": asdict(fitted.calibration),
        "evidence": list(fitted.names),
        "sha256": checksums(folder, files),
        **manifest,
    }
    write_manifest(folder, manifest)
