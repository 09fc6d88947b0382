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
from sklearn.linear_model import LogisticRegression

from cleaner.detector import capped
from cleaner.detector_files import FORMAT, FURNITURE_FILE, NETWORK_FILE
from cleaner.encoders.probe import PROBE, write_probe
from cleaner.evaluation import Figures, figures
from cleaner.evidence import Knowledge, Observed, review
from cleaner.network import Network
from cleaner.scores import Calibration, network_weight, of_one_piece, sigmoid
from cleaner.training.examples import FOLDS, NO_FURNITURE, Example, Labels
from cleaner.training.folder import checksums, write_manifest
from cleaner.training.forked import side_by_side
from cleaner.training.knowledge import fit_wording, knowledge_apart, observe_apart
from cleaner.training.lessons import (
    Lessons,
    Steps,
    fit_foreign_network,
    fit_furniture_network,
)
from cleaner.training.trees import Arrays, BoostedTrees, to_onnx

if TYPE_CHECKING:
    from cleaner.command import Say
    from cleaner.encoders import Encoder
    from cleaner.evaluation import Labelled
    from cleaner.topic import Floats, TopicModel

RARITY, LONE = 2.4, 3.0  # of the shipped detectors: see `cleaner.scores.Calibration`
_DOUBTFUL = -1.0  # log-odds of furniture from which it is in doubt that a fragment is an article's
_DOUBTED = 0.2  # what such a fragment of a clean article counts


def boost(
    matrix: npt.NDArray[np.floating], labels: Labels, weights: Floats, *, trees: int
) -> BoostedTrees:
    """Gradient-boosted trees on the rows with a label."""
    use = labels >= 0
    return BoostedTrees.fit(matrix[use], labels[use], weights[use], trees=trees)


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
    say: Say = print,
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
    apart = knowledge_apart(examples, topic, frequency)
    observed = observe_apart(examples, apart, shown)
    say("evidence")
    rows = _Rows.of(examples)
    first: Network | BoostedTrees
    furniture: Network | None = None
    furniture_apart: list[Any] = [None] * len(examples)
    if steps:
        lessons = Lessons.of(examples, observed)
        # Held by nobody here: gigabytes, of which there is no room for both at once.
        first, suspected = fit_foreign_network(
            lessons, Lessons.of_lots(foreign, apart, shown), steps, say, jobs, kept
        )
        furniture, found = fit_furniture_network(
            lessons, Lessons.of_lots(furnished, apart, shown), steps, say, jobs
        )
        del lessons
        rows = replace(rows, weights=doubted(rows.weights, examples, found))
        furniture_apart = rows.by_document(
            capped(found, [example.segments for example in examples])
        )
    else:
        first, suspected = _fit_trees(_matrix(observed), rows, trees=trees[0], jobs=jobs)
    say("first pass")
    first_apart = rows.by_document(suspected)
    reviewed = [
        review(o, sigmoid(p), f, knowledge=knowledge)
        for o, p, f in zip(observed, first_apart, furniture_apart, strict=True)
    ]
    if shown is not None:
        reviewed = [shown(own) for own in reviewed]
    names = tuple(reviewed[0].columns)
    matrix = _matrix(reviewed)
    del reviewed
    second, decided = _fit_trees(matrix, rows, trees=trees[1], jobs=jobs)
    say("second pass")
    calibration = Calibration(*_platt(decided, rows), rarity, lone)
    held_out = [
        _held_out(example, calibration, *log_odds, networks=steps is not None)
        for example, *log_odds in zip(
            examples, rows.by_document(decided), first_apart, furniture_apart, strict=True
        )
    ]
    return Fitted(knowledge, first, furniture, second, calibration, names, held_out)


@dataclass(frozen=True, slots=True)
class _Rows:
    """All fragments of all documents, one after the other: shape (n,) each.

    Attributes
    ----------
    labels, folds, weights
        1 remove, 0 keep, -1 not said; the fold of its site; what it counts.
    ends
        Where each document's fragments end.
    """

    labels: Labels
    folds: Labels
    weights: Floats
    ends: Labels

    @classmethod
    def of(cls, examples: Sequence[Example]) -> Self:
        """Long documents count by the root of their length, sets by their documents."""
        sizes = np.array([len(example.labels) for example in examples])
        weights = np.repeat(1 / np.sqrt(sizes), sizes)
        return cls(
            np.concatenate([example.labels for example in examples]),
            np.repeat([example.fold for example in examples], sizes),
            weights / weights.mean(),
            np.cumsum(sizes),
        )

    def by_document(self, values: Floats) -> list[Any]:
        """One array for each document."""
        return np.split(values, self.ends[:-1])


def _matrix(observed: Sequence[Observed]) -> npt.NDArray[np.float32]:
    return np.concatenate([own.matrix() for own in observed]).astype(np.float32)


def _platt(log_odds: Floats, rows: _Rows) -> tuple[float, float]:
    """Slope and intercept of Platt's calibration."""
    use = rows.labels >= 0
    fitted = LogisticRegression(C=1e3).fit(
        log_odds[use][:, None], rows.labels[use], sample_weight=rows.weights[use]
    )
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def _held_out(
    example: Example,
    calibration: Calibration,
    trees: Floats,
    first: Floats,
    furniture: Floats | None,
    *,
    networks: bool,
) -> HeldOut:
    """Scores of a document after one second pass, and what they come from.

    Without networks the detector repeats that pass where it finds a family, and finds more of it.
    """
    log_odds = calibration.log_odds(trees)
    if networks:
        weight = network_weight(log_odds, first, example.segments.lines)
        log_odds = calibration.decided(log_odds, first, furniture, weight=weight)
    return HeldOut(of_one_piece(sigmoid(log_odds), example.segments), trees, first, furniture)


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


def _fit_trees(
    matrix: npt.NDArray[np.float32], rows: _Rows, *, trees: int, jobs: int
) -> tuple[BoostedTrees, Floats]:
    """Trees, and log-odds for every row from some that did not see the row's fold."""

    def of(use: npt.NDArray[np.bool_] | slice) -> BoostedTrees:
        return boost(matrix[use], rows.labels[use], rows.weights[use], trees=trees)

    others = [rows.folds != fold for fold in range(FOLDS)]
    tasks = [partial(of, use) for use in (slice(None), *others)]
    model, *apart = side_by_side(tasks, jobs=jobs)
    log_odds = np.zeros(len(matrix))
    for use, one in zip(others, apart, strict=True):
        log_odds[~use] = one.log_odds(matrix[~use])
    return model, log_odds


def doubted(weights: Floats, examples: Sequence[Example], furniture: Floats) -> Floats:
    """Row weights, less where an article's own fragment is furniture to all appearances.

    What passes for clean articles has "Read this story" and "Add a comment" in it here and there.
    The labels of documents that are made of them are right about what was put in, and not about the
    rest: at full weight, trees learn from them to ignore the network for furniture.

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
    """Write a detector that was fitted for `encoder` into a folder that is empty, or not there."""
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
    for file, network in ((NETWORK_FILE, fitted.first), (FURNITURE_FILE, fitted.furniture)):
        if isinstance(network, Network):
            np.savez(folder / file, **network.to_arrays())  # type: ignore[arg-type]
            files.append(file)
    if NETWORK_FILE not in files:
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
