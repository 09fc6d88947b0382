"""Where documents come from and where results go: text and JSONL in, atomic files out.

Bytes that are no UTF-8 are carried as lone surrogates (``surrogateescape``), so that what is kept
goes out as it came in. Line endings are never translated.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol, Self

import orjson

from cleaner.document import Document, Span
from cleaner.errors import InputError, OptionError, OutputError
from cleaner.results import CleanResult, delete

Format = Literal["text", "jsonl"]

STDIN = "-"
_JSONL_SUFFIXES = frozenset({".jsonl", ".ndjson"})
_CHUNK = 1 << 20  # bytes asked for at once; a pipe gives what it has
_GO_ON = "use --on-error skip to go on"


def decode(data: bytes) -> str:
    """Bytes to text; `encode` gives the same bytes back, whatever they are."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """Text from `decode` back to its bytes."""
    return text.encode("utf-8", "surrogateescape")


def dump_json(value: object) -> bytes:
    """`value` as compact JSON without a line ending.

    UTF-8 where it can be; where a string holds a lone surrogate (a byte that is no UTF-8), or an
    integer has more than 64 bits, ASCII with escapes.
    """
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return json.dumps(value, separators=(",", ":")).encode("ascii")


# --- sources -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or standard input.

    Attributes
    ----------
    name
        As the user gave it; ``-`` is standard input.
    format
        How it is read.
    """

    name: str
    format: Format

    @property
    def is_stdin(self) -> bool:
        """Whether this is standard input."""
        return self.name == STDIN

    @property
    def path(self) -> Path:
        """The file. Without meaning for standard input."""
        return Path(self.name)

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open for reading bytes.

        Raises
        ------
        InputError
            If it is missing, a directory, or not to be read.
        """
        if self.is_stdin:
            yield _standard_input()
            return
        try:
            stream = self.path.open("rb")
        except OSError as error:
            raise _cannot_read(self.name, error) from error
        with stream:
            yield stream

    def text(self) -> str:
        """Read the whole as one document.

        Raises
        ------
        InputError
            If it cannot be read.
        """
        with self.open() as stream, _reading(self.name):
            return decode(stream.read())

    def lines(self) -> Iterator[list[bytes]]:
        r"""Read lines in batches of what has arrived: a slow pipe is not waited for.

        Yields
        ------
        list of bytes
            One line or more, each with its ``\n``; the last of all perhaps without.

        Raises
        ------
        InputError
            If it cannot be read.
        """
        with self.open() as stream:
            rest: list[bytes] = []  # pieces of a line that has not ended yet: joined once
            while chunk := self._chunk(stream):
                end = chunk.rfind(b"\n") + 1
                if end:
                    yield _lines(b"".join([*rest, chunk[:end]]))
                    rest = []
                if end < len(chunk):
                    rest.append(chunk[end:])
            if rest:
                yield [b"".join(rest)]

    def _chunk(self, stream: BinaryIO) -> bytes:
        with _reading(self.name):
            # read1 gives what is there, where read waits until it has all that was asked for.
            read = getattr(stream, "read1", stream.read)
            data: bytes = read(_CHUNK)
            return data


@contextmanager
def _reading(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _cannot_read(name, error) from error


def source(name: str, kind: Format | None = None) -> Source:
    """Make a source of a file name, its format by its suffix where none is given."""
    if kind is None:
        kind = "jsonl" if Path(name).suffix.lower() in _JSONL_SUFFIXES else "text"
    return Source(name, kind)


def check_sources(sources: Sequence[Source]) -> None:
    """See that every source can be opened, before the first of them is read.

    Raises
    ------
    InputError
        If one of them is missing, a directory, or not to be read.
    OptionError
        If standard input is named twice.
    """
    if sum(item.is_stdin for item in sources) > 1:
        raise OptionError("standard input can be read once only", next_step="name - once")
    for item in sources:
        # A named pipe would wait for its writer, and lose it when closed again.
        if not item.is_stdin and not item.path.is_fifo():
            with item.open():
                pass


def _standard_input() -> BinaryIO:
    if sys.stdin is None:
        raise InputError("it is closed", place="standard input", next_step="name a file")
    return sys.stdin.buffer


def _cannot_read(name: str, error: OSError) -> InputError:
    place = "standard input" if name == STDIN else name
    if isinstance(error, FileNotFoundError):
        return InputError("no such file", place=place, next_step="check the name")
    if isinstance(error, IsADirectoryError):
        return InputError("is a directory", place=place, next_step="name the files in it")
    if isinstance(error, PermissionError):
        return InputError("may not be read", place=place, next_step="check its permissions")
    return InputError(f"cannot be read ({error.strerror or error})", place=place)


def _lines(data: bytes) -> list[bytes]:
    # Not splitlines(): a carriage return within a JSON line is white space, not its end.
    return [line + b"\n" for line in data.split(b"\n")[:-1]]


# --- JSONL records -------------------------------------------------------------------------------

_SPACE = re.compile(r"[ \t\n\r]*")
# Numbers stay as they are written: no value but the text is ever converted.
_JSON = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_ESCAPE_OR_RUN = re.compile(
    r"[^\\]+"
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # one code point in two halves
    r"|\\u[0-9a-fA-F]{4}"
    r"|\\."
)
_OURS = ("removed", "judged", "why")


@dataclass(frozen=True, slots=True)
class _Member:
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
    """

    line: str
    number: int
    place: str
    document: Document
    _members: tuple[_Member, ...] = field(repr=False)
    _body: _Member = field(repr=False)

    @property
    def id(self) -> str | int | float | None:
        """The record's ``id`` where it has one that is a string or a number."""
        member = _last(self._members, "id")
        if member is None or isinstance(member.value, dict | list):
            return None
        try:
            value = json.loads(self.line[member.value_start : member.end])
        except ValueError:  # an integer of thousands of digits
            return str(member.value)
        return value if isinstance(value, str | int | float) else None

    def cleaned(self, result: CleanResult, *, explain: bool = False) -> bytes:
        """Return the line with the text cleaned, and with ``removed`` and ``judged`` if asked.

        The deletions are made in the line itself: escapes, spaces, the order of the names and all
        other values stay as they were written. A record with nothing to remove comes back as it
        came, unless `explain` adds to it.
        """
        if not result.findings and not explain:
            return encode(self.line)
        start, end = self._body.value_start, self._body.end
        literal = _cut_literal(self.line[start:end], result)
        if not explain:
            return encode(self.line[:start] + literal + self.line[end:])
        added = result.to_dict()
        del added["text"]
        return encode(self._with(literal, added))

    def _with(self, literal: str, added: dict[str, Any]) -> str:
        more = decode(dump_json(added))[1:-1]
        first, last = self._members[0].start, self._members[-1].end
        if any(member.name in _OURS for member in self._members):
            # Left by an earlier run: they speak of another text, and are replaced.
            kept = [
                self._slice(member, literal) for member in self._members if member.name not in _OURS
            ]
            inner = ",".join(kept)
        else:
            body = self._body
            inner = self.line[first : body.value_start] + literal + self.line[body.end : last]
        return f"{self.line[:first]}{inner},{more}{self.line[last:]}"

    def _slice(self, member: _Member, literal: str) -> str:
        if member is self._body:
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
    place = f"{'standard input' if name == STDIN else name}:{number}"
    try:
        members = _members_of(whole)
    except json.JSONDecodeError as error:
        problem = f"not valid JSON ({error.msg}, column {error.pos + 1})"
        raise InputError(problem, place=place, next_step=_GO_ON) from None
    except RecursionError:
        problem = "not read: its values are nested too deeply"
        raise InputError(problem, place=place, next_step=_GO_ON) from None
    if members is None:
        raise InputError("not a JSON object", place=place, next_step=_GO_ON)
    body = _last(members, text_field)
    if body is None:
        step = f"name the field with --text-field, or {_GO_ON}"
        raise InputError(f"has no field {text_field!r}", place=place, next_step=step)
    if not _is_string(whole, body):
        problem = f"the field {text_field!r} is not a string"
        raise InputError(problem, place=place, next_step=_GO_ON)
    title = _last(members, title_field)
    identity = _last(members, "id")
    document = Document(
        text=body.value,
        title=title.value if title and _is_string(whole, title) and title.value else None,
        identity=str(identity.value) if identity and identity.value is not None else place,
    )
    return Record(whole, number, place, document, members, body)


