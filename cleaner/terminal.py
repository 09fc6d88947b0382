"""An explained document for a terminal, or as plain lines where there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from cleaner.explanation import (
    DROPPED,
    KEPT,
    NOTHING,
    SHOWN_TERMS,
    Explanation,
    Pass,
    explain,
    signed,
)
from cleaner.render import printable

if TYPE_CHECKING:
    from rich.console import Console

    from cleaner.cleaning import Cleaner, Inspected
    from cleaner.results import Fragment

# Every reason, told apart by more than colour alone: each is named beside its fragment.
COLOURS = {
    "off-topic": "red",
    "related-link": "blue",
    "promotion": "magenta",
    "advert": "bright_magenta",
    "sharing": "cyan",
    "legal": "yellow",
    "navigation": "bright_blue",
    "byline": "green",
    "comment": "bright_cyan",
    "pattern": "bright_red",
}
_INDENT = "       "


@dataclass(frozen=True, slots=True)
class Row:
    """One fragment as it is shown.

    Attributes
    ----------
    text
        The fragment, printable.
    score
        0 to 1; None for what is no fragment (the header) or was not judged.
    goes
        Whether it is removed.
    reason
        Why it is, or would be.
    notes
        Its evidence, line by line.
    """

    text: str
    score: float | None
    goes: bool
    reason: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explained:
    """A document with its verdicts and, where it was judged, an explanation of each.

    Attributes
    ----------
    name
        What the document is called.
    threshold
        At which it was decided.
    inspected
        The result and what it rests on.
    goes
        Whether each fragment is removed.
    settled
        What settles each fragment, as of `Cleaner.settled`; None: its score does.
    explanations
        Of each fragment; none where the document was not judged.
    """

    name: str
    threshold: float
    inspected: Inspected
    goes: tuple[bool, ...]
    settled: tuple[bool | None, ...]
    explanations: tuple[Explanation, ...]

    @classmethod
    def of(cls, name: str, inspected: Inspected, cleaner: Cleaner) -> Explained:
        """Explain every fragment of a document."""
        goes = cleaner.goes(inspected.result)
        return cls(
            name,
            cleaner.threshold,
            inspected,
            tuple(goes),
            tuple(cleaner.settled(inspected.result)),
            tuple(explain(inspected, goes)),
        )

    def fragment(self, index: int) -> Fragment:
        """A fragment; what a pattern drops has the score and the reason of its finding."""
        return self.inspected.result.fragments[index].as_reported(dropped=self.settled[index])

    def chosen(self, *, top: int | None, every: bool) -> list[int]:
        """Indices of the fragments to explain: those that go, the `top` highest, or every one."""
        count = len(self.goes)
        if top is not None:
            scores = [self.fragment(index).score for index in range(count)]
            return sorted(range(count), key=lambda index: (-scores[index], index))[:top]
        return [index for index in range(count) if every or self.goes[index]]

    def score(self, index: int) -> float | None:
        """The score of a fragment; None where nothing gave it one."""
        is_scored = self.inspected.result.judged or self.settled[index]
        return self.fragment(index).score if is_scored else None

    def to_dict(self, chosen: Sequence[int]) -> dict[str, Any]:
        """The document as JSON types, with the `chosen` fragments."""
        result = self.inspected.result
        record: dict[str, Any] = {
            "document": result.identity,
            "threshold": self.threshold,
            "judged": result.judged,
        }
        if not result.judged:
            record["why"] = result.why
        record["count"] = len(result.fragments)
        record["removed"] = sum(self.goes)
        record["fragments"] = [self._fragment(index) for index in chosen]
        return record

    def _fragment(self, index: int) -> dict[str, Any]:
        fragment = self.fragment(index)
        is_explained = self.explanations and not self.settled[index]
        explained = self.explanations[index].to_dict() if is_explained else {}
        return {
            "start": fragment.start,
            "end": fragment.end,
            "text": self.inspected.result.source[fragment.start : fragment.end],
            "score": self.score(index),
            "reason": fragment.reason,
            "removed": self.goes[index],
            "settled": self.settled[index],
            **explained,
        }


def headline(explained: Explained) -> str:
    """One line on the document: what goes, and how much of it that is."""
    result = explained.inspected.result
    if not result.judged:
        return f"{explained.name}: not judged: {result.why}"
    gone = sum(finding.end - finding.start for finding in result.findings)
    share = gone / max(len(result.source), 1)
    return (
        f"{explained.name}: {sum(explained.goes)} of {len(explained.goes)} fragments removed,"
        f" {share:.1%} of the text, at threshold {explained.threshold:g}"
    )


def rows(explained: Explained, chosen: Sequence[int], *, top: bool) -> Iterator[Row]:
    """The document in its order with evidence for the `chosen`, or with `top` these alone."""
    if top:
        yield from (_row(explained, index, is_chosen=True) for index in chosen)
        return
    result = explained.inspected.result
    wanted = set(chosen)
    at = 0
    for index, fragment in enumerate(result.fragments):
        yield from _header(result.source[at : fragment.start])
        yield _row(explained, index, is_chosen=index in wanted)
        at = fragment.end
    yield from _header(result.source[at:])


def _header(text: str) -> Iterator[Row]:
    """The lines of what is no fragment."""
    for line in text.splitlines():
        if line.strip():
            yield Row(printable(line.strip()), None, goes=False, reason="")


def _row(explained: Explained, index: int, *, is_chosen: bool) -> Row:
    fragment = explained.fragment(index)
    return Row(
        printable(explained.inspected.result.source[fragment.start : fragment.end]),
        explained.score(index),
        goes=explained.goes[index],
        reason=fragment.reason,
        notes=_notes(explained, index) if is_chosen else (),
    )


def _notes(explained: Explained, index: int) -> tuple[str, ...]:
    settled = explained.settled[index]
    if settled:
        return (DROPPED,)
    kept = (KEPT,) if settled is False else ()
    if not explained.explanations:
        return kept
    explanation = explained.explanations[index]
    deciding = explanation.deciding(goes=explained.goes[index])
    evidence = "; ".join(f"{signed(term.log_odds)}: {term.words}" for term in deciding)
    return (
        # What decided nothing is not given as the cause.
        *(kept or (evidence or NOTHING,)),
        f"first pass {_sum(explanation.first)}",
        f"last pass  {_sum(explanation.last)}",
    )


def _sum(one: Pass) -> str:
    """A verdict as the sum that it is, in log-odds."""
    parts = [f"{signed(one.base)} before any evidence"]
    parts += [f"{signed(term.log_odds)} {term.kind}" for term in one.terms[:SHOWN_TERMS]]
    if rest := one.terms[SHOWN_TERMS:]:
        parts.append(f"{signed(sum(term.log_odds for term in rest))} from {len(rest)} more")
    return f"{one.probability:.3f} (log-odds {signed(one.log_odds)}): {', '.join(parts)}"


def show(
    console: Console, explained: Explained, *, top: int | None = None, every: bool = False
) -> None:
    """Write the document to `console`: in colour on a terminal, as plain lines elsewhere."""
    chosen = explained.chosen(top=top, every=every)
    found = rows(explained, chosen, top=top is not None)
    if not console.is_terminal:
        console.print(headline(explained), soft_wrap=True)
        for row in found:
            for line in _plain(row):
                console.print(line, soft_wrap=True)
        return
    console.print(Text(headline(explained), style="bold"))
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=1)
    grid.add_column(width=4, justify="right")
    grid.add_column(ratio=1, overflow="fold")
    for row in found:
        _add(grid, row)
    console.print(grid)


def _mark(row: Row) -> str:
    return "-" if row.goes else " "


def _plain(row: Row) -> Iterator[str]:
    score = "    " if row.score is None else f"{row.score:.2f}"
    reason = f"[{row.reason}] " if row.goes else ""
    yield f"{_mark(row)} {score} {reason}{row.text}"
    for note in row.notes:
        yield f"{_INDENT}{note}"


def _add(grid: Table, row: Row) -> None:
    body = Text()
    colour = ""
    if row.goes:
        colour = COLOURS[row.reason]
        body.append(row.text, style=f"{colour} strike")
        body.append(f"  {row.reason}", style=f"bold {colour}")
    else:
        body.append(row.text, style="dim" if row.score is None else "")
    for number, note in enumerate(row.notes):
        body.append("\n")
        body.append(note, style="" if number == 0 else "dim")
    score = "" if row.score is None else f"{row.score:.2f}"
    grid.add_row(Text(_mark(row), style=colour), Text(score, style="dim"), body)
