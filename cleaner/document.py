"""A document: its text, its title, and the header that it may open with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Everything at which a line ends: the usual three, form feed, and Unicode's line separators.
LINE = re.compile(r"([^\n\r\x0b\x0c\x85\u2028\u2029]*)(\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]|\Z)")

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"(?:1[89]|20)\d\d"
_CLOCK = (  # 10:00, 10.30pm, 10:00:00Z, 4 p.m. GMT
    r"(?:\d{1,2}[:.]\d\d\S*(?: ?[ap]\.?m\.?)?|\d{1,2} ?[ap]\.?m\.?)(?: (?:utc|[a-z]{2,3}t))?"
)
_DATE = re.compile(
    rf"(?:{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    rf"|{_YEAR}[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])"
    rf"|(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|[12]\d|3[01])[-/.]{_YEAR}"
    rf"|(?:[a-z]{{3,9}},? )?{_DAY} {_MONTH},? {_YEAR}"
    rf"|(?:[a-z]{{3,9}},? )?{_MONTH} {_DAY},? {_YEAR})"
    rf"(?:(?:T|,? (?:at |[-|\u2013] )?){_CLOCK})?",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_FEWEST_TITLE_WORDS = 3
_LONGEST_TITLE = 400
_OTHER_LINES = 2  # that may stand among those of a header: a subtitle, an author
_HEADER_LINES = 3 + _OTHER_LINES


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
    """Recognise title, date and address among the lines that `text` opens with.

    Two other lines may stand between them (a subtitle, an author) and are no part of the header.
    The first line is a title where a date or an address follows, or where it is the given `title`:
    an opening sentence alone is none. Never raises; an empty `Header` where there is none.
    """
    lines = _opening_lines(text)
    found: dict[str, Span] = {}
    others = 0
    for span in lines:
        others += found.setdefault(_kind(text[span.start : span.end]), span) != span
        if others > _OTHER_LINES:
            break
    first = found.pop("title", None)
    if first is not None:
        line = text[first.start : first.end]
        is_given = first == lines[0] and line.casefold() == (title or "").strip().casefold()
        if is_given or _is_title(line, lines[lines.index(first) + 1 :], found):
            found["title"] = first
    return Header(**found)


def _opening_lines(text: str) -> list[Span]:
    """Stripped extents of the first few lines that are not blank."""
    lines: list[Span] = []
    for match in LINE.finditer(text, 0, min(len(text), 8_000)):
        stripped = match[1].strip("\ufeff \t\u00a0")
        if stripped:
            start = match.start() + match[1].index(stripped)
            lines.append(Span(start, start + len(stripped)))
        if len(lines) == _HEADER_LINES or not match[0]:
            break
    return lines


def _kind(line: str) -> str:
    if _DATE.fullmatch(line):
        return "date"
    if _ADDRESS.fullmatch(line):
        return "address"
    return "title"


def _is_title(line: str, behind: Sequence[Span], marks: Mapping[str, Span]) -> bool:
    """Whether a line is the title of the date or address that stands `behind` it."""
    # Without one behind it, it is as likely the first line of the article.
    if len(line) > _LONGEST_TITLE or not any(mark in behind for mark in marks.values()):
        return False
    # A word or two further up are as likely the first of a page's menu.
    is_long = len(line.split()) >= _FEWEST_TITLE_WORDS or not line.isascii()
    return is_long or behind[0] in marks.values()
