"""Markdown in a text: what a reader sees of it, and where no sentence ends.

Converters of web pages write links, pictures and emphasis as Markdown (CommonMark 0.31). The models
know the text that a reader sees, so that is what they are given; what is cut is cut from the text
as it is, and a link or a picture as a whole.
"""

from __future__ import annotations

import re
from itertools import islice

# A text that holds it is taken for Markdown: no other has a reason to.
LINKED = "]("

# "(address)" or "(address "title")"; an address has its own brackets in pairs. Here and below
# nothing is tried twice: else a bracket that is never closed would take exponential time.
_TARGET = (
    r"\(\s*+(?:<[^<>\n]*+>|[^\s()]*+(?:\([^\s()]*+\)[^\s()]*+)*+)"
    r"(?:\s++(?:\"(?:[^\"\\\n]|\\.)*+\"|'(?:[^'\\\n]|\\.)*+'|\([^()\n]*+\)))?+\s*+\)"
)
_LETTERS = r"[^\[\]\\\n]++|\\."
# A link's text may hold pictures and brackets in pairs, and these others.
_HELD = rf"\[(?:{_LETTERS}|\[(?:{_LETTERS})*+\](?:{_TARGET})?+)*+\](?:{_TARGET})?+"
# What is escaped is passed over first: it begins no link.
_LINK = re.compile(rf"\\.|!?\[((?:{_LETTERS}|{_HELD})*+)\]{_TARGET}")
# A link around several lines: it begins on a line of its own, and its address stands on another.
_TORN = re.compile(rf"\]{_TARGET}")
_OPENING = re.compile(r"(?<![\w*\\])[*_]{1,4}(?=[^\s*_])")
_CLOSING = re.compile(r"(?<=[^\s*_\\])[*_]{1,4}(?![\w*])")
_ENDED = re.compile(r"([.!?\u2026][\"'\u201d\u2019)]?)([*_]{1,4})(?=\s|$)")
# Of what begins with a dash only links are surely no list that an author made, or has ticked off.
_LINE_MARK = re.compile(r"(?:>\s?)*(?:#{1,6}\s+|[*+]\s+|-\s+(?=!?\[(?![ xX]\])))?")
_BARE = re.compile(r"<(https?://[^\s<>]+)>")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
# All ends of a line as one, at their length: only "\n" ends one for what is sought line by line.
_BREAKS = {ord(end): "\n" for end in "\r\x0b\x0c\x85\u2028\u2029"}
_FRONT_MATTER = re.compile(r"\ufeff?---[ \t]*\n(?:.*\n)*?---[ \t]*(?:\n|\Z)")
_FENCED = re.compile(r"^ {0,3}(`{3}|~{3})(?:.*\n)+?(?: {0,3}\1.*$|\Z)", re.MULTILINE)
_HEADING = re.compile(
    r"^\ufeff? {0,3}(?:#[ \t]+\S.*|(?![>|=]|[-*+] )\S.*\n=+[ \t]*)$", re.MULTILINE
)
_UNDERLINE = re.compile(r"=+|--+")
_ENDS = ".!?\u2026"
_NO_END, _CAPITAL = "x", "X"


def as_read(text: str) -> str:
    """What a reader sees of `text`, part of a line or a whole one.

    Of a link its text, of a picture its description, and no marks of headings, emphasis, quotes and
    bullets. Empty where there is nothing else.

    >>> as_read("## See **[the _map_](https://example.org/map)** ![Map](map.png)")
    'See the map Map'
    """
    text = text[_LINE_MARK.match(text).end() :] or text  # type: ignore[union-attr]  # may be empty
    if text == "[" or _TORN.fullmatch(text):
        return ""
    if LINKED in text:
        text = _LINK.sub(_seen, text)
    if "<http" in text:
        text = _BARE.sub(r"\1", text)
    if "*" in text or "_" in text:
        text = _CLOSING.sub("", _OPENING.sub("", text))
    if "\\" in text:
        text = _ESCAPED.sub(r"\1", text)
    return text.strip()


def only_heading(text: str) -> tuple[int, int] | None:
    """Where the one heading of the first rank stands; None if there is none, or are several.

    What stands in front matter or in a block of code is none.
    """
    if LINKED not in text:
        return None
    lines = text.replace("\r\n", " \n").translate(_BREAKS)
    start = front_matter_end(text)
    lines = _FENCED.sub(lambda block: " " * len(block[0]), lines[start:])
    found = list(islice(_HEADING.finditer(lines), 2))
    return (start + found[0].start(), start + found[0].end()) if len(found) == 1 else None


def front_matter_end(text: str) -> int:
    """Where the front matter ends that a text opens with, between lines of three dashes; or 0."""
    if not text.startswith(("---", "\ufeff---")):
        return 0
    found = _FRONT_MATTER.match(text.replace("\r\n", " \n").translate(_BREAKS))
    return found.end() if found else 0


def is_underline(line: str) -> bool:
    """Whether a line makes a heading of the one above it, if that is text."""
    return bool(_UNDERLINE.fullmatch(line))


def _seen(link: re.Match[str]) -> str:
    return link[0] if link[1] is None else _LINK.sub(_seen, link[1])


def without_ends(line: str) -> str:
    """`line` at its length, so that no sentence ends within a link, or before what closes emphasis.

    A link becomes a word that begins as the first of its text does, and ends a sentence if its text
    does.
    """
    if LINKED in line:
        line = _LINK.sub(_as_word, line)
    if "*" in line or "_" in line:
        line = _OPENING.sub(lambda mark: line[mark.end()] * len(mark[0]), line)
        line = _ENDED.sub(lambda end: _NO_END * len(end[2]) + end[1], line)
    return line


def _as_word(link: re.Match[str]) -> str:
    if link[1] is None:
        return link[0]
    seen = as_read(link[0]) or _NO_END
    first = seen[0] if seen[0].isalnum() else _CAPITAL
    last = seen[-1] if seen[-1] in _ENDS else _NO_END
    return first + _NO_END * (len(link[0]) - 2) + last
