"""A document: its text, its title, and the header that it may open with."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Everything at which a line ends: the usual three, form feed, and Unicode's line separators.
LINE = re.compile(r"([^\n\r\x0b\x0c\x85\u2028\u2029]*)(\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]|\Z)")

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"(?:1[89]|20)\d\d"
_DATE = re.compile(
    rf"(?:{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    rf"|{_YEAR}[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])(?:[T ]\d\d:\d\d\S*)?"
    rf"|(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|[12]\d|3[01])[-/.]{_YEAR}"
    rf"|(?:[a-z]{{3,9}},? )?{_DAY} {_MONTH},? {_YEAR}"
    rf"|(?:[a-z]{{3,9}},? )?{_MONTH} {_DAY},? {_YEAR})",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_FEWEST_TITLE_WORDS = 3
_LONGEST_TITLE = 400
_HEADER_LINES = 4


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open range of code points: ``text[start:end]``."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"not a span: {self.start}, {self.end}")


@dataclass(frozen=True, slots=True)
class Header:
    """The lines a document opens with, each without its line ending; None where absent."""

    title: Span | None = None
    date: Span | None = None
    address: Span | None = None

    @property
    def spans(self) -> tuple[Span, ...]:
        """The parts that are there, in reading order."""
        found = (span for span in (self.title, self.date, self.address) if span is not None)
        return tuple(sorted(found, key=lambda span: span.start))


@dataclass(frozen=True, slots=True)
class Document:
    """One article.

    Parameters
    ----------
    text
        The text as given. Nothing is normalised.
    title
        The title where the caller knows it; it anchors the topic and is not part of the output.
    identity
        The caller's name for the document (an id, a path, a row), for messages.
    """

    text: str
    title: str | None = None
    identity: str | None = None


def find_header(text: str, *, title: str | None = None) -> Header:
    """Recognise title, date and address in the lines that `text` opens with.

    A header is a run of opening lines of which each is a date, an address or, once, a title.
    It counts only with a date or an address in it, or when its first line is the given `title`:
    an opening sentence alone is no title. Never raises; an empty `Header` where there is none.
    """
    found: dict[str, Span] = {}
    for start, end in _opening_lines(text):
        line = text[start:end]
        kind = _kind(line)
        if kind in found or (kind == "title" and not _can_be_title(line)):
            break
        found[kind] = Span(start, end)
    if "date" in found or "address" in found:
        # A title that stands behind date and address is as likely the first line of the article.
        marks = [found[kind].start for kind in ("date", "address") if kind in found]
        if "title" in found and found["title"].start > max(marks):
            del found["title"]
        return Header(**found)
    first = found.get("title")
    if first and title and text[first.start : first.end].casefold() == title.strip().casefold():
        return Header(title=first)
    return Header()


def _opening_lines(text: str) -> list[tuple[int, int]]:
    """Stripped extents of the first few lines that are not blank."""
    lines: list[tuple[int, int]] = []
    for match in LINE.finditer(text, 0, min(len(text), 8_000)):
        stripped = match[1].strip("\ufeff \t\u00a0")
        if stripped:
            start = match.start() + match[1].index(stripped)
            lines.append((start, start + len(stripped)))
        if len(lines) == _HEADER_LINES or not match[0]:
            break
    return lines


def _kind(line: str) -> str:
    if _DATE.fullmatch(line):
        return "date"
    if _ADDRESS.fullmatch(line):
        return "address"
    return "title"


def _can_be_title(line: str) -> bool:
    return len(line) <= _LONGEST_TITLE and (
        len(line.split()) >= _FEWEST_TITLE_WORDS or not line.isascii()
    )