def _last(members: Iterable[_Member], name: str) -> _Member | None:
    # The last of several members of one name is the one that JSON parsers give.
    found = None
    for member in members:
        if member.name == name:
            found = member
    return found


def _is_string(line: str, member: _Member) -> bool:
    return line[member.value_start] == '"'


def _members_of(line: str) -> tuple[_Member, ...] | None:
    """Names, values and extents of the object that `line` is; None where it is another value."""
    at = _space(line, 1 if line.startswith("\ufeff") else 0)
    if not line.startswith("{", at):
        _JSON.decode(line[at:])
        return None
    members: list[_Member] = []
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


def _member_at(line: str, at: int) -> _Member:
    if not line.startswith('"', at):
        raise json.JSONDecodeError("Expecting property name in double quotes", line, at)
    name, end = _JSON.raw_decode(line, at)
    colon = _space(line, end)
    _expect(line, colon, ":")
    start = _space(line, colon + 1)
    value, end = _JSON.raw_decode(line, start)
    return _Member(name, at, start, end, value)


def _expect(line: str, at: int, mark: str) -> None:
    if not line.startswith(mark, at):
        raise json.JSONDecodeError(f"Expecting {mark!r}", line, at)


def _space(line: str, at: int) -> int:
    match = _SPACE.match(line, at)
    return match.end() if match else at


