"""The one orchestrator: documents in, results out."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cleaner.detector import Detector
from cleaner.detector_files import encoder_of, manifests
from cleaner.document import Document, count_lines, find_header
from cleaner.encoders import Encoder, Vectors, detector_folder, load_encoder
from cleaner.errors import OptionError
from cleaner.evidence import Encoded, untitled_ratios
from cleaner.language import language_of
from cleaner.markdown import as_read, only_heading
from cleaner.options import (
    BATCH_DOCUMENTS,
    as_name,
    check_options,
    check_threshold,
    check_type,
    is_count,
    patterns,
    reasons,
    strings,
)
from cleaner.reasons import reason_of
from cleaner.results import CleanResult, Finding, Fragment
from cleaner.segment import Segments, readable, segment

if TYPE_CHECKING:
    from cleaner.contributions import Contributions
    from cleaner.detector import Scored
    from cleaner.evidence import Observed
    from cleaner.topic import Floats, TopicModel

FEWEST_FRAGMENTS = 5
ENCODED = 1_000  # code points of a fragment that are encoded: bounds the cost of a long one
_JUDGED_TOGETHER = 2_048  # fragments: bounds the memory, and their evidence stays near the core
# Code points, and lines, of a document that is judged: they bound time and memory.
LONGEST, MOST_LINES = 20_000_000, 200_000
# Score below which no reason is sought and no evidence kept, unless the threshold is lower.
NO_SUSPICION = 0.05
_LEAST_SCORE = 1e-9  # a score of nought is no suspicion, whatever the threshold
# How the source of a page opens. Atomic group and possessive quantifiers: with backtracking, each
# comment would double the time.
_PAGE = re.compile(
    r"\ufeff?(?>\s++|<\?xml[^>]*+>|<!--.*?-->)*+<(?:!doctype\s+html|html)\b",
    re.IGNORECASE | re.DOTALL,
)
_TAGGED = re.compile(
    r"</?(?:p|div|a|span|ul|ol|li|h[1-6]|t[rdh]|table|img|br|script|style|link|meta|head|body|title"
    r"|section|article|figure|nav|header|footer|strong|em|b|i|blockquote)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
# Least share of the running words that must fit one topic. Of 150 digests, strung together from
# pieces of articles, 75 to 90 % lie below it; of 300 articles with intruders and of 400 web pages
# less than 1 %.
_DOMINANT = 0.45
# The same by the text alone, where the title that was given takes the topic from it.
_DOMINANT_UNTITLED = 0.5
_RUNNING_WORDS = 12  # from which a fragment says something of the topic
# What a finding reports: few figures, in the order in which they are best read; of what the network
# for furniture takes for some, its own come first.
_REPORTED = (
    "topic_ratio",
    "nearest_3",
    "first",
    "title_cosine",
    "rare_shared",
    "furniture",
    "wording",
    "closest_suspect",
    "families_ratio",
    "first_within_3",
)
_OF_FURNITURE = ("furniture", "wording")


@dataclass(frozen=True, slots=True)
class _Task:
    """A document on its way: what was found before encoding.

    Attributes
    ----------
    segments, read
        Its fragments as they stand in the text, and as a reader sees them.
    why
        Why it is not judged; empty where it is.
    """

    document: Document
    title: str
    segments: Segments
    read: Segments
    why: str


@dataclass(frozen=True, slots=True)
class Inspected:
    """A result and what it rests on; a document that was not judged has its fragments alone.

    Attributes
    ----------
    result
        As `Cleaner.clean_many` gives it.
    segments
        The fragments, n of them, in the order of ``result.fragments``.
    observed
        The evidence of the last pass, with the vectors and points of the fragments.
    contributions
        What each piece of it adds to the scores.
    title
        The title in the basis of the topic model, shape (k,); None without one.
    shrinkage
        Shape (k,), 0 to 1: takes a point to the topic that the model expects behind it.
    """

    result: CleanResult
    segments: Segments
    observed: Observed | None = None
    contributions: Contributions | None = None
    title: Floats | None = None
    shrinkage: Floats | None = None


class Cleaner:
    """Removes from articles what does not belong to them.

    Parameters
    ----------
    encoder
        ``fast``, ``accurate`` or the folder of its weights; with `model` also another model's name
        or folder, or any `Encoder`. None: the one that `model` was fitted for, ``fast`` without it.
    threshold
        Probability from which a fragment is removed, 0 to 1. None: the detector's own, chosen for
        precision on sites it was not trained on.
    keep, drop
        Regular expressions searched in each fragment: those that match `keep` stay whatever their
        score; those that match `drop` go, unless they match `keep`.
    only, exclude
        Reasons (see `cleaner.reasons.REASONS`): remove for these alone; do not remove for these.
    model
        Folder of a detector that ``cleaner train`` wrote; needed for an encoder of one's own. It
        says which languages are judged.

    Raises
    ------
    OptionError
        If a threshold, pattern or reason is not one, or a value is of a wrong type.
    ModelError
        If the encoder or its detector cannot be had.
    """

    def __init__(
        self,
        *,
        encoder: str | Path | Encoder | None = None,
        threshold: float | None = None,
        keep: Sequence[str] = (),
        drop: Sequence[str] = (),
        only: Sequence[str] = (),
        exclude: Sequence[str] = (),
        model: str | Path | None = None,
    ) -> None:
        encoder = as_name(encoder)
        keep, drop = strings("keep", keep), strings("drop", drop)
        only, exclude = strings("only", only), strings("exclude", exclude)
        check_options(
            encoder=encoder,
            threshold=threshold,
            keep=keep,
            drop=drop,
            only=only,
            exclude=exclude,
            model=model,
        )
        self._keep = patterns("keep", keep)
        self._drop = patterns("drop", drop)
        self._reasons = reasons(only, exclude, drop=drop)
        if encoder is None and model is None:
            encoder = "fast"
        name = encoder if isinstance(encoder, str | None) else encoder.name
        folder = Path(model) if model is not None else detector_folder(name)
        self._detector = Detector.load(folder)
        if encoder is None:
            encoder = encoder_of(folder, self._detector.manifest)
        if isinstance(encoder, str):
            encoder = load_encoder(encoder, is_shipped=model is None)
        self._detector.check(encoder)
        self._encoder = encoder
        # A detector that does not say so was made for English.
        self._languages = tuple(self._detector.manifest.get("languages") or ("en",))
        self._threshold = self._detector.threshold if threshold is None else threshold

    @property
    def threshold(self) -> float:
        """Probability from which a fragment is removed, 0 to 1; `apply` tries another."""
        return self._threshold

    @property
    def encoder_name(self) -> str:
        """What the encoder is called."""
        return self._encoder.name

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

        Raises
        ------
        OptionError
            If `documents` is one text, a text is no string, or `batch_documents` is below 1.
        """
        if isinstance(documents, str):
            # Its letters would be cleaned one by one.
            raise OptionError("documents is a string", next_step="give a list of them")
        check_type("documents", documents, Iterable, "give a list of them")
        if not is_count(batch_documents):
            raise OptionError(f"batch_documents is {batch_documents!r}", next_step="use 1 or more")
        return self._clean_all(iter(documents), min(batch_documents, sys.maxsize))

    def apply(self, result: CleanResult, *, threshold: float) -> CleanResult:
        """`result` at another threshold, from its scores: nothing is encoded again.

        Reasons and evidence were kept from a score of .05, or the cleaner's own threshold where
        that is lower: what goes below has the reason ``off-topic`` and no evidence.
        """
        check_type("result", result, CleanResult, "give what clean_and_explain gave")
        check_threshold(threshold)
        segments = segment(result.source, language=self._languages[0], skip=result.header)
        return self._finish(result, segments, threshold)

    def _clean_all(
        self, documents: Iterator[Document | str], batch_documents: int
    ) -> Iterator[CleanResult]:
        while batch := list(islice(documents, batch_documents)):
            yield from self._clean_batch(
                [_prepare(_document(given), self._languages) for given in batch]
            )

    def _clean_batch(self, tasks: Sequence[_Task]) -> Iterator[CleanResult]:
        for group in _groups(tasks):
            judged = iter(self._judge([task for task in group if not task.why]))
            for task in group:
                yield self._unjudged(task) if task.why else next(judged)

    def _judge(self, tasks: Sequence[_Task]) -> Iterator[CleanResult]:
        if not tasks:
            return
        scored = self._detector.score(self._encode(tasks))
        for task, found in zip(tasks, scored, strict=True):
            yield self._result(task, found)

    def _encode(self, tasks: Sequence[_Task]) -> list[Encoded]:
        return encode([(task.title, task.read) for task in tasks], self._encoder)

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

    def inspect(self, document: Document | str) -> Inspected:
        """The result for one document, as `clean_many` gives it, with all that it rests on."""
        task = _prepare(_document(document), self._languages)
        if task.why:
            return Inspected(self._unjudged(task), task.segments)
        encoded = self._encode([task])
        scored = self._detector.score(encoded)[0]
        result = self._result(task, scored)
        if not result.judged:
            return Inspected(result, task.segments)
        title = scored.title
        topic = self._detector.knowledge.topic
        return Inspected(
            result,
            task.segments,
            scored.observed,
            self._detector.contributions(scored, task.read),
            None if title is None else topic.project(title[None])[0],
            topic.between / (1.0 + topic.between),
        )

    def goes(self, result: CleanResult) -> list[bool]:
        """Whether each fragment of `result` is removed at the cleaner's own threshold."""
        return _goes(result, self.settled(result), self.threshold)

    def settled(self, result: CleanResult) -> list[bool | None]:
        """Whether each fragment of `result` is settled, whatever its score.

        True: a pattern drops it. False: a pattern, its reason, or that it is the one heading of the
        first rank in Markdown, keeps it. None: its score decides.
        """
        return self._all_settled(result, self.threshold)

    def _result(self, task: _Task, scored: Scored) -> CleanResult:
        if not _has_topic(scored.observed, self._detector.knowledge.topic):
            return self._unjudged(replace(task, why="no dominant topic"))
        least = max(min(NO_SUSPICION, self.threshold), _LEAST_SCORE)
        fragments = _fragments(task, scored, least=least)
        result = CleanResult(
            source=task.document.text, fragments=fragments, identity=task.document.identity
        )
        return self._finish(result, task.segments, self.threshold)

    def _finish(self, result: CleanResult, segments: Segments, threshold: float) -> CleanResult:
        """Decide what goes, and cut it."""
        settled = self._all_settled(result, threshold)
        remove = _goes(result, settled, threshold)
        findings = []
        for index, span in segments.deletions(remove).items():
            told = result.fragments[index].as_reported(dropped=settled[index])
            text = result.source[span.start : span.end]
            findings.append(
                Finding(span.start, span.end, text, told.score, told.reason, told.evidence)
            )
        return replace(result, findings=tuple(findings))

    def _all_settled(self, result: CleanResult, threshold: float) -> list[bool | None]:
        first, last = only_heading(result.source) or (0, 0)
        return [
            self._settled(own, result.source, threshold, heads=first <= own.start < last)
            for own in result.fragments
        ]

    def _settled(
        self, fragment: Fragment, source: str, threshold: float, *, heads: bool
    ) -> bool | None:
        """Whether a fragment goes or stays whatever its score; None where the score decides."""
        text = source[fragment.start : fragment.end]
        if _matches(self._keep, text):
            return False
        if _matches(self._drop, text):
            return True
        if heads:  # the headline: training texts had theirs beside them, not in them
            return False
        # Without suspicion no reason was sought: it is its score that keeps it.
        is_unsuspected = not fragment.evidence and fragment.score < threshold
        return None if is_unsuspected or fragment.reason in self._reasons else False


