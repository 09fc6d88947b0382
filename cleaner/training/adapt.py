"""What `cleaner train --base` does: go on from a fitted detector with a user's own labels.

The base's trees stay as they are. To the second pass are added small trees, each shrunk, that are
fitted to what the labels say beyond the base's log-odds: gradient boosting continued from an offset
(Friedman, "Greedy function approximation", 2001), with Newton steps damped as in XGBoost (Chen and
Guestrin, 2016). How many are added is chosen on documents apart, and none without a gain there.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cleaner.detector import Detector
from cleaner.detector_files import MANIFEST, encoder_of
from cleaner.encoders import SHIPPED, detector_folder, load_encoder
from cleaner.errors import InputError, ModelError
from cleaner.evaluation import Figures, figures
from cleaner.scores import sigmoid
from cleaner.sites import fold_of
from cleaner.training.examples import Example, prepare
from cleaner.training.folder import checksums, whole_folder, write_manifest
from cleaner.training.trees import Arrays, to_onnx

if TYPE_CHECKING:
    from cleaner.command import Say
    from cleaner.training.sources import TrainingData

Floats = npt.NDArray[np.float64]
FEWEST_DOCUMENTS = 10
FEWEST_OF_EACH = 10  # fragments to remove, and to keep
_FOLDS = 5
_MOST_TREES = 60
_DEPTH = 3
_RATE = 0.1  # share of each Newton step that is taken
_DAMPING = 5.0  # fragments' worth of doubt about each leaf
_FEWEST_IN_LEAF = 10
_MOST_LOST = 0.001  # by how much the share of content lost may rise


@dataclass(frozen=True, slots=True)
class Adapted:
    """A base with trees added, and its figures on documents apart before and after.

    Attributes
    ----------
    second
        Arrays of the second pass, the base's trees first.
    trees
        How many were added.
    loss
        Mean log-loss before and after, in nats.
    """

    base: Path
    encoder: str
    second: Arrays
    features: int
    trees: int
    threshold: float
    before: Figures
    after: Figures
    loss: tuple[float, float]
    documents: int


@dataclass(frozen=True, slots=True)
class _Rows:
    """Labelled fragments, n of them: each attribute has n rows.

    Attributes
    ----------
    log_odds
        The base's calibrated log-odds.
    reach
        How far these rise where those of the trees rise by one, 0 to 1: less than one where
        networks are heard beside them. That furniture is less rare beside other furniture, which
        would rise with it, is left out.
    """

    evidence: npt.NDArray[np.float32]
    labels: Floats
    log_odds: Floats
    reach: Floats
    weights: Floats
    document: npt.NDArray[np.int64]
    fold: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]


def adapt(
    data: TrainingData, base: str, *, threshold: float | None = None, say: Say = print
) -> Adapted:
    """Fit further trees on top of the detector `base` to labelled documents.

    Parameters
    ----------
    base
        ``fast``, ``accurate``, or the folder of a detector.
    threshold
        Default threshold to store; None: the base's.

    Raises
    ------
    InputError
        If there are too few labels, or articles without any, or all labels lie in one fold.
    ModelError
        If the base cannot be read, or the labels bring nothing on documents apart.
    """
    _check(data)
    folder = detector_folder(base) if base in SHIPPED else Path(base)
    detector = Detector.load(folder)
    with np.load(folder / "trees.npz", allow_pickle=False) as stored:
        second = {n[7:]: stored[n] for n in stored.files if n.startswith("second_")}
    name = encoder_of(folder, detector.manifest)
    language = (detector.manifest.get("languages") or ["en"])[0]
    encoder = load_encoder(name)
    detector.check(encoder)
    examples = prepare(data.labelled, encoder, language=language)
    rows = _rows(examples, detector, second)
    say(f"{len(examples)} documents, {len(rows.labels)} labelled fragments, base {base}")
    used = detector.threshold if threshold is None else threshold
    paths, count = _choose(rows, used)
    say(f"{count} of {_MOST_TREES} trees are best on documents apart")
    before, after = (_figures(rows, log_odds, used) for log_odds in (rows.log_odds, paths[count]))
    losses = (_losses(rows, rows.log_odds), _losses(rows, paths[count]))
    check_gain(losses, count, before, after)
    slope = detector.calibration.slope
    trees, _ = _grow(rows, np.ones(len(rows.labels), dtype=np.bool_), count)
    return Adapted(
        base=folder,
        encoder=name,
        second=_append(second, trees, slope),
        features=rows.evidence.shape[1],
        trees=count,
        threshold=used,
        before=before,
        after=after,
        loss=(float(losses[0].mean()), float(losses[1].mean())),
        documents=len(examples),
    )


def _check(data: TrainingData) -> None:
    if data.articles:
        raise InputError(
            f"the article {data.articles[0].identity!r} has no labels",
            next_step="--base learns from labelled documents alone",
        )
    counts = Counter(label for document in data.labelled for label in document.labels)
    documents = sum(any(label >= 0 for label in document.labels) for document in data.labelled)
    if documents < FEWEST_DOCUMENTS:
        raise InputError(
            f"too few labelled documents: {documents}, where {FEWEST_DOCUMENTS} are needed",
            next_step="label more: a few lines in each of many documents teach most",
        )
    for label, what in ((1, "removed"), (0, "kept")):
        if counts[label] < FEWEST_OF_EACH:
            raise InputError(
                f"{counts[label]} lines are labelled to be {what}, at least {FEWEST_OF_EACH} are"
                " needed",
                next_step="label more lines of that kind",
            )


def _rows(examples: Sequence[Example], detector: Detector, second: Arrays) -> _Rows:
    parts: dict[str, list[Any]] = {name: [] for name in _Rows.__slots__}
    for number, example in enumerate(examples):
        use = np.flatnonzero(example.labels >= 0)
        if not len(use):
            continue
        (scored,) = detector.score([example.encoded])
        matrix = scored.observed.matrix()
        trees = predict(second, matrix)
        log_odds = detector.log_odds(trees, scored)
        reach = detector.log_odds(trees + 1 / detector.calibration.slope, scored) - log_odds
        parts["evidence"].append(matrix[use].astype(np.float32))
        parts["labels"].append(example.labels[use].astype(np.float64))
        parts["log_odds"].append(log_odds[use])
        parts["reach"].append(np.minimum(reach[use], 1.0))
        parts["weights"].append(np.full(len(use), 1 / np.sqrt(len(use))))
        parts["document"].append(np.full(len(use), number))
        parts["fold"].append(np.full(len(use), fold_of(example.document.site, _FOLDS)))
        parts["lengths"].append((example.segments.ends - example.segments.starts)[use])
    # Counted here and not by the labels: a line of the header is no fragment.
    if len({int(folds[0]) for folds in parts["fold"]}) < 2:  # noqa: PLR2004  # one to learn from, one apart
        raise InputError(
            "the labels lie in too few documents to learn from some and measure on others",
            next_step="label lines in more documents, of more sites",
        )
    joined = {name: np.concatenate(values) for name, values in parts.items()}
    joined["weights"] /= joined["weights"].mean()
    return _Rows(**joined)


def predict(arrays: Arrays, evidence: npt.NDArray[np.floating[Any]]) -> Floats:
    """Log-odds of `evidence`, shape (n, features), from trees as arrays."""
    rows = np.arange(len(evidence))
    total = np.full(len(evidence), float(arrays["baseline"][0]))
    for start in arrays["starts"][:-1].tolist():
        node = np.full(len(evidence), start)
        while len(inner := rows[arrays["feature"][node] >= 0]):
            own = node[inner]
            low = evidence[inner, arrays["feature"][own]] <= arrays["threshold"][own]
            node[inner] = start + np.where(low, arrays["left"][own], arrays["right"][own])
        total += arrays["value"][node]
    return total


def _choose(rows: _Rows, threshold: float) -> tuple[list[Floats], int]:
    """Log-odds on folds apart after each number of trees, and the number that is best there.

    Of those that cost no content at the `threshold`, where there are any: with few labels, further
    trees can gain on what is to go and take a line along that is to stay.
    """
    paths = [rows.log_odds.copy() for _ in range(_MOST_TREES + 1)]
    for fold in np.unique(rows.fold).tolist():
        apart = rows.fold == fold
        _, path = _grow(rows, ~apart, _MOST_TREES)
        for log_odds, reached in zip(paths, path, strict=True):
            log_odds[apart] = reached[apart]
    means = [float(_losses(rows, log_odds).mean()) for log_odds in paths]
    lost = [_figures(rows, log_odds, threshold).lost or 0.0 for log_odds in paths]
    harmless = [count for count in range(1, len(paths)) if lost[count] <= lost[0] + _MOST_LOST]
    return paths, min(harmless or range(len(paths)), key=means.__getitem__)


def _grow(rows: _Rows, use: npt.NDArray[np.bool_], count: int) -> tuple[list[Arrays], list[Floats]]:
    """`count` trees fitted to the rows in `use`, and the log-odds of all rows on the way."""
    from sklearn.tree import DecisionTreeRegressor

    log_odds = rows.log_odds.copy()
    trees: list[Arrays] = []
    path = [log_odds.copy()]
    for number in range(count):
        expected = sigmoid(log_odds[use])
        reach = rows.reach[use]
        missed = (rows.labels[use] - expected) * reach
        tree = DecisionTreeRegressor(
            max_depth=_DEPTH,
            min_samples_leaf=_FEWEST_IN_LEAF,
            max_features=0.3,
            random_state=number,
        ).fit(rows.evidence[use], missed, sample_weight=rows.weights[use])
        steps = _steps(tree, rows, use, missed, expected * (1 - expected) * reach**2)
        log_odds = log_odds + steps[tree.apply(rows.evidence)] * rows.reach
        trees.append(_tree_arrays(tree.tree_, steps))
        path.append(log_odds.copy())
    return trees, path


def _steps(
    tree: Any, rows: _Rows, use: npt.NDArray[np.bool_], missed: Floats, doubt: Floats
) -> Floats:
    """What each leaf adds to the log-odds: a Newton step, damped and shrunk; one value a node."""
    leaf = tree.apply(rows.evidence[use])
    size, weights = tree.tree_.node_count, rows.weights[use]
    gain = np.bincount(leaf, weights * missed, minlength=size)
    curve = np.bincount(leaf, weights * doubt, minlength=size)
    return np.asarray(_RATE * gain / (curve + _DAMPING))


def _tree_arrays(tree: Any, steps: Floats) -> Arrays:
    leaf = tree.children_left < 0
    value = np.where(leaf, steps, 0.0)
    # Children stand behind their parent, so going backwards meets them first. What an inner node
    # is worth is the mean of its leaves: contributions along a path add up to its leaf.
    for index in np.flatnonzero(~leaf)[::-1].tolist():
        children = [tree.children_left[index], tree.children_right[index]]
        value[index] = np.average(value[children], weights=tree.n_node_samples[children])
    return {
        "feature": np.where(leaf, -1, tree.feature).astype(np.int32),
        "threshold": np.where(leaf, 0.0, tree.threshold),
        "left": np.where(leaf, 0, tree.children_left).astype(np.int32),
        "right": np.where(leaf, 0, tree.children_right).astype(np.int32),
        "value": value,
    }


def _append(second: Arrays, trees: Sequence[Arrays], slope: float) -> Arrays:
    """One ensemble of the base's trees and the added ones.

    The added ones speak in calibrated log-odds; the ensemble's are scaled by `slope` afterwards.
    """
    sizes = np.array([len(tree["feature"]) for tree in trees], dtype=np.int64)
    joined = {
        name: np.concatenate([second[name], *(tree[name] for tree in trees)])
        for name in ("feature", "threshold", "left", "right")
    }
    scaled = [tree["value"] / slope for tree in trees]
    joined["value"] = np.concatenate([second["value"], *scaled])
    joined["starts"] = np.concatenate([second["starts"], second["starts"][-1] + np.cumsum(sizes)])
    joined["baseline"] = second["baseline"]
    return joined


def _losses(rows: _Rows, log_odds: Floats) -> Floats:
    """Mean log-loss of each document, in nats."""
    margin = np.where(rows.labels > 0, log_odds, -log_odds)
    losses = np.logaddexp(0.0, -margin)
    _, document = np.unique(rows.document, return_inverse=True)
    return np.asarray(np.bincount(document, losses) / np.bincount(document))


def _figures(rows: _Rows, log_odds: Floats, threshold: float) -> Figures:
    return figures(rows.labels.astype(np.int64), sigmoid(log_odds), rows.lengths, threshold)


def check_gain(losses: tuple[Floats, Floats], count: int, before: Figures, after: Figures) -> None:
    """Refuse trees that bring nothing, or cost content, on documents apart.

    Parameters
    ----------
    losses
        Mean log-loss of each document, before and after, in nats.
    count
        How many trees were best.

    Raises
    ------
    ModelError
        If the gain is within one standard error of none, or content lost rises by more than a
        thousandth of the content.
    """
    gains = losses[0] - losses[1]
    error = float(gains.std(ddof=1) / np.sqrt(len(gains)))
    means = f"log-loss {losses[0].mean():.4f} before, {losses[1].mean():.4f} after"
    step = "keep the base, or give more labels"
    if not count or gains.mean() <= error:
        raise ModelError(
            f"the labels bring no sure gain on documents apart ({means}, standard error of the"
            f" gain {error:.4f}): nothing is written",
            next_step=step,
        )
    if (after.lost or 0.0) > (before.lost or 0.0) + _MOST_LOST:
        raise ModelError(
            f"on documents apart more content would be lost ({before.lost:.4f} before,"
            f" {after.lost:.4f} after): nothing is written",
            next_step=step,
        )


def write(adapted: Adapted, output: Path, *, data: Sequence[str]) -> None:
    """Write the detector's folder: whole, or not at all.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with whole_folder(output) as folder:
        _copy(adapted, folder)
        with np.load(adapted.base / "trees.npz", allow_pickle=False) as stored:
            trees: Arrays = {n: stored[n] for n in stored.files if not n.startswith("second_")}
        trees |= {f"second_{name}": value for name, value in adapted.second.items()}
        np.savez_compressed(folder / "trees.npz", **trees)  # type: ignore[arg-type]
        (folder / "second.onnx").write_bytes(to_onnx(adapted.second, adapted.features))
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        manifest |= {
            "encoder": _encoder_from(adapted, output),
            "threshold": adapted.threshold,
            "made_by": "cleaner train --base",
            "adapted": {
                "data": sorted({Path(name).name for name in data}),
                "documents": adapted.documents,
                "trees": adapted.trees,
                "log_loss": [round(value, 6) for value in adapted.loss],
                "before": adapted.before.to_dict(),
                "after": adapted.after.to_dict(),
            },
            "sha256": checksums(folder, manifest["sha256"]),
        }
        write_manifest(folder, manifest)


