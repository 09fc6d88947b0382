"""Where documents come from: files, folders, patterns of names, standard input."""

from __future__ import annotations

import glob
import io
import os
import re
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice, takewhile
from pathlib import Path, PurePath
from typing import BinaryIO

from cleaner.errors import InputError, OptionError
from cleaner.formats.compression import (
    DamagedError,
    Readable,
    TruncatedError,
    Unpacked,
    read_arrived,
)
from cleaner.formats.encoding import STDIN, decode, shown
from cleaner.formats.kinds import Format, Kind, is_packed_parquet, kind_of, suffixed

_CHUNK = 1 << 18  # bytes asked for at once; a pipe gives what it has
# How files begin that are no text. Not by their NULs: text may hold some, and keeps them.
_NO_TEXT = {
    re.compile(start, re.DOTALL): name
    for start, name in (
        (rb"\x1f\x8b", "gzip"),
        (rb"\x28\xb5\x2f\xfd", "zstd"),
        (rb"BZh[1-9]1AY&SY", "bzip2"),
        (rb"\xfd7zXZ\0", "xz"),
        (rb"\x04\x22\x4d\x18", "lz4"),
        (rb"PK\x03\x04", "a zip archive"),
        (rb"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (rb"Rar!\x1a\x07", "a RAR archive"),
        (rb".{257}ustar", "a tar archive"),
        (rb"PAR1", "Parquet"),
        (rb"ARROW1\0\0", "Arrow"),
        (rb"Obj\x01", "Avro"),
        (rb"SQLite format 3\0", "SQLite"),
        (rb"%PDF-", "PDF"),
        (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a file of an old office program"),
        (rb"\x89PNG\r\n\x1a\n", "a PNG picture"),
        (rb"\xff\xd8\xff", "a JPEG picture"),
        (rb"GIF8[79]a", "a GIF picture"),
        (rb"RIFF.{4}WEBP", "a WebP picture"),
        (rb"BM.{4}\0{4}", "a BMP picture"),
        (rb"II\*\0|MM\0\*", "a TIFF picture"),
    )
}
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_RECORDS = re.compile(rb"(\xef\xbb\xbf)?\s*(\{\s*\"|\[\s*\{)")  # no article begins as JSON does


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or standard input.

    Attributes
    ----------
    name
        As the user gave it, or the folder it was found in and its path there; ``-`` is standard
        input.
    kind
        How it is read.
    relative
        Its path below the folder or pattern that it was found by; its bare name where it was named
        itself.
    is_said
        Whether the user said the kind: what is only taken for text by its name must look like it.
    """

    name: str
    kind: Kind
    relative: str = ""
    is_said: bool = True

    @property
    def format(self) -> Format:
        """How documents lie in it."""
        return self.kind.format

    @property
    def is_stdin(self) -> bool:
        """Whether this is standard input."""
        return self.name == STDIN

    @property
    def path(self) -> Path:
        """The file. Without meaning for standard input."""
        return Path(self.name)

    @property
    def is_regular(self) -> bool:
        """Whether it is a file that can be read again, and never has to be waited for."""
        try:
            return not self.is_stdin and self.path.is_file()
        except OSError:  # in a folder that is closed to us
            return False

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open for reading bytes as they are stored.

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
            raise cannot_read(self.name, error) from error
        with stream:
            yield stream

    def text(self, stream: BinaryIO) -> str:
        """Read the whole of the open `stream` as one document.

        Raises
        ------
        InputError
            If it cannot be read.
        """
        return decode(self.whole(stream))

    def whole(self, stream: BinaryIO) -> bytes:
        """Read the whole of the open `stream`, unpacked.

        Raises
        ------
        InputError
            If it cannot be read, or is taken for text and begins as other files do.
        """
        with self._reading():
            if self.kind.compression:
                data = Unpacked(stream, self.kind.compression).read()
            else:
                data = stream.read()
        if self.format == "text" and not self.is_said:
            self._check_text(data)
        return data

    def _check_text(self, data: bytes) -> None:
        if data.startswith(_UTF_16):
            raise InputError(
                "looks like UTF-16, not like UTF-8",
                place=shown(self.name),
                next_step="convert it, or say with --format text that it is to be read as it is",
            )
        what = _no_text(data) or ("JSON" if _RECORDS.match(data) else None)
        if what:
            raise InputError(
                f"looks like {what}, not like text",
                place=shown(self.name),
                next_step="say with --format what it is"
                + ("" if self.is_stdin else ", or leave it out"),
            )

    def check_lines(self, data: bytes) -> None:
        """Refuse what begins as archives and pictures do.

        Raises
        ------
        InputError
            If `data`, the first that arrived, does.
        """
        if what := _no_text(data):
            raise InputError(
                f"looks like {what}, not like lines of JSON",
                place=shown(self.name),
                next_step="say with --format what it is",
            )

    def lines(self, stream: BinaryIO) -> Lines:
        """Whole lines of the open `stream` as they arrive."""
        return Lines(self, stream)

    def chunk(self, stream: BinaryIO | Readable) -> bytes:
        """Bytes as they arrive, none at the end.

        Raises
        ------
        InputError
            If it cannot be read.
        """
        with self._reading():
            if isinstance(stream, Unpacked):
                return stream.read1()
            return read_arrived(stream, _CHUNK)  # type: ignore[arg-type]  # all others are files

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise cannot_read(self.name, error) from error
        except TruncatedError:
            raise InputError(
                f"ends in the middle of its {_PACKED[self.kind.compression]} data",
                place=shown(self.name),
                next_step="get it anew: what is behind this point is lost",
            ) from None
        except DamagedError as error:
            raise InputError(
                f"is damaged, or no {_PACKED[self.kind.compression]} data ({error})",
                place=shown(self.name),
                next_step="get it anew, or name it without the suffix if it is not packed",
            ) from None


class Lines:
    r"""Whole lines of an open stream as they arrive: a slow pipe is not waited for.

    Iterating gives bytes of one line or more, each with its ``\n``; the last of all perhaps
    without. Empty where something arrived that is no whole line yet.

    Parameters
    ----------
    item
        What is read.
    stream
        Opened.
    """

    def __init__(self, item: Source, stream: BinaryIO) -> None:
        self._item = item
        packed = item.kind.compression
        self._stream = Unpacked(stream, packed) if packed else stream
        self._pieces: deque[bytes] = deque()

    @property
    def have_arrived(self) -> bool:
        """Whether more has been read than was given: the next is there without the stream."""
        return bool(self._pieces) or (
            isinstance(self._stream, Unpacked) and self._stream.has_arrived
        )

    def __iter__(self) -> Iterator[bytes]:
        rest: list[bytes] = []  # pieces of a line that has not ended yet: joined once
        is_first = True
        while chunk := self._item.chunk(self._stream):
            if is_first:
                self._item.check_lines(chunk)
                is_first = False
            end = chunk.rfind(b"\n") + 1
            if not end:
                rest.append(chunk)
                yield b""
                continue
            self._pieces.extend(_pieces(b"".join([*rest, chunk[:end]])))
            rest = [chunk[end:]] if end < len(chunk) else []
            while self._pieces:
                yield self._pieces.popleft()
        if rest:
            yield b"".join(rest)


def _no_text(data: bytes) -> str | None:
    """What `data` is, where it plainly is no text."""
    return next((name for start, name in _NO_TEXT.items() if start.match(data)), None)


def _pieces(lines: bytes) -> Iterator[bytes]:
    """Whole lines in pieces of two chunks at most, or one line: compressed data may give many."""
    at = 0
    while len(lines) - at > 2 * _CHUNK:
        end = lines.index(b"\n", at + _CHUNK - 1) + 1
        yield lines[at:end]
        at = end
    if at < len(lines):
        yield lines[at:]


_PACKED = {"": "", "gz": "gzip", "zst": "zstd"}


def source(name: str, kind: str | None = None) -> Source:
    """Make a source of a file name, its kind by its suffix where none is given.

    Raises
    ------
    OptionError
        If the name is empty, or its suffixes say Parquet with a compression around it.
    """
    _check_name(name)
    if kind is None and is_packed_parquet(name):
        raise OptionError(
            f"{name}: a compressed Parquet file cannot be read",
            next_step="unpack it first; Parquet compresses its own columns",
        )
    path = PurePath(name)
    if str(path) != STDIN:
        name = str(path)  # one file, one name: ./a.txt is a.txt, as those of a folder are
    return Source(name, kind_of(name, kind), path.name, kind is not None)


def _check_name(name: str) -> None:
    if not name:  # to a path it would be the folder that we are in
        raise OptionError("the name of an input is empty", next_step="name a file")


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the user named, as sources.

    They are found anew each time they are asked for, and those of a folder as they are come to:
    what is held is the names in one folder, or those that match one pattern.

    Attributes
    ----------
    names
        Files, folders, patterns; ``-`` is standard input.
    kind
        What all of them are, as the user gave it; None: by their suffixes.
    """

    names: tuple[str, ...]
    kind: str | None = None

    def __iter__(self) -> Iterator[Source]:
        for name in self.names:
            if name == STDIN:
                yield source(name, self.kind)
            elif Path(name).is_dir():
                yield from self._in_folder(Path(name))
            elif self.is_pattern(name):
                yield from self._by_pattern(name)
            else:
                yield source(name, self.kind)

    @property
    def folders(self) -> list[str]:
        """Those of the names that are folders."""
        return [name for name in self.names if name != STDIN and Path(name).is_dir()]

    @property
    def are_many(self) -> bool:
        """Whether one of the names stands for files that were not named themselves."""
        return bool(self.folders) or any(map(self.is_pattern, self.names))

    @staticmethod
    def is_pattern(name: str) -> bool:
        """Whether a name is a pattern of names, and no file's own."""
        return name != STDIN and glob.has_magic(name) and not os.path.lexists(name)

    @property
    def deep_patterns(self) -> list[str]:
        """Those of the names that are patterns and match at any depth."""
        return [name for name in self.names if self.is_pattern(name) and "**" in name]

    @staticmethod
    def root_of(name: str) -> Path:
        """The folder below which a folder or pattern finds files."""
        if Path(name).is_dir():
            return Path(name)
        plain = takewhile(lambda part: not glob.has_magic(part), PurePath(name).parts)
        return Path(*plain)

    def check(self, *, title: str | None = None, with_folders: bool = True) -> None:
        """See that what the user named can be read, before the first of it is.

        Parameters
        ----------
        title
            The title of the document; only one text has its title from outside.
        with_folders
            Whether folders can be read too, as the files below them.

        Raises
        ------
        InputError
            If one of the names is missing, a directory, or not to be read.
        OptionError
            If a name is empty, standard input is named twice, or there is a title, and more or
            other than one text.
        """
        for name in self.names:
            _check_name(name)
        left_out = set(self.folders) if with_folders else set()
        check_sources(
            [
                source(name, self.kind)
                for name in self.names
                if name not in left_out and not self.is_pattern(name)
            ]
        )
        if title is not None and [item.format for item in islice(self, 2)] != ["text"]:
            raise OptionError(
                "--title and anything but one text document do not go together",
                next_step="name a field with --title-field",
            )

    def _in_folder(self, folder: Path) -> Iterator[Source]:
        """Files of a known kind, all of them where a kind is given; hidden ones never."""
        for path in _walk(folder):
            if self._is_known(path.name):
                yield self._found(str(path), str(path.relative_to(folder)))

    def _by_pattern(self, pattern: str) -> Iterator[Source]:
        root = self.root_of(pattern)
        # Not Path.glob(): that takes no absolute patterns.
        matches = glob.glob(pattern, recursive=True)  # noqa: PTH207
        # At any depth, links lead round in circles and out of the tree.
        deep = "**" in pattern
        names = [
            name
            for name in matches
            if _is_to_be_read(Path(name)) and not (deep and _is_linked(name, root))
        ]
        known = sorted(filter(self._is_known, names))
        for name in known:
            yield self._found(name, str(PurePath(name).relative_to(root)))
        if not names:
            raise InputError("no file matches", place=pattern, next_step="check the pattern")
        if not known:
            raise InputError(
                "no file of a known kind matches",
                place=pattern,
                next_step="say with --format what the files are",
            )

    def _is_known(self, name: str) -> bool:
        return self.kind is not None or suffixed(name) is not None

    def _found(self, name: str, relative: str) -> Source:
        name = str(PurePath(name))  # one file, one name, as of those that are named themselves
        return Source(name, kind_of(name, self.kind), relative, self.kind is not None)


def _is_linked(name: str, root: Path) -> bool:
    """Whether a link to a folder lies between `root` and a file below it."""
    between = Path(name).relative_to(root).parents
    return any((root / folder).is_symlink() for folder in list(between)[:-1])


def _walk(folder: Path) -> Iterator[Path]:
    """Files below `folder`, in the order of their names, links to folders not followed."""
    try:
        with os.scandir(folder) as entries:
            # Names and not entries: those hold ten times the memory, and there may be a million.
            listed = sorted(
                (entry.name, entry.is_dir(follow_symlinks=False))
                for entry in entries
                if not entry.name.startswith(".")
                and (_is_to_be_read(entry) or entry.is_dir(follow_symlinks=False))
            )
    except OSError as error:
        raise cannot_read(str(folder), error) from error
    for name, is_folder in listed:
        if is_folder:
            yield from _walk(folder / name)
        else:
            yield folder / name


def _is_to_be_read(entry: Path | os.DirEntry[str]) -> bool:
    """Whether it is a file, perhaps behind a link, or a link that leads to none: that is told."""
    try:
        return entry.is_file() or (entry.is_symlink() and not Path(entry).exists())
    except OSError:  # a link that leads round in a circle, or into a folder that is closed to us
        return True


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


def each_line(item: Source) -> Iterator[bytes]:
    r"""The lines of a source, each with its ``\n``, lazily.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    with item.open() as stream:
        for lines in item.lines(stream):
            # Not splitlines(): a carriage return is no end of a line here.
            yield from io.BytesIO(lines)


def _standard_input() -> BinaryIO:
    if sys.stdin is None:
        raise InputError("it is closed", place="standard input", next_step="name a file")
    return sys.stdin.buffer


def cannot_read(name: str, error: OSError) -> InputError:
    """What the user is told of a file that the system does not give."""
    place = shown(name)
    if isinstance(error, FileNotFoundError):
        if Path(name).is_symlink():
            return InputError("is a link to no file", place=place, next_step="mend or remove it")
        return InputError("no such file", place=place, next_step="check the name")
    if isinstance(error, IsADirectoryError):
        return InputError(
            "is a directory",
            place=place,
            next_step="name a folder for what is left of its files with --output",
        )
    if isinstance(error, PermissionError):
        return InputError("may not be read", place=place, next_step="check its permissions")
    return InputError(f"cannot be read ({error.strerror or error})", place=place)
