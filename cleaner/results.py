"""What cleaning a document gives: its findings, its scores, and the way back to the input."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cleaner.document import Span, find_header
from cleaner.errors import RestoreError


@dataclass(frozen=True, slots=True)
class Finding:
    """One deletion.

    Attributes
    ----------
    start, end
        Half-open code-point offsets into the text as given, white space that goes along included.
    text
        ``input[start:end]``.
    score
        Calibrated probability that the fragment does not belong, 0 to 1.
    reason
        One of `cleaner.reasons.REASONS`.
    evidence
        Some of what it rests on: names of evidence to their values for this fragment.
    """

    start: int
    end: int
    text: str
    score: float
    reason: str
    evidence: Mapping[str, float] = field(default_factory=dict, hash=False)

    def to_dict(self) -> dict[str, Any]:
        """The finding as JSON types."""
        return {
            "start": self.start,
            "end": self.end,
            "text": self.text,
            "score": self.score,
            "reason": self.reason,
            "evidence": dict(self.evidence),
        }


@dataclass(frozen=True, slots=True)
class Fragment:
    """A line, or a sentence of a line that holds several, and what was made of it.

    What a pattern drops keeps its own score and reason here, so that a cleaner without the pattern
    can decide anew; its finding has the score 1 and the reason ``pattern``.

    Attributes
    ----------
    start, end
        The fragment itself, without the white space around it.
    score
        Calibrated probability that it does not belong, 0 to 1; 0 where it was not judged.
    reason
        Why it would be removed; ``off-topic`` where there is next to no suspicion, for then no
        reason was sought.
    evidence
        As in a finding; empty where there is next to no suspicion.
    """

    start: int
    end: int
    score: float
    reason: str
    evidence: Mapping[str, float] = field(default_factory=dict, hash=False)

    def as_reported(self, *, dropped: bool | None) -> Fragment:
        """The fragment as its finding has it, and whatever shows it; `dropped`: by a pattern."""
        return replace(self, score=1.0, reason="pattern", evidence={}) if dropped else self


@dataclass(frozen=True, slots=True)
class CleanResult:
    """The outcome for one document.

    Attributes
    ----------
    source
        The text as given.
    findings
        What was removed, in order, without overlap.
    fragments
        Every fragment with its score, removed or not: another threshold needs no new encoding
        (`cleaner.cleaning.Cleaner.apply`).
    judged
        False where the document was kept whole for want of knowledge.
    why
        Why it was not judged; empty where it was.
    identity
        The caller's name for the document.
    """

    source: str
    findings: tuple[Finding, ...] = ()
    fragments: tuple[Fragment, ...] = ()
    judged: bool = True
    why: str = ""
    identity: str | None = None

    @property
    def text(self) -> str:
        """The clean text: `source` less the findings."""
        return delete(self.source, [Span(f.start, f.end) for f in self.findings])

    @property
    def header(self) -> list[Span]:
        """What is in no fragment: the header's lines, and those that show a reader nothing.

        A text without fragments is all header, or too long to have been cut into any.
        """
        if not self.fragments:
            return list(find_header(self.source).spans)
        ends = [0, *(fragment.end for fragment in self.fragments)]
        starts = [*(fragment.start for fragment in self.fragments), len(self.source)]
        gaps = zip(ends, starts, strict=True)
        return [Span(a, b) for a, b in gaps if self.source[a:b].strip()]

    @property
    def changed(self) -> bool:
        """Whether anything was removed."""
        return bool(self.findings)

    def rebuild(self) -> str:
        """The input again, from the clean text and the findings alone."""
        return restore(self.text, self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Result as JSON types: ``text``, ``removed``, ``judged`` and, if not judged, ``why``."""
        record: dict[str, Any] = {
            "text": self.text,
            "removed": [finding.to_dict() for finding in self.findings],
            "judged": self.judged,
        }
        if not self.judged:
            record["why"] = self.why
        return record


def delete(text: str, spans: Sequence[Span]) -> str:
    """`text` less `spans`, which are in order and do not overlap."""
    kept: list[str] = []
    at = 0
    for span in spans:
        kept.append(text[at : span.start])
        at = span.end
    kept.append(text[at:])
    return "".join(kept)


def restore(text: str, findings: Iterable[Finding]) -> str:
    """Put `findings` back into the clean `text` they were taken from.

    Raises
    ------
    RestoreError
        If a finding overlaps the one before, or begins past the end: they belong to another text.
    """
    parts: list[str] = []
    taken = written = 0
    for finding in sorted(findings, key=lambda finding: finding.start):
        gap = finding.start - written
        if gap < 0 or taken + gap > len(text) or len(finding.text) != finding.end - finding.start:
            raise RestoreError(
                f"the fragment removed at {finding.start} does not fit this text",
                next_step="give the clean text and the removed fragments of one and the same run",
            )
        parts += (text[taken : taken + gap], finding.text)
        taken += gap
        written = finding.end
    parts.append(text[taken:])
    return "".join(parts)