def _goes(result: CleanResult, settled: Sequence[bool | None], threshold: float) -> list[bool]:
    """Whether each fragment goes at the threshold, where nothing else settles it."""
    least = max(threshold, _LEAST_SCORE)
    return [
        fragment.score >= least if fixed is None else fixed
        for fragment, fixed in zip(result.fragments, settled, strict=True)
    ]


def kept_cleaner(*, encoder: str | None, model: str | Path | None, **options: Any) -> Cleaner:
    """The `Cleaner` with these parameters: loaded once, and again where the model is another one.

    Raises
    ------
    OptionError, ModelError
        As for `Cleaner`.
    """
    folder = None if model is None else os.fspath(model)  # which is hashable, whatever gives it
    return _loaded(manifests(encoder, folder), encoder=encoder, model=folder, **options)


@lru_cache(maxsize=4)
def _loaded(_: tuple[bytes | None, ...], **options: Any) -> Cleaner:
    return Cleaner(**options)


# A model's threads do not survive a fork: the child loads its own.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_loaded.cache_clear)


def _finite(vectors: Vectors) -> Vectors:
    """`vectors` with zeros for each that is not finite: it says nothing, and spoils no other's."""
    finite = np.isfinite(vectors).all(axis=1, keepdims=True)
    return vectors if finite.all() else np.where(finite, vectors, np.float32(0))


