"""JSONL: a record a line, cut within the line as it is written.

Bytes that are no UTF-8 are carried as lone surrogates (``surrogateescape``), so that what is kept
goes out as it came in. Line endings are never translated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cleaner.document import Document, Span
from cleaner.errors import InputError
from cleaner.formats.encoding import decode, dump_json, encode, shown
from cleaner.results import CleanResult, delete

GO_ON = "mend it, or see --on-error to go on"

_SPACE = re.compile(r"[ \t\n\r]*")
# Numbers stay as they are written: no value but the text is ever converted.
_JSON = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_ESCAPE_OR_RUN = re.compile(
    r"[^\\]+"
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # one code point in two halves
    r"|\\u[0-9a-fA-F]{4}"
    r"|\\."
)
OURS = ("removed", "judged", "why")  # what an explanation writes, over what a record has


@dataclass(frozen=True, slots=True)
class Member:
    """One name and value of a JSON object, and where they stand in the line."""

    name: str
    start: int
    value_start: int
    end: int
    value: Any


@dataclass(frozen=True, slots=True)
class Record:
    """A line of JSONL that holds a document.

    Attributes
    ----------
    line
        The line as it came in, with its ending.
    number
        Its number in the file, from 1.
    place
        ``file:number``, for messages.
    document
        The document it holds; its `identity` is the record's ``id``, else the place.
    body
        The text, as a member of the line.
    """

    line: str
    number: int
    place: str
    document: Document
    _members: tuple[Member, ...] = field(repr=False)
    body: Member = field(repr=False)

    @property
    def id(self) -> str | int | float | None:
        """The record's ``id`` where it has one that is a string or a number."""
        member = _last(self._members, "id")
        if member is None or isinstance(member.value, dict | list):
            return None
        try:
            value = self.value("id")
        except ValueError:  # an integer of thousands of digits
            return str(member.value)
        return value if isinstance(value, str | int | float) else None

    def value(self, name: str) -> object:
        """The value of the member called `name`; None where there is none.

        Raises
        ------
        ValueError
            If it is an integer of more digits than Python reads.
        """
        member = _last(self._members, name)
        return None if member is None else json.loads(self.line[member.value_start : member.end])

    def cleaned(self, result: CleanResult, *, explain: bool = False) -> bytes:
        """Return the line with the text cleaned, and with ``removed`` and ``judged`` if asked.

        The deletions are made in the line itself: escapes, spaces, the order of the names and all
        other values stay as they were written. A record with nothing to remove comes back as it
        came, unless `explain` adds to it.
        """
        if not result.findings and not explain:
            return encode(self.line)
        start, end = self.body.value_start, self.body.end
        literal = _cut_literal(self.line[start:end], result)
        if not explain:
            return encode(self.line[:start] + literal + self.line[end:])
        added = result.to_dict()
        del added["text"]
        return encode(self._with(literal, added))

    def as_line(self, result: CleanResult, *, explain: bool = False) -> bytes:
        """`cleaned`, with a line ending."""
        line = self.cleaned(result, explain=explain)
        return line if line.endswith(b"\n") else line + b"\n"

    def _with(self, literal: str, added: dict[str, Any]) -> str:
        """The line with `literal` for the text, and with what is `added` behind the last member."""
        more = decode(dump_json(added))[1:-1]
        first, last = self._members[0].start, self._members[-1].end
        inner, at = "", first
        for member in self._members:
            # Ours were left by an earlier run: they speak of another text, and are replaced.
            if member.name not in OURS:
                comma = self.line[at : member.start] if inner else ""
                inner += comma + self._slice(member, literal)
            at = member.end
        return f"{self.line[:first]}{inner},{more}{self.line[last:]}"

    def _slice(self, member: Member, literal: str) -> str:
        if member is self.body:
            return self.line[member.start : member.value_start] + literal
        return self.line[member.start : member.end]


