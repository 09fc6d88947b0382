"""Clean labelled documents and say how well it was done.

A unit is a labelled span: a line, or a sentence. It counts as removed when at least half of its
characters are. Content lost and junk left are counted in characters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cleaner.document import Document
from cleaner.evaluation.figures import average_precision
from cleaner.evaluation.intervals import counts_of, intervals, shares_of
from cleaner.evaluation.units import (
    CanClean,
    Flags,
    Floats,
    Units,
    at_thresholds,
    joined,
    units_of,
)
from cleaner.reasons import REASONS

if TYPE_CHECKING:
    from cleaner.evaluation.labelled import Labelled

THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99)
BINS = 10  # of the reliability curve


@dataclass(frozen=True, slots=True)
class Dataset:
    """Labelled documents under one name."""

    name: str
    documents: Sequence[Labelled]


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures of some of the units; shares are 0 to 1, None where undefined.

    Attributes
    ----------
    documents, units, to_remove
        How many there are.
    precision, recall, f1
        Over units, at the threshold.
    average_precision
        Area under the precision-recall curve.
    lost
        Content lost: share of the characters to keep that were removed.
    left
        Junk left: share of the characters to remove that are still there.
    clean_removed
        Share of the units removed in documents in which nothing is to be removed.
    intervals
        Bounds of the confidence interval by the name of the figure, where there are five sites
        (or documents) or more to resample.
    """

    documents: int
    units: int
    to_remove: int
    precision: float | None
    recall: float | None
    f1: float | None
    average_precision: float | None
    lost: float | None
    left: float | None
    clean_removed: float | None
    intervals: dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """What one threshold gives, over all units; shares, None where undefined."""

    threshold: float
    precision: float | None
    recall: float | None
    f1: float | None
    lost: float | None
    left: float | None


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """Units removed for one reason: how many, and which share of them rightly.

    Attributes
    ----------
    content
        Code points of content that went for this reason.
    """

    reason: str
    removed: int
    precision: float | None
    content: int


@dataclass(frozen=True, slots=True)
class KindRow:
    """Units whose labels name one kind: how many, how many to remove, and the share removed."""

    kind: str
    units: int
    to_remove: int
    removed: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Units whose scores lie in one range: mean score, and the share that is to be removed."""

    low: float
    high: float
    units: int
    score: float | None
    share: float | None


@dataclass(frozen=True, slots=True)
class Reliability:
    """Whether the scores are the probabilities they are said to be; judged units alone.

    Attributes
    ----------
    brier
        Mean squared difference of score and label, 0 to 1, lower is better (Brier, 1950).
    error
        Expected calibration error: mean difference of score and share over the bins, by their size.
    bins
        The reliability curve, ten ranges of equal width.
    """

    brier: float | None
    error: float | None
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """The precision-recall curve: a point for every distinct score, from the highest down."""

    precision: Floats
    recall: Floats


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All that is said about a cleaning of labelled documents.

    Attributes
    ----------
    by
        Summaries by field (``set``, ``source``, ``page_type``, ``view``), then by value. A field
        with one value or none is left out, ``set`` excepted.
    not_judged
        Documents that were not judged, by why.
    """

    encoder: str
    threshold: float
    overall: Summary
    by: dict[str, dict[str, Summary]]
    reasons: tuple[ReasonRow, ...]
    kinds: tuple[KindRow, ...]
    thresholds: tuple[AtThreshold, ...]
    calibration: Reliability
    not_judged: dict[str, int]
    curve: Curve

    def to_dict(self) -> dict[str, Any]:
        """The evaluation as JSON types; the curve is left to the plot."""
        found = asdict(self)
        del found["curve"]
        return _rounded(found)  # type: ignore[no-any-return]


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value


def evaluate(
    cleaner: CanClean,
    datasets: Sequence[Dataset],
    *,
    encoder: str = "fast",
    reasons: Iterable[str] = REASONS,
    advance: Callable[[int], None] = lambda _: None,
) -> Evaluation:
    """Clean the documents of `datasets` and compare with their labels.

    Parameters
    ----------
    cleaner
        At the threshold that is to be measured.
    encoder
        Its encoder's name, for the record.
    reasons
        Those it removes for; a fragment of another reason scores nothing.
    advance
        Called with the number of documents done since the last call.
    """
    documents = [document for dataset in datasets for document in dataset.documents]
    thresholds = (cleaner.threshold, *THRESHOLDS)
    allowed = frozenset(reasons)
    parts: list[Units] = []
    not_judged: Counter[str] = Counter()
    results = cleaner.clean_many(Document(d.text, title=d.title) for d in documents)
    for number, (document, result) in enumerate(zip(documents, results, strict=True)):
        if not result.judged:
            not_judged[result.why] += 1
        at_each = at_thresholds(cleaner, result, thresholds)
        parts.append(units_of(document, at_each, allowed, number))
        advance(1)
    units = joined(parts, len(thresholds))
    sets = [dataset.name for dataset in datasets for _ in dataset.documents]
    return Evaluation(
        encoder=encoder,
        threshold=cleaner.threshold,
        overall=_summary(units, documents, _everything(units)),
        by=_by_field(units, documents, sets),
        reasons=_by_reason(units),
        kinds=_by_kind(units),
        thresholds=_table(units, thresholds[1:]),
        calibration=_calibration(units),
        not_judged=dict(sorted(not_judged.items())),
        curve=_curve(units),
    )


