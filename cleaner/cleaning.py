"""The one orchestrator: documents in, results out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cleaner.detector import Detector
from cleaner.document import Document, Span, find_header
from cleaner.encoders import MODELS, Encoder, Vectors, load_encoder
from cleaner.errors import ModelError, OptionError
from cleaner.language import language_of
from cleaner.reasons import REASONS, reason_of
from cleaner.results import CleanResult, Finding, Fragment
from cleaner.segment import Segments, segment

if TYPE_CHECKING:
    from cleaner.evidence import Observed

FEWEST_FRAGMENTS = 5
ENCODED = 1_000  # code points of a fragment that are encoded: bounds the cost of a long one
BATCH_DOCUMENTS = 32
_LANGUAGES = ("en",)
_NO_SUSPICION = 0.05  # score below which no reason is sought and no evidence kept
# Between the 75th and the 90th percentile of 150 digests strung together from pieces of articles,
# and below the 1st of 300 articles with intruders in them and of 400 web pages.
_DOMINANT = 0.45
_RUNNING_WORDS = 12  # from which a fragment says something of the topic
# What a finding reports: few figures, in the order in which they are best read.
_REPORTED = (
    "topic_ratio",
    "title_cosine",
    "nearest_3",
    "rare_shared",
    "wording",
    "closest_suspect",
    "families_ratio",
    "first_within_3",
)


@dataclass(frozen=True, slots=True)
class _Task:
    """A document on its way: what was found before encoding."""

    document: Document
    title: str
    segments: Segments
    why: str


class Cleaner:
    """Removes from articles what does not belong to them.

    Parameters
    ----------
    encoder
        ``fast``, ``accurate``, a model folder, a model's name, or any `Encoder`.
    threshold
        Probability from which a fragment is removed, 0 to 1. None: the detector's own, chosen for
        precision on sites it was not trained on.
    keep, drop
        Regular expressions searched in each fragment: those that match `keep` stay whatever their
        score; those that match `drop` go, unless they match `keep`.
    only, exclude
        Reasons (see `cleaner.reasons.REASONS`): remove for these alone; do not remove for these.
    model
        Folder of a detector that `cleaner.training` wrote; needed for an encoder of one's own.

    Raises
    ------
    OptionError
        If a threshold, pattern or reason is not one.
    ModelError
        If the encoder or its detector cannot be had.
    """

    def __init__(
        self,
        *,
        encoder: str | Encoder = "fast",
        threshold: float | None = None,
        keep: Sequence[str] = (),
        drop: Sequence[str] = (),
        only: Sequence[str] = (),
        exclude: Sequence[str] = (),
        model: str | Path | None = None,
    ) -> None:
        self._keep = _compile(keep, "keep")
        self._drop = _compile(drop, "drop")
        self._reasons = _choose_reasons(only, exclude)
        if threshold is not None:
            _check_threshold(threshold)
        name = encoder if isinstance(encoder, str) else encoder.name
        folder = Path(model) if model is not None else MODELS / name / "detector"
        if model is None and name not in ("fast", "accurate"):
            raise ModelError(
                f"no detector has been fitted for the encoder {name!r}",
                next_step="use fast or accurate, or give the folder of a detector fitted for it",
            )
        self._detector = Detector.load(folder)
        self._encoder = load_encoder(encoder) if isinstance(encoder, str) else encoder
        expected = len(self._detector.knowledge.topic.mean)
        if self._encoder.dimensions != expected:
            raise ModelError(
                f"the detector was fitted for vectors of {expected} dimensions, the encoder"
                f" {name!r} gives {self._encoder.dimensions}",
                place=str(folder),
                next_step="give a detector that was fitted for this encoder",
            )
        self.threshold = self._detector.threshold if threshold is None else threshold

    def clean(self, text: str, *, title: str | None = None) -> str:
        """`text` without what does not belong to it."""
        return self.clean_and_explain(text, title=title).text

    def clean_and_explain(self, text: str, *, title: str | None = None) -> CleanResult:
        """The result for `text`: clean text, findings, and the scores of all fragments."""
        return next(self.clean_many([Document(text, title=title)]))

    def clean_many(
        self, documents: Iterable[Document | str], *, batch_documents: int = BATCH_DOCUMENTS
    ) -> Iterator[CleanResult]:
        """Results in the order of `documents`, lazily, `batch_documents` encoded at a time.

        A result is the same whatever the document is batched with.
        """
        if batch_documents < 1:
            raise OptionError(f"batch_documents is {batch_documents}", next_step="use 1 or more")
        stream = iter(documents)
        while batch := list(islice(stream, batch_documents)):
            tasks = [_prepare(d if isinstance(d, Document) else Document(d)) for d in batch]
            yield from self._clean_batch(tasks)

    def apply(self, result: CleanResult, *, threshold: float) -> CleanResult:
        """`result` at another threshold, from its scores: nothing is encoded again."""
        _check_threshold(threshold)
        # The header is what stands before the first fragment, however it was recognised.
        body = result.fragments[0].start if result.fragments else len(result.source)
        segments = segment(result.source, skip=[Span(0, body)])
        return self._finish(result, segments, threshold)

    def _clean_batch(self, tasks: Sequence[_Task]) -> Iterator[CleanResult]:
        texts: dict[str, int] = {}
        for task in tasks:
            if not task.why:
                for text in (*task.segments.texts, task.title):
                    texts.setdefault(text[:ENCODED], len(texts))
        vectors = self._encoder.encode(list(texts))
        for task in tasks:
            if task.why:
                yield self._unjudged(task)
            else:
                rows = [texts[text[:ENCODED]] for text in task.segments.texts]
                title = vectors[texts[task.title[:ENCODED]]] if task.title.strip() else None
                yield self._judge(task, vectors[rows], title)

    def _unjudged(self, task: _Task) -> CleanResult:
        fragments = tuple(
            Fragment(a, b, 0.0, "off-topic")
            for a, b in zip(task.segments.starts.tolist(), task.segments.ends.tolist(), strict=True)
        )
        result = CleanResult(
            source=task.document.text,
            fragments=fragments,
            judged=False,
            why=task.why,
            identity=task.document.identity,
        )
        return self._finish(result, task.segments, self.threshold)

    def _judge(self, task: _Task, vectors: Vectors, title: Vectors | None) -> CleanResult:
        scored = self._detector.score(task.segments, vectors, title, title=task.title)
        if not _has_topic(scored.observed):
            return self._unjudged(replace(task, why="no dominant topic"))
        fragments = tuple(
            _fragment(task.segments, index, score, scored.observed)
            for index, score in enumerate(scored.scores.tolist())
        )
        result = CleanResult(
            source=task.document.text, fragments=fragments, identity=task.document.identity
        )
        return self._finish(result, task.segments, self.threshold)

    def _finish(self, result: CleanResult, segments: Segments, threshold: float) -> CleanResult:
        """Decide what goes, and cut it."""
        fragments = [self._dropped(fragment, result.source) for fragment in result.fragments]
        remove = [self._goes(fragment, result.source, threshold) for fragment in fragments]
        findings = tuple(
            Finding(
                start=span.start,
                end=span.end,
                text=result.source[span.start : span.end],
                score=fragments[index].score,
                reason=fragments[index].reason,
                evidence=fragments[index].evidence,
            )
            for index, span in segments.deletions(remove).items()
        )
        return replace(result, findings=findings, fragments=tuple(fragments))

    def _dropped(self, fragment: Fragment, source: str) -> Fragment:
        if _matches(self._drop, source[fragment.start : fragment.end]):
            return replace(fragment, score=1.0, reason="pattern")
        return fragment

    def _goes(self, fragment: Fragment, source: str, threshold: float) -> bool:
        if _matches(self._keep, source[fragment.start : fragment.end]):
            return False
        if fragment.reason == "pattern":
            return True
        # A score of nought is no suspicion, whatever the threshold.
        return fragment.score >= max(threshold, 1e-9) and fragment.reason in self._reasons


def _prepare(document: Document) -> _Task:
    header = find_header(document.text, title=document.title)
    title = document.title or ""
    if not title.strip() and header.title is not None:
        title = document.text[header.title.start : header.title.end]
    segments = segment(document.text, skip=header.spans)
    return _Task(document, title, segments, _why_not(segments))


def _why_not(segments: Segments) -> str:
    """Why a document cannot be judged; empty where it can."""
    if len(segments) < FEWEST_FRAGMENTS:
        return f"fewer than {FEWEST_FRAGMENTS} fragments"
    language = language_of(segments.text)
    if language is not None and language not in _LANGUAGES:
        return f"language {language}: the encoder was made for {', '.join(_LANGUAGES)}"
    return ""


def _has_topic(observed: Observed) -> bool:
    """Whether most of the running text is closer to one topic than to any: not so in a digest."""
    words = np.expm1(observed.columns["words"])
    running = words >= _RUNNING_WORDS
    if np.count_nonzero(running) < FEWEST_FRAGMENTS:
        return True
    fits = observed.columns["topic_ratio"] > 0
    share = words[running & fits].sum() / words[running].sum()
    return bool(share >= _DOMINANT)


def _fragment(segments: Segments, index: int, score: float, observed: Observed) -> Fragment:
    start, end = int(segments.starts[index]), int(segments.ends[index])
    if score < _NO_SUSPICION:
        return Fragment(start, end, score, "off-topic")
    columns = observed.columns
    values = {name: float(columns[name][index]) for name in ("full_stop", "wording")}
    values["words"] = float(np.expm1(columns["words"][index]))
    reason = reason_of(segments.text[start:end], values)
    evidence = {name: round(float(columns[name][index]), 4) for name in _REPORTED}
    return Fragment(start, end, score, reason, evidence)


def _matches(patterns: Sequence[re.Pattern[str]], text: str) -> bool:
    return any(pattern.search(text) for pattern in patterns)


def _check_threshold(threshold: float) -> None:
    if not 0.0 <= threshold <= 1.0:
        raise OptionError(
            f"the threshold is {threshold}", next_step="use a probability from 0 to 1"
        )


def _compile(patterns: Sequence[str], option: str) -> tuple[re.Pattern[str], ...]:
    compiled = []
    for pattern in patterns:
        try:
            compiled.append(re.compile(pattern))
        except re.error as error:
            raise OptionError(
                f"{pattern!r} is no regular expression ({error})",
                place=option,
                next_step="see the syntax of Python's re",
            ) from error
    return tuple(compiled)


def _choose_reasons(only: Sequence[str], exclude: Sequence[str]) -> frozenset[str]:
    for reason in (*only, *exclude):
        if reason not in REASONS:
            raise OptionError(
                f"{reason!r} is no reason", next_step=f"use one of {', '.join(REASONS)}"
            )
    return frozenset(only or REASONS) - frozenset(exclude)