def _cut_literal(literal: str, result: CleanResult) -> str:
    """Delete the findings from a JSON string as it is written, quotes and escapes included."""
    points = [at for finding in result.findings for at in (finding.start, finding.end)]
    offsets = _written_offsets(literal, points)
    pairs = zip(offsets[::2], offsets[1::2], strict=True)
    return delete(literal, [Span(start, end) for start, end in pairs])


def _written_offsets(literal: str, points: Sequence[int]) -> list[int]:
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


# --- sinks ---------------------------------------------------------------------------------------


class Sink(Protocol):
    """Takes bytes."""

    def write(self, data: bytes) -> None:
        """Take `data`; `OutputError` if that fails."""

    def flush(self) -> None:
        """Hand on what was taken so far."""


class StandardOutput:
    """Standard output as a sink: bytes as they are, errors with their place."""

    def __init__(self) -> None:
        if sys.stdout is None:
            raise OutputError("it is closed", place="standard output", next_step="use --output")
        self._stream = sys.stdout.buffer

    def write(self, data: bytes) -> None:
        """Take `data`; a reader that has gone away raises `BrokenPipeError`."""
        self._do(lambda: self._stream.write(data))

    def flush(self) -> None:
        """Hand on what was taken so far."""
        self._do(self._stream.flush)

    def _do(self, action: Callable[[], object]) -> None:
        try:
            action()
        except OSError as error:
            # What is left in the buffer would fail once more when the interpreter ends.
            _point_at_nothing(self._stream)
            if isinstance(error, BrokenPipeError):
                raise
            raise _cannot_write("standard output", error) from error


def _point_at_nothing(stream: BinaryIO) -> None:
    with suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)


def _cannot_write(name: str, error: OSError) -> OutputError:
    step = ""
    if isinstance(error, FileNotFoundError):
        step = "make the folder first"
    elif isinstance(error, PermissionError):
        step = "check the permissions of the file and its folder"
    reason = error.strerror or str(error)
    return OutputError(f"cannot be written ({reason})", place=name, next_step=step)


