"""Cut a text into fragments: lines, and the sentences of a line that holds several."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import sentencex  # type: ignore[import-untyped]

from cleaner.document import LINE, Span
from cleaner.markdown import LINKED, as_read, front_matter_end, is_underline, without_ends

# A line without one of these inside it is one sentence in every language: no need to ask.
_INNER_STOP = re.compile(
    r"[.!?\u2026\u203d\u0589\u061f\u06d4\u0964\u3002\uff01\uff0e\uff1f]\S?\s|[\u3002\uff01\uff1f]"
)
# "3.", "(b)", "IV.": what numbers a line is no sentence of it.
_MARKER = re.compile(r"\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})[.)]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SHORTEST_SPLIT = 20  # code points; below it a line is taken whole
_CAPITALS = 6  # words from which a fragment in capitals may be running text
_ENDS, _CLOSING = ".!?;", "\"'\u201d\u2019)"
_LONGEST_SENTENCE = 20_000  # code points; a longer run without a stop is cut at a blank
_LONGEST_SPLIT = 100_000  # code points handed to the sentence splitter in one piece

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Segments:
    """The fragments of a text, in order.

    Attributes
    ----------
    text
        The text they lie in.
    starts, ends
        int64, shape (n,): each fragment without the white space around it, half-open.
    lines
        int64, shape (n,): index of the line a fragment lies in, blank lines counted.
    line_spans
        For every line that is not blank: where it begins, and where the next line begins.
    """

    text: str
    starts: Ints
    ends: Ints
    lines: Ints
    line_spans: dict[int, tuple[int, int]]

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def texts(self) -> list[str]:
        """The fragments' own texts."""
        return [
            self.text[a:b] for a, b in zip(self.starts.tolist(), self.ends.tolist(), strict=True)
        ]

    def deletions(self, remove: Sequence[bool] | npt.NDArray[np.bool_]) -> dict[int, Span]:
        """What to cut for each fragment that goes, by its index: disjoint and in order.

        A line of which every fragment goes is cut with its line ending, and, where it stood
        between two blank lines, with the blank line behind it. A sentence that goes alone takes
        the white space behind it along; at the end of its line, the white space before it.

        Parameters
        ----------
        remove
            One truth value a fragment, shape (n,).
        """
        spans: dict[int, Span] = {}
        groups = np.flatnonzero(np.diff(self.lines, prepend=-1, append=-1))
        for first, last in zip(groups[:-1].tolist(), groups[1:].tolist(), strict=True):
            if not any(remove[first:last]):
                continue
            if all(remove[first:last]):
                self._cut_line(first, last, spans)
            else:
                self._cut_sentences(first, last, remove, spans)
        return spans

    def _cut_line(self, first: int, last: int, spans: dict[int, Span]) -> None:
        line = int(self.lines[first])
        start, end = self.line_spans[line]
        if line - 1 not in self.line_spans and 0 < line < next(reversed(self.line_spans)):
            following = LINE.match(self.text, end)
            if following is not None and not following[1].strip():
                end = following.end()
        cuts = [start, *self.starts[first + 1 : last].tolist(), end]
        for offset, (a, b) in enumerate(itertools.pairwise(cuts)):
            spans[first + offset] = Span(a, b)

    def _cut_sentences(
        self,
        first: int,
        last: int,
        remove: Sequence[bool] | npt.NDArray[np.bool_],
        spans: dict[int, Span],
    ) -> None:
        tail = last
        while remove[tail - 1]:
            tail -= 1
        for index in range(first, last):
            if not remove[index]:
                continue
            if index >= tail:
                spans[index] = Span(int(self.ends[index - 1]), int(self.ends[index]))
            else:
                spans[index] = Span(int(self.starts[index]), int(self.starts[index + 1]))


def readable(segments: Segments) -> Segments:
    """The same fragments as a reader sees them: without Markdown, running text in small letters."""
    return in_small_letters(_without_markdown(segments))


def _without_markdown(segments: Segments) -> Segments:
    """The same fragments, in a text of their own, each `as_read`; as they are without a link.

    Where there is none, "# follow the links" is as likely a comment in code.
    """
    if LINKED not in segments.text:
        return segments
    seen = [as_read(text) or text for text in segments.texts]
    parts: list[str] = []
    ends = [0, *segments.ends.tolist()]
    for before, start, text in zip(ends, segments.starts.tolist(), seen, strict=False):
        parts += [segments.text[before:start], text]
    parts.append(segments.text[ends[-1] :])
    sizes = np.cumsum([len(part) for part in parts], dtype=np.int64)
    return replace(segments, text="".join(parts), starts=sizes[:-1:2], ends=sizes[1::2])