def _document(given: Document | str) -> Document:
    document = given if isinstance(given, Document) else Document(given)
    check_type("text", document.text, str, "give a string")
    if document.title is not None:
        check_type("title", document.title, str, "give a string, or None")
    return document


def _prepare(document: Document, languages: Sequence[str]) -> _Task:
    if why := _too_much(document.text):
        return _Task(document, "", segment(""), segment(""), why)
    title, segments = title_and_segments(document, language=languages[0])
    read = readable(segments)
    return _Task(document, title, segments, read, _why_not(segments, read, languages))


def _too_much(text: str) -> str:
    """Why `text` is not even cut into fragments; empty where it is."""
    if len(text) > LONGEST:
        return f"longer than {LONGEST:,} characters"
    return f"more than {MOST_LINES:,} lines" if count_lines(text) > MOST_LINES else ""


def title_and_segments(document: Document, *, language: str) -> tuple[str, Segments]:
    """Title, and fragments of a document; no line of its header is a fragment.

    The title is the one that is given, else the header's, else empty.
    """
    header = find_header(document.text, title=document.title)
    title = document.title or ""
    if not title.strip() and header.title is not None:
        title = as_read(document.text[header.title.start : header.title.end])
    return title, segment(document.text, language=language, skip=header.spans)


def encode(documents: Sequence[tuple[str, Segments]], encoder: Encoder) -> list[Encoded]:
    """What a detector is given of documents, each by its title and fragments, as they are read."""
    texts = [[text[:ENCODED] for text in (*own.texts, title)] for title, own in documents]
    vectors = map(_finite, encoder.encode_documents(texts))
    return [
        Encoded(own, found[:-1], title, found[-1] if title.strip() else None)
        for (title, own), found in zip(documents, vectors, strict=True)
    ]