def parse_record(
    line: bytes,
    *,
    name: str,
    number: int,
    text_field: str = "text",
    title_field: str = "title",
) -> Record:
    """Read one line of JSONL.

    Parameters
    ----------
    line
        The line, with or without its ending.
    name, number
        File and line number, for messages.
    text_field, title_field
        Where text and title stand. The text must be a string; a title that is none is passed over.

    Raises
    ------
    InputError
        If the line is not a JSON object, or its text is missing or no string.
    """
    whole = decode(line)
    place = f"{shown(name)}:{number}"
    try:
        members = _members_of(whole)
    except json.JSONDecodeError as error:
        problem = f"not valid JSON ({_said(error)}, column {error.pos + 1})"
        raise InputError(problem, place=place, next_step=GO_ON) from None
    except RecursionError:
        problem = "not read: its values are nested too deeply"
        raise InputError(problem, place=place, next_step=GO_ON) from None
    if members is None:
        raise InputError("not a JSON object", place=place, next_step=GO_ON)
    body = _last(members, text_field)
    if body is None:
        step = f"name the field with --text-field, or {GO_ON}"
        raise InputError(f"has no field {text_field!r}", place=place, next_step=step)
    if not _is_string(whole, body):
        what = "null" if body.value is None else "not a string"
        problem = f"the field {text_field!r} is {what}"
        raise InputError(problem, place=place, next_step=GO_ON)
    title = _last(members, title_field)
    identity = _last(members, "id")
    document = Document(
        text=body.value,
        title=title.value if title and _is_string(whole, title) and title.value else None,
        identity=str(identity.value) if identity and identity.value is not None else place,
    )
    return Record(whole, number, place, document, members, body)


def _said(error: json.JSONDecodeError) -> str:
    """What is wrong; a string that the line's end cuts off is no line end in a string."""
    if error.msg == "Invalid control character at" and error.doc[error.pos :].strip("\r\n") == "":
        return "Unterminated string"
    return error.msg.removesuffix(" at").removesuffix(" starting")


def _last(members: Iterable[Member], name: str) -> Member | None:
    # The last of several members of one name is the one that JSON parsers give.
    found = None
    for member in members:
        if member.name == name:
            found = member
    return found


def _is_string(line: str, member: Member) -> bool:
    return line[member.value_start] == '"'


def _members_of(line: str) -> tuple[Member, ...] | None:
    """Names, values and extents of the object that `line` is; None where it is another value."""
    at = _space(line, 1 if line.startswith("\ufeff") else 0)
    if not line.startswith("{", at):
        _JSON.decode(line[at:])
        return None
    members: list[Member] = []
    at = _space(line, at + 1)
    while not line.startswith("}", at) or members:
        member = _member_at(line, at)
        members.append(member)
        at = _space(line, member.end)
        if line.startswith("}", at):
            break
        _expect(line, at, ",")
        at = _space(line, at + 1)
    if _space(line, at + 1) != len(line):
        raise json.JSONDecodeError("Extra data", line, _space(line, at + 1))
    return tuple(members)


def _member_at(line: str, at: int) -> Member:
    if not line.startswith('"', at):
        raise json.JSONDecodeError("Expecting property name in double quotes", line, at)
    name, end = _JSON.raw_decode(line, at)
    colon = _space(line, end)
    _expect(line, colon, ":")
    start = _space(line, colon + 1)
    value, end = _JSON.raw_decode(line, start)
    return Member(name, at, start, end, value)


def _expect(line: str, at: int, mark: str) -> None:
    if not line.startswith(mark, at):
        raise json.JSONDecodeError(f"Expecting {mark!r}", line, at)


def _space(line: str, at: int) -> int:
    match = _SPACE.match(line, at)
    return match.end() if match else at


def _cut_literal(literal: str, result: CleanResult) -> str:
    """Delete the findings from a JSON string as it is written, quotes and escapes included."""
    points = [at for finding in result.findings for at in (finding.start, finding.end)]
    offsets = written_offsets(literal, points)
    pairs = zip(offsets[::2], offsets[1::2], strict=True)
    return delete(literal, [Span(start, end) for start, end in pairs])


def written_offsets(literal: str, points: Sequence[int]) -> list[int]:
    """Where code points of a JSON string's value stand in the string as it is written."""
    offsets: list[int] = []
    value_at = 0
    runs = _ESCAPE_OR_RUN.finditer(literal, 1, len(literal) - 1)
    waiting = iter(points)
    point = next(waiting, None)
    for run in runs:
        plain = literal[run.start()] != "\\"
        length = run.end() - run.start() if plain else 1
        while point is not None and point < value_at + length:
            offsets.append(run.start() + (point - value_at if plain else 0))
            point = next(waiting, None)
        value_at += length
    while point is not None:
        offsets.append(len(literal) - 1)
        point = next(waiting, None)
    return offsets