class AtomicFile:
    """A file that is there whole or not at all.

    What is written goes to a new file beside the target, which takes the target's place when the
    ``with`` block ends without an error. A link is followed; permissions of an existing target
    are kept. A target that is no regular file (a device, a pipe) is written as it is.

    Parameters
    ----------
    name
        The target.

    Raises
    ------
    OutputError
        If the target or its folder cannot be written, or the disk is full.
    """

    def __init__(self, name: str | Path) -> None:
        self.name = str(name)
        self._target = Path(os.path.realpath(name))
        self._temporary: Path | None = None
        self._stream: BinaryIO | None = None
        self._discarded = False

    def __enter__(self) -> Self:
        with self._errors():
            if self._target.is_dir():
                raise IsADirectoryError(21, "Is a directory")
            if self._target.exists() and not self._target.is_file():
                self._stream = self._target.open("wb")
                return self
            self._temporary = self._target.with_name(
                f".{self._target.name[:200]}.{secrets.token_hex(4)}.tmp"
            )
            # "x": never another's file; its mode comes from the umask, as for any new file.
            self._stream = self._temporary.open("xb")
        return self

    def write(self, data: bytes) -> None:
        """Take `data`."""
        if self._stream is None:
            raise ValueError("write outside the with block")
        with self._errors():
            self._stream.write(data)

    def flush(self) -> None:
        """Hand on what was taken so far, to a device; a file is all or nothing."""
        if self._temporary is None and self._stream is not None:
            with self._errors():
                self._stream.flush()

    def discard(self) -> None:
        """Leave the target as it is when the block ends."""
        self._discarded = True

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            with self._errors():
                self._finish(keep=kind is None and not self._discarded)
        finally:
            if self._temporary is not None:
                with suppress(OSError):
                    self._temporary.unlink()

    def _finish(self, *, keep: bool) -> None:
        stream, temporary = self._stream, self._temporary
        if stream is None:
            return
        try:
            if keep:
                stream.flush()
            if keep and temporary is not None:
                _copy_rights(self._target, stream.fileno())
                os.fsync(stream.fileno())
        finally:
            with suppress(OSError):  # the flush above has told of it already
                stream.close()
        if keep and temporary is not None:
            temporary.replace(self._target)
            self._temporary = None

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            raise _cannot_write(self.name, error) from error


def _copy_rights(target: Path, descriptor: int) -> None:
    try:
        old = target.stat()
    except FileNotFoundError:
        return
    with suppress(PermissionError):  # only the owner, or root, may give a file away
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


# --- guards --------------------------------------------------------------------------------------


def check_target(target: str, sources: Sequence[Source], *, option: str) -> None:
    """Refuse to write over what is read.

    Raises
    ------
    OptionError
        If `target` is one of the `sources`, under whatever name.
    """
    for item in sources:
        if not item.is_stdin and _is_same_file(item.path, target):
            raise OptionError(
                f"{option} {target} is an input of the same run",
                next_step="use --in-place to change a file, or another name",
            )


def check_in_place(sources: Sequence[Source]) -> None:
    """See that every source is a regular file that may be changed.

    Raises
    ------
    OptionError
        If one is standard input or no regular file.
    OutputError
        If one is write-protected.
    """
    for item in sources:
        if item.is_stdin:
            raise OptionError("--in-place needs a file, not standard input")
        if not item.path.is_file():
            raise OptionError(f"--in-place: {item.name} is not a regular file")
        if not os.access(item.path, os.W_OK):
            raise OutputError(
                "is write-protected", place=item.name, next_step="check its permissions"
            )


def check_standard_output(sources: Sequence[Source]) -> None:
    """Refuse to append to a file that is being read: that would never end.

    Raises
    ------
    OptionError
        If standard output is one of the `sources`.
    """
    try:
        out = os.fstat(sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        return
    if not stat.S_ISREG(out.st_mode):
        return
    for item in sources:
        if not item.is_stdin and os.path.samestat(item.path.stat(), out):
            raise OptionError(
                f"standard output is {item.name}, an input of the same run",
                next_step="use --in-place to change a file, or another name",
            )


def _is_same_file(path: Path, target: str) -> bool:
    # A device that is read from and written to is not overwritten.
    try:
        return path.is_file() and path.samefile(target)
    except OSError:
        return False