def in_small_letters(segments: Segments) -> Segments:
    """The same fragments, running text in capitals in small letters but for its first character.

    Telegrams, notices and the disclaimers of licences are written in capitals, and a detector takes
    capitals for a sign of headlines and calls to action. Text in capitals is running text if the
    fragment beside it is in capitals too, or if it ends as a sentence does.
    """
    texts = segments.texts
    capitals = [text.isupper() and text.count(" ") + 1 >= _CAPITALS for text in texts]
    if not any(capitals):
        return segments
    parts, at = [], 0
    around = zip([False, *capitals], capitals, [*capitals[1:], False], strict=False)
    starts = segments.starts.tolist()
    for text, start, (before, own, after) in zip(texts, starts, around, strict=True):
        small = text[0] + text[1:].lower()
        runs_on = before or after or text.rstrip(_CLOSING)[-1:] in _ENDS
        if own and runs_on and len(small) == len(text):  # some letters have no small one alone
            parts += [segments.text[at:start], small]
            at = start + len(text)
    return replace(segments, text="".join([*parts, segments.text[at:]]))


def segment(text: str, *, language: str = "en", skip: Sequence[Span] = ()) -> Segments:
    """Cut `text` into fragments.

    Parameters
    ----------
    text
        Any text.
    language
        ISO 639-1 code; it says which abbreviations do not end a sentence.
    skip
        Parts that are no fragments (the header): every line that one of them touches.

    Returns
    -------
    Segments
        Blank lines belong to no fragment, and neither do lines of which a reader sees nothing, such
        as pictures without a description in Markdown; what underlines a heading goes with it. Every
        other code point that is no white space at a fragment's edge belongs to exactly one.
    """
    starts: list[int] = []
    ends: list[int] = []
    lines: list[int] = []
    line_spans: dict[int, tuple[int, int]] = {}
    # From where on a line of dashes makes a heading of the one above.
    underlined_from = front_matter_end(text) if LINKED in text else len(text)
    for number, match in enumerate(LINE.finditer(text)):
        line = match[1]
        body = line.strip()
        if not body:
            continue
        first, next_line = match.span()
        start = first + len(line) - len(line.lstrip())
        line_spans[number] = (first, next_line)
        if first >= underlined_from and number - 1 in line_spans and is_underline(body):
            line_spans[number - 1] = (line_spans[number - 1][0], next_line)
            continue
        if skip and any(span.start < start + len(body) and start < span.end for span in skip):
            continue
        for a, b in _worded(body, _sentences(body, language)):
            starts.append(start + a)
            ends.append(start + b)
            lines.append(number)
    return Segments(
        text,
        np.array(starts, dtype=np.int64),
        np.array(ends, dtype=np.int64),
        np.array(lines, dtype=np.int64),
        line_spans,
    )


def _sentences(body: str, language: str) -> list[tuple[int, int]]:
    """Extents of the sentences of a stripped line, each stripped."""
    asked = without_ends(body)
    whole = len(body) < _SHORTEST_SPLIT or not _INNER_STOP.search(asked)
    if whole and len(body) <= _LONGEST_SENTENCE:
        return [(0, len(body))]
    found: list[tuple[int, int]] = []
    for at, part in _parts(asked, language):
        stripped = part.strip()
        if stripped:
            start = at + len(part) - len(part.lstrip())
            found.append((start, start + len(stripped)))
    return _with_markers(body, found)


def _worded(body: str, sentences: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The sentences, what has nothing to read joined to the one before; none if all is such."""
    if LINKED not in body and body != "[":
        return sentences
    joined: list[tuple[int, int]] = []
    for start, end in sentences:
        if as_read(body[start:end]):
            joined.append((start if joined else 0, end))
        elif joined:
            joined[-1] = (joined[-1][0], end)
    return joined


def _with_markers(body: str, sentences: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The sentences, each with the marker before it, where that was taken for one."""
    joined: list[tuple[int, int]] = []
    for first, last in sentences:
        if joined and _MARKER.fullmatch(body, *joined[-1]):
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined


def _parts(body: str, language: str) -> list[tuple[int, str]]:
    """Consecutive pieces of `body` with their offsets; together they are `body`."""
    pieces: list[tuple[int, str]] = []
    at = 0
    for block in _blocks(body, _LONGEST_SPLIT):
        sentences = sentencex.segment(language, encodable(block))
        if sum(map(len, sentences)) != len(block):
            sentences = [block]
        for sentence in sentences:
            for piece in _blocks(sentence, _LONGEST_SENTENCE):
                pieces.append((at, body[at : at + len(piece)]))
                at += len(piece)
    return pieces


def encodable(text: str) -> str:
    """`text` with a stand-in of the same length for each half of a code point.

    The splitter and tokenizers take none; a byte that is no UTF-8 is read as one.
    """
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _blocks(text: str, size: int) -> list[str]:
    """`text` in pieces of at most `size` code points, cut behind a blank where there is one."""
    if len(text) <= size:
        return [text]
    pieces: list[str] = []
    at = 0
    while len(text) - at > size:
        blank = text.rfind(" ", at + size // 2, at + size)
        cut = blank + 1 if blank >= 0 else at + size
        pieces.append(text[at:cut])
        at = cut
    pieces.append(text[at:])
    return pieces
