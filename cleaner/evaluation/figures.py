"""How well fragments were told apart: precision, recall, and what it cost in characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from cleaner.document import Span
    from cleaner.results import CleanResult


def removed_share(result: CleanResult, spans: Sequence[Span]) -> npt.NDArray[np.float64]:
    """Share of each span's characters that `result` removed, 0 to 1."""
    lengths = np.array([max(s.end - s.start, 1) for s in spans], dtype=np.int64)
    return np.asarray(removed_characters(result, spans) / lengths)


def removed_characters(result: CleanResult, spans: Sequence[Span]) -> npt.NDArray[np.int64]:
    """How many of each span's code points `result` removed."""
    gone = np.zeros(len(result.source) + 1, dtype=np.int64)
    for finding in result.findings:
        gone[finding.start + 1 : finding.end + 1] = 1
    total = np.cumsum(gone)
    ends = np.array([[s.start, s.end] for s in spans], dtype=np.int64).reshape(-1, 2)
    return np.asarray(total[ends[:, 1]] - total[ends[:, 0]])


@dataclass(frozen=True, slots=True)
class Figures:
    """How well fragments or lines were told apart; all shares 0 to 1, None where undefined.

    Attributes
    ----------
    average_precision
        Area under the precision-recall curve.
    precision, recall, f1
        At the threshold, over fragments.
    lost
        Share of the characters to keep that were removed.
    left
        Share of the characters to remove that are still there.
    """

    average_precision: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    lost: float | None
    left: float | None

    def to_dict(self) -> dict[str, float | None]:
        """The figures as JSON types, four decimals."""
        names = ("average_precision", "precision", "recall", "f1", "lost", "left")
        values = {name: getattr(self, name) for name in names}
        return {k: None if v is None else round(v, 4) for k, v in values.items()}

    def __str__(self) -> str:
        shown = {k: "  -  " if v is None else f"{v:.3f}" for k, v in self.to_dict().items()}
        shown["lost"] = "   -  " if self.lost is None else f"{self.lost:.4f}"
        return "  ".join(f"{name} {value}" for name, value in shown.items())


def figures(
    labels: npt.NDArray[np.int64],
    scores: npt.NDArray[np.float64],
    lengths: npt.NDArray[np.int64],
    threshold: float,
) -> Figures:
    """Figures of `scores` at `threshold`; fragments labelled -1 are left out.

    Parameters
    ----------
    labels, scores, lengths
        Shape (n,): 1 remove, 0 keep, -1 not scored; score, 0 to 1; code points.
    """
    use = labels >= 0
    bad, scores, lengths = labels[use] == 1, scores[use], lengths[use]
    gone = scores >= threshold
    hits = int((gone & bad).sum())
    precision = _ratio(hits, int(gone.sum()))
    recall = _ratio(hits, int(bad.sum()))
    return Figures(
        average_precision=average_precision(bad, scores),
        precision=precision,
        recall=recall,
        f1=_ratio(2 * hits, int(gone.sum()) + int(bad.sum())),
        lost=_ratio(int(lengths[gone & ~bad].sum()), int(lengths[~bad].sum())),
        left=_ratio(int(lengths[~gone & bad].sum()), int(lengths[bad].sum())),
    )


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def average_precision(
    labels: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64]
) -> float | None:
    """Mean of the precision at each distinct score, weighted by the recall gained there.

    None where no label is true. The order of equal scores does not matter.
    """
    if not labels.any():
        return None
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(labels[order])
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    precision = hits[last] / (last + 1)
    gained = np.diff(hits[last], prepend=0) / hits[-1]
    return float((precision * gained).sum())