def _groups(tasks: Sequence[_Task]) -> Iterator[list[_Task]]:
    """Consecutive documents that are judged together: many short ones, or one long one."""
    group: list[_Task] = []
    total = 0
    for task in tasks:
        size = len(task.segments)
        if group and total + size > _JUDGED_TOGETHER:
            yield group
            group, total = [], 0
        group.append(task)
        total += size
    if group:
        yield group


def _why_not(segments: Segments, read: Segments, languages: Sequence[str]) -> str:
    """Why a document cannot be judged; empty where it can."""
    if len(segments) < FEWEST_FRAGMENTS:
        return f"fewer than {FEWEST_FRAGMENTS} fragments"
    if _is_markup(segments.text):
        return "HTML: give the text of the page"
    language = language_of(read.text)
    if language is not None and language not in languages:
        return f"language {language}: the encoder was made for {', '.join(languages)}"
    return ""


def _is_markup(text: str) -> bool:
    """Whether `text` is the source of a page: opens as one does, or most lines open with tags."""
    if "<" not in text:
        return False
    lines = [line for line in map(str.strip, text.splitlines()) if line]
    return bool(_PAGE.match(text)) or 2 * sum(map(bool, map(_TAGGED.match, lines))) > len(lines)


def _has_topic(observed: Observed, topic: TopicModel) -> bool:
    """Whether most of the running text is closer to one topic than to any: not so in a digest.

    A title that is worded otherwise than the text does not take the topic from it: what has plainly
    one by itself is judged.
    """
    words = np.expm1(observed.columns["words"])
    running = words >= _RUNNING_WORDS
    if np.count_nonzero(running) < FEWEST_FRAGMENTS:
        return True

    def share(ratios: Floats) -> float:
        return float(words[running & (ratios > 0)].sum() / words[running].sum())

    if share(observed.columns["topic_ratio"]) >= _DOMINANT:
        return True
    is_titled = bool(observed.columns["document_titled"].any())
    return is_titled and share(untitled_ratios(observed, topic)) >= _DOMINANT_UNTITLED


def _fragments(task: _Task, scored: Scored, *, least: float) -> tuple[Fragment, ...]:
    """The fragments with their scores and, from a score of `least`, reasons and evidence."""
    suspects = np.flatnonzero(scored.scores >= least)
    columns = scored.observed.columns
    read = {name: columns[name][suspects] for name in (*_REPORTED, "full_stop") if name in columns}
    read["words"] = np.rint(np.expm1(columns["words"][suspects]))  # held against whole numbers
    values = np.stack(list(read.values()), axis=1).tolist()
    told = {
        i: dict(zip(read, own, strict=True))
        for i, own in zip(suspects.tolist(), values, strict=True)
    }
    fragments: list[Fragment] = []
    extents = zip(task.segments.starts.tolist(), task.segments.ends.tolist(), strict=True)
    texts = task.read.texts
    scores = scored.scores.tolist()
    for index, ((start, end), score) in enumerate(zip(extents, scores, strict=True)):
        if index not in told:
            fragments.append(Fragment(start, end, score, "off-topic"))
            continue
        is_below = bool(fragments) and fragments[-1].score >= NO_SUSPICION
        above = fragments[-1].reason if is_below else ""
        reason = reason_of(texts[index], told[index], above=above)
        fragments.append(Fragment(start, end, score, reason, _reported(told[index])))
    return tuple(fragments)


def _reported(evidence: Mapping[str, float]) -> dict[str, float]:
    """What a finding reports of its evidence."""
    first = _OF_FURNITURE if evidence.get("furniture", 0.0) > 0.0 else ()
    names = dict.fromkeys((*first, *_REPORTED))
    return {name: round(evidence[name], 4) for name in names if name in evidence}


def _matches(patterns: Sequence[re.Pattern[str]], text: str) -> bool:
    return any(pattern.search(text) for pattern in patterns)