def _everything(units: Units) -> Flags:
    return np.ones(len(units.bad), dtype=np.bool_)


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def _summary(units: Units, documents: Sequence[Labelled], use: Flags) -> Summary:
    counts = counts_of(units, use, 0)
    total = counts.sum(axis=0)
    with_junk = np.bincount(units.document, units.bad, minlength=len(documents)) > 0
    clean = use & ~with_junk[units.document]
    shares = shares_of(total)
    ranked = average_precision(units.bad[use], units.scores[use])
    return Summary(
        documents=len(np.unique(units.document[use])),
        units=int(use.sum()),
        to_remove=int(units.bad[use].sum()),
        **{name: _number(shares[name]) for name in ("precision", "recall", "f1", "lost", "left")},
        average_precision=ranked,
        clean_removed=_ratio(int(units.gone()[clean].sum()), int(clean.sum())),
        intervals=intervals(units, documents, use, counts),
    )


def _number(value: Floats) -> float | None:
    return None if np.isnan(value) else float(value)


def _by_field(
    units: Units, documents: Sequence[Labelled], sets: Sequence[str]
) -> dict[str, dict[str, Summary]]:
    fields = {
        "set": list(sets),
        "source": [document.source for document in documents],
        "page_type": [document.page_type for document in documents],
        "view": [document.view for document in documents],
    }
    found: dict[str, dict[str, Summary]] = {}
    for field, values in fields.items():
        names = sorted(set(values))
        if field != "set" and len(names) < 2:  # noqa: PLR2004  # one value is the whole
            continue
        own = np.array(values, dtype=np.str_)[units.document]
        found[field] = {name: _summary(units, documents, own == name) for name in names}
    return found


def _by_reason(units: Units) -> tuple[ReasonRow, ...]:
    gone = units.gone()
    rows = []
    for reason in REASONS:
        own = gone & (units.reasons == reason)
        removed = int(own.sum())
        if removed:
            content = int(units.removed[own & ~units.bad, 0].sum())
            share = _ratio(int((own & units.bad).sum()), removed)
            rows.append(ReasonRow(reason, removed, share, content))
    return tuple(rows)


def _by_kind(units: Units) -> tuple[KindRow, ...]:
    gone = units.gone()
    rows = []
    for kind in sorted(set(units.kinds.tolist()) - {""}):
        own = units.kinds == kind
        removed = float(gone[own].mean())
        rows.append(KindRow(kind, int(own.sum()), int(units.bad[own].sum()), removed))
    return tuple(sorted(rows, key=lambda row: (-row.units, row.kind)))


def _table(units: Units, thresholds: Sequence[float]) -> tuple[AtThreshold, ...]:
    rows = []
    everything = _everything(units)
    for column, threshold in enumerate(thresholds, start=1):
        shares = shares_of(counts_of(units, everything, column).sum(axis=0))
        rows.append(AtThreshold(threshold, **{n: _number(v) for n, v in shares.items()}))
    return tuple(rows)


def _calibration(units: Units) -> Reliability:
    scores, bad = units.scores[units.scored], units.bad[units.scored].astype(np.float64)
    if not len(scores):
        return Reliability(None, None, ())
    edges = np.linspace(0, 1, BINS + 1)
    place = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
    sizes = np.bincount(place, minlength=BINS)
    means, shares = (
        np.bincount(place, values, minlength=BINS) / np.maximum(sizes, 1)
        for values in (scores, bad)
    )
    bins = tuple(
        Bin(
            float(edges[i]),
            float(edges[i + 1]),
            int(sizes[i]),
            float(means[i]) if sizes[i] else None,
            float(shares[i]) if sizes[i] else None,
        )
        for i in range(BINS)
    )
    error = float((np.abs(means - shares) * sizes).sum() / sizes.sum())
    return Reliability(float(np.mean((scores - bad) ** 2)), error, bins)


def _curve(units: Units) -> Curve:
    order = np.argsort(-units.scores, kind="stable")
    scores, hits = units.scores[order], np.cumsum(units.bad[order])
    if not len(hits) or not hits[-1]:
        return Curve(np.zeros(0), np.zeros(0))
    last = np.flatnonzero(np.append(np.diff(scores) != 0, True))
    return Curve(hits[last] / (last + 1), hits[last] / hits[-1])
