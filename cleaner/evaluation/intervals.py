"""Confidence intervals of the figures, by resampling sites."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cleaner.evaluation.labelled import Labelled
    from cleaner.evaluation.units import Flags, Floats, Ints, Units

RESAMPLES = 200
CONFIDENCE = 0.95
_FEWEST_GROUPS = 5  # below it, resampling says nothing


def counts_of(units: Units, use: Flags, column: int) -> Floats:
    """What the figures are made of, one row a unit in `use`, columns as `shares_of` reads them."""
    bad, lengths = units.bad[use], units.lengths[use]
    gone, removed = units.gone(column)[use], units.removed[use, column]
    columns = (
        gone & bad,
        gone,
        bad,
        removed * ~bad,
        lengths * ~bad,
        (lengths - removed) * bad,
        lengths * bad,
    )
    return np.stack(columns, axis=1).astype(np.float64)


def shares_of(sums: Floats) -> dict[str, Floats]:
    """Figures from sums of `counts_of`, shape (..., 7); not a number where undefined."""
    hits, gone, bad, lost, content, left, junk = np.moveaxis(sums, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "precision": np.divide(hits, gone),
            "recall": np.divide(hits, bad),
            "f1": np.divide(2 * hits, gone + bad),
            "lost": np.divide(lost, content),
            "left": np.divide(left, junk),
        }


def intervals(
    units: Units, documents: Sequence[Labelled], use: Flags, counts: Floats
) -> dict[str, tuple[float, float]]:
    """Percentile bootstrap over sites (Efron and Tibshirani, 1993), or documents of one site.

    Units of one site share their furniture: taken one by one they would look surer than they are.
    """
    groups = _groups(units, documents, use)
    number = int(groups.max()) + 1 if len(groups) else 0
    if number < _FEWEST_GROUPS:
        return {}
    sums = np.zeros((number, counts.shape[1]))
    np.add.at(sums, groups, counts)
    generator = np.random.default_rng(0)
    weights = generator.multinomial(number, np.full(number, 1 / number), size=RESAMPLES)
    found = shares_of(weights @ sums)
    found["average_precision"] = _resampled(units.bad[use], units.scores[use], weights, groups)
    tail = (1 - CONFIDENCE) / 2 * 100
    bounds: dict[str, tuple[float, float]] = {}
    for name, values in found.items():
        known = values[~np.isnan(values)]
        if len(known):
            low, high = np.percentile(known, (tail, 100 - tail))
            bounds[name] = (float(low), float(high))
    return bounds


def _groups(units: Units, documents: Sequence[Labelled], use: Flags) -> Ints:
    """For each unit in `use` the number of its site; of its document where sites are too few."""
    own = units.document[use]
    sites = np.array([documents[i].site for i in own.tolist()], dtype=np.str_)
    names, groups = np.unique(sites, return_inverse=True)
    if len(names) < _FEWEST_GROUPS:
        _, groups = np.unique(own, return_inverse=True)
    return np.asarray(groups, dtype=np.int64)


def _resampled(bad: Flags, scores: Floats, weights: Ints, groups: Ints) -> Floats:
    """Average precision of each resample, shape (resamples,)."""
    order = np.argsort(-scores, kind="stable")
    bad, groups = bad[order], groups[order]
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, len(scores) > 0))
    found = np.full(len(weights), np.nan)
    for row, weight in enumerate(weights):
        mass = weight[groups].astype(np.float64)
        hits, seen = np.cumsum(mass * bad)[last], np.cumsum(mass)[last]
        if len(hits) and hits[-1]:
            precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
            found[row] = float((precision * np.diff(hits, prepend=0)).sum() / hits[-1])
    return found
