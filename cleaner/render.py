"""Results for people to read: unified diffs, and findings as lines."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from cleaner.document import Span
from cleaner.results import CleanResult, Finding, delete

_CONTEXT = 3  # lines around a change, as diff -u has it
_LONGEST_QUOTE = 160  # code points of a fragment in an explanation
_MOST_EVIDENCE = 3

_RESET = "\x1b[0m"
_BOLD = "\x1b[1m"
_COLOURS = {"@": "\x1b[36m", "-": "\x1b[31m", "+": "\x1b[32m"}
_HEAD = 2  # lines that name the two sides

_DIFF_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class _Change:
    """Lines of the source, half-open, and the lines that stand there afterwards."""

    start: int
    end: int
    after: tuple[str, ...]


def diff(result: CleanResult, name: str) -> str:
    """Unified diff from the source to the clean text; empty where nothing is removed.

    It is made from the findings themselves, so it takes time in proportion to the text, and
    ``patch`` takes it. Lines end at line feeds alone, as they do for ``patch``.

    Parameters
    ----------
    result
        The outcome for one document.
    name
        What both sides are called.
    """
    if not result.findings:
        return ""
    lines = _split(result.source)
    out = [f"--- {name}\n", f"+++ {name}\n"]
    shift = 0
    for hunk in _hunks(_changes(result, lines)):
        body, before, after = _hunk_lines(hunk, lines)
        first = max(0, hunk[0].start - _CONTEXT)
        out.append(f"@@ -{_extent(first, before)} +{_extent(first + shift, after)} @@\n")
        out += body
        shift += after - before
    return "".join(out)


def coloured(text: str) -> str:
    """`diff` with colours for a terminal, and escapes for what could steer it."""
    shown = "".join(char if char in "\n\t" else printable(char) for char in text)
    head, body = _split(shown)[:_HEAD], _split(shown)[_HEAD:]
    return "".join([*(_paint(line, _BOLD) for line in head), *map(_coloured_line, body)])


def _coloured_line(line: str) -> str:
    colour = _COLOURS.get(line[0])
    return _paint(line, colour) if colour else line


def _paint(line: str, colour: str) -> str:
    return f"{colour}{line.removesuffix(chr(10))}{_RESET}\n"


def explanation(result: CleanResult, name: str) -> Iterator[str]:
    """One line for each deletion: place, reason, score, evidence and what was taken out.

    A document that was not judged gives one line that says why.
    """
    if not result.judged:
        yield f"{name}: not judged: {result.why}"
    for finding, line in zip(result.findings, line_numbers(result), strict=True):
        evidence = ", ".join(
            f"{key} {value:.3g}" for key, value in list(finding.evidence.items())[:_MOST_EVIDENCE]
        )
        why = f"{finding.reason}, {finding.score:.2f}" + (f"; {evidence}" if evidence else "")
        yield f"{name}:{line}: removed ({why}): {quote(finding.text)}"


def quote(text: str) -> str:
    """`text` on one line, shortened, with nothing in it that could steer a terminal."""
    words = " ".join(text.split())
    short = words if len(words) <= _LONGEST_QUOTE else words[: _LONGEST_QUOTE - 1] + "\u2026"
    return printable(short)


def printable(text: str) -> str:
    r"""`text` with escapes in place of what cannot be shown, or could steer a terminal.

    >>> printable("red \x1b[31m, turned \u202e")
    'red \\x1b[31m, turned \\u202e'
    """
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def plural(count: int, noun: str) -> str:
    """How many there are of something.

    >>> plural(1, "document"), plural(1200, "line")
    ('1 document', '1,200 lines')
    """
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def line_numbers(result: CleanResult) -> list[int]:
    """For each finding, the number of the line its first visible character is in, from 1."""
    if not result.findings:
        return []
    # As editors count, not as fragments are cut: a form feed begins no line here.
    starts = [0, *(match.end() for match in _LINE_END.finditer(result.source))]
    return [bisect_right(starts, _visible(finding)) for finding in result.findings]


def _visible(finding: Finding) -> int:
    return finding.start + len(finding.text) - len(finding.text.lstrip())


def _split(text: str) -> list[str]:
    return _DIFF_LINE.findall(text)


def _changes(result: CleanResult, lines: Sequence[str]) -> list[_Change]:
    """What happens to the lines of the source, as disjoint changes in order."""
    bounds = list(accumulate(map(len, lines), initial=0))
    spans = [Span(finding.start, finding.end) for finding in result.findings]
    changes: list[_Change] = []
    taken = 0
    while taken < len(spans):
        start = bisect_right(bounds, spans[taken].start) - 1
        end, first = start + 1, taken
        at = bounds[start]
        pieces: list[str] = []
        while True:
            while taken < len(spans) and spans[taken].start < bounds[end]:
                end = max(end, bisect_left(bounds, spans[taken].end))
                taken += 1
            if piece := _less(result.source, at, bounds[end], spans[first:taken]):
                pieces.append(piece)
            at, first = bounds[end], taken
            if not pieces or pieces[-1].endswith("\n") or end == len(lines):
                break
            end += 1  # its line ending went: what stands behind now joins it
        changes.append(_Change(start, end, tuple(_split("".join(pieces)))))
    return changes


def _less(text: str, start: int, end: int, spans: Sequence[Span]) -> str:
    inside = [Span(span.start - start, span.end - start) for span in spans]
    return delete(text[start:end], inside)


def _hunks(changes: Sequence[_Change]) -> list[list[_Change]]:
    """Changes whose context would touch go together."""
    hunks = [[changes[0]]]
    for before, change in pairwise(changes):
        if change.start - before.end <= 2 * _CONTEXT:
            hunks[-1].append(change)
        else:
            hunks.append([change])
    return hunks


def _hunk_lines(hunk: Sequence[_Change], lines: Sequence[str]) -> tuple[list[str], int, int]:
    """The lines of a hunk, and how many lines it covers before and after."""
    first = max(0, hunk[0].start - _CONTEXT)
    last = min(len(lines), hunk[-1].end + _CONTEXT)
    out: list[str] = []
    at = first
    after = last - first
    for change in hunk:
        out += [_marked(" ", line) for line in lines[at : change.start]]
        out += [_marked("-", line) for line in lines[change.start : change.end]]
        out += [_marked("+", line) for line in change.after]
        after += len(change.after) - (change.end - change.start)
        at = change.end
    out += [_marked(" ", line) for line in lines[at:last]]
    return out, last - first, after


def _marked(mark: str, line: str) -> str:
    return mark + line if line.endswith("\n") else f"{mark}{line}\n\\ No newline at end of file\n"


def _extent(first: int, count: int) -> str:
    """Lines from index `first` on, as a hunk header has them."""
    if count == 1:
        return str(first + 1)
    return f"{first + 1 if count else first},{count}"