def _copy(adapted: Adapted, folder: Path) -> None:
    """The base's own files, and its encoder where it lies with them; all may be written to."""
    manifest = json.loads((adapted.base / MANIFEST).read_text(encoding="utf-8"))
    encoder = _inside(adapted)
    beside = (
        [] if encoder is None else [p for p in (adapted.base / encoder).rglob("*") if p.is_file()]
    )
    names = {*manifest["sha256"], MANIFEST, *(p.relative_to(adapted.base) for p in beside)}
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(adapted.base / name, folder / name)


def _inside(adapted: Adapted) -> Path | None:
    """The encoder's way from the base's folder; None where it does not lie in it."""
    encoder = Path(adapted.encoder)
    if adapted.encoder in SHIPPED or not encoder.is_dir():  # whatever a folder here is called
        return None
    with suppress(ValueError):
        return encoder.resolve().relative_to(adapted.base.resolve())
    return None


def _encoder_from(adapted: Adapted, output: Path) -> str:
    """How the encoder is named from `output`; one that lies in the base's folder came along."""
    encoder = Path(adapted.encoder)
    if adapted.encoder in SHIPPED or not encoder.is_dir():
        return adapted.encoder
    return str(_inside(adapted) or os.path.relpath(encoder.resolve(), output.resolve()))
