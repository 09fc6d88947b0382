"""A document: its text, its title, and the header that it may open with."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

from cleaner.markdown import as_read

# Everything at which a line ends: the usual three, form feed, and Unicode's line separators.
_ENDS = "\n\r\x0b\x0c\x85\u2028\u2029"
_BREAKS = re.escape(_ENDS)
_BREAK = f"[{_BREAKS}]"
_BLANKS = r"[\ufeff \t\u00a0]*"
_HEADING, _EMPHASIS = r"(?:#{1,6}[ \t]+)?", r"[*_]{0,3}"  # of Markdown
LINE = re.compile(rf"([^{_BREAKS}]*)(\r\n|{_BREAK}|\Z)")

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAME = re.compile(rf"\b{_MONTH}", re.IGNORECASE | re.ASCII)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_LABEL = r"(?:(?:(?:first |last )?(?:published|posted|updated|modified)(?: on)?|date):? )"
_YEAR = r"(?:1[89]|20)\d\d"
_CLOCK = (  # 10:00, 10.30pm, 10:00:00Z, 4 p.m. GMT
    r"(?:\d{1,2}[:.]\d\d\S*(?: ?[ap]\.?m\.?)?|\d{1,2} ?[ap]\.?m\.?)"
    r"(?: (?:utc|[a-z]{2,3}t|[+-]\d\d:?\d\d))?"
)
_DATE = re.compile(
    rf"{_LABEL}?(?P<day>{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    rf"|{_YEAR}[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])"
    rf"|(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|[12]\d|3[01])[-/.]{_YEAR}"
    rf"|(?:[a-z]{{3,9}},? )?{_DAY}[ -](?:of )?{_MONTH},?[ -]{_YEAR}"
    rf"|(?:[a-z]{{3,9}},? )?{_MONTH} {_DAY},? {_YEAR})"
    rf"(?:(?:T|,? (?:at |[-|\u2013] )?){_CLOCK})?",
    re.IGNORECASE | re.ASCII,
)
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_FEWEST_TITLE_WORDS = 3
_FEWEST_HEADLINE_WORDS = 4  # of a title below its date: fewer are as likely an author, or a button
_SENTENCE_END = re.compile(r"[.,:;\u2026\u3002][\"'\u2019\u201d\u00bb)\]]*\Z")
_AUTHOR = re.compile(r"(?:\w+ )?by ", re.IGNORECASE)
_LONGEST_TITLE = 400
_OTHER_LINES = 2  # that may stand among those of a header: a subtitle, an author
_HEADER_LINES = 3 + _OTHER_LINES
_HEADER_REACH = 8_000  # code points within which its lines begin


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
    """The lines that head a document, each without its line ending; None where absent."""

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
    """Recognise title, date and address among the lines that `text` opens with, or a known title.

    Two other lines may stand between them (a subtitle, an author) and are no part of the header.
    The first line is the title if it equals the given `title`, or if a date or an address follows
    it in the header; where it ends like a sentence, on the very next line. If the text opens with a
    date, the line below that is the title unless it looks like a sentence, a button or an author.
    Failing these, the first line anywhere that equals `title` is: on the text of a whole page it
    stands below the menu. Never raises; an empty `Header` where there is none.
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
        opening = [as_read(text[span.start : span.end]) for span in lines]
        marks = {lines.index(span) for span in found.values()}
        if _is_title(opening, lines.index(first), marks, (title or "").strip()):
            found["title"] = first
    if "title" not in found and title:
        below = _line_that_is(title.strip(), text)
        if below is not None and below not in found.values():
            found["title"] = below
    return Header(**found)


def count_lines(text: str) -> int:
    """How many line ends `text` has."""
    return sum(map(text.count, _ENDS)) - text.count("\r\n")


def _line_that_is(wanted: str, text: str) -> Span | None:
    """The first line of `text` that is `wanted`, or else the first that is it in another case.

    As a heading or in emphasis it is that, too.
    Letters that are more or fewer in the other case ("ß", "İ") are only found as they are.
    """
    if not wanted or wanted.casefold() not in text.casefold() or re.search(_BREAK, wanted):
        return None
    marked = rf"{_HEADING}{_EMPHASIS}({re.escape(wanted)}){_EMPHASIS}"
    line = rf"(?:^|{_BREAK}){_BLANKS}{marked}{_BLANKS}(?:$|{_BREAK})"
    found = re.search(line, text) or re.search(line, text, re.IGNORECASE)
    return None if found is None else Span(*found.span(1))


def _opening_lines(text: str) -> list[Span]:
    """Stripped extents of the first few lines that are not blank."""
    lines: list[Span] = []
    for match in LINE.finditer(text):
        stripped = match[1].strip("\ufeff \t\u00a0")
        if stripped:
            start = match.start() + match[1].index(stripped)
            lines.append(Span(start, start + len(stripped)))
        if len(lines) == _HEADER_LINES or not match[0] or match.end() > _HEADER_REACH:
            break
    return lines


def _kind(line: str) -> str:
    line = as_read(line)
    if _is_date(line):
        return "date"
    if _ADDRESS.fullmatch(line):
        return "address"
    return "title"


def _is_date(line: str) -> bool:
    match = _DATE.fullmatch(line)
    return match is not None and any(
        day <= monthrange(year, month)[1] for year, month, day in _readings(match["day"])
    )


def _readings(written: str) -> list[tuple[int, int, int]]:
    """Year, month and day of a date, in each order that it may be meant in."""
    if written.isdigit():
        return [(int(written[:4]), int(written[4:6]), int(written[6:]))]
    numbers = [int(number) for number in re.findall(r"\d+", written)]
    name = _NAME.search(written)
    year = max(numbers)
    if name:
        return [(year, _MONTHS.index(name[0][:3].lower()) + 1, min(numbers))]
    numbers.remove(year)
    return [(year, month, day) for month, day in permutations(numbers) if month <= len(_MONTHS)]


def _is_title(lines: Sequence[str], at: int, marks: set[int], given: str) -> bool:
    """Whether line `at`, the first that is no date or address, is the title.

    Parameters
    ----------
    lines, at
        The lines of the opening, and which of them is asked about.
    marks
        Which of them are the date and the address.
    given
        The title that the caller knows; empty where none is known.
    """
    are_marks_above = marks >= set(range(at))
    if are_marks_above and lines[at].casefold() == given.casefold():
        return True
    if len(lines[at]) > _LONGEST_TITLE:
        return False
    if max(marks, default=0) > at:
        return at + 1 in marks or _is_above_mark(lines[at])
    # Without a mark behind it, it is as likely the first line of the article.
    is_below_date = are_marks_above and any(map(_is_date, lines[:at]))
    return is_below_date and not given and _is_headline(lines[at], *lines[at + 1 : at + 2])


def _is_above_mark(line: str) -> bool:
    """Whether `line` can be a title although others stand between it and its date or address."""
    # A word or two are as likely the first of a page's menu, a sentence the first of the article.
    is_long = len(line.split()) >= _FEWEST_TITLE_WORDS or not line.isascii()
    return is_long and not _SENTENCE_END.search(line)


def _is_headline(line: str, behind: str = "") -> bool:
    """Whether a line below a date is a title, and not a button, an author or the article itself."""
    is_long = len(line.split()) >= _FEWEST_HEADLINE_WORDS
    is_broken = behind[:1].islower()  # a sentence that goes on there
    return is_long and not (is_broken or _SENTENCE_END.search(line) or _AUTHOR.match(line))
