"""Sources read as blocks of work, in order, no faster than they are asked for."""

from __future__ import annotations

import select
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO

from cleaner.errors import InputError
from cleaner.work import Block, Part

if TYPE_CHECKING:
    from cleaner.formats.sources import Lines, Source

# Bytes from which a block is full: enough documents for a batch, and few enough that all workers
# have something to do and a killed run has little to do again.
_FULL = 1 << 18


class Blocks:
    """The documents of `sources` as blocks.

    Where a source is a regular file its blocks depend on its bytes alone. What comes through a
    pipe is a block as soon as it is there.

    Parameters
    ----------
    sources
        What is read.
    text_field, title_field
        Columns that a worker needs of a Parquet file.
    whole_rows
        Whether it needs all of them.
    go_on
        Whether a source that cannot be read to its end is handed on with its error, and the next
        one begun.
    otherwise
        What the user is told to do where it is not, besides what the error says.

    Attributes
    ----------
    is_ended
        Whether the last block has been asked for, and found to be the last.

    Raises
    ------
    InputError
        While iterating: if a source cannot be read, and `go_on` is false.
    """

    def __init__(
        self,
        sources: Iterable[Source],
        *,
        text_field: str = "text",
        title_field: str = "title",
        whole_rows: bool = False,
        go_on: bool = False,
        otherwise: str = "",
    ) -> None:
        self._sources = sources
        self._text_field = text_field
        self._title_field = title_field
        self._whole_rows = whole_rows
        self._go_on = go_on
        self._otherwise = otherwise
        self._stream: BinaryIO | None = None
        self._live = False
        self._lines: Lines | None = None  # of the stream, where it holds such
        self._read = 0
        self._blocks = self._all()
        self.is_ended = False

    def __iter__(self) -> Iterator[Block]:
        return self._blocks

    def __next__(self) -> Block:
        return next(self._blocks)

    def give_back(self, block: Block) -> None:
        """Have `block`, which was the last one asked for, be the next one again."""
        self._blocks = chain([block], self._blocks)

    @property
    def waited_for(self) -> BinaryIO | None:
        """The pipe that the next block comes from; None where it need not be waited for."""
        return self._stream if self._live else None

    @property
    def is_ready(self) -> bool:
        """Whether the next block can be asked for without waiting for a pipe."""
        stream = self.waited_for
        if stream is None or (self._lines is not None and self._lines.have_arrived):
            return True
        return bool(select.select([stream], [], [], 0)[0])

    @property
    def position(self) -> int:
        """Bytes read so far, as they are stored."""
        return self._read + _position_of(self._stream)

    def _all(self) -> Iterator[Block]:
        waiting = _Waiting()
        for number, item in enumerate(self._sources):
            live = not item.is_regular
            if live and waiting.parts:
                yield waiting.taken()
            yield from self._blocks_of(number, item, waiting, live=live)
        if waiting.parts:
            yield waiting.taken()
        self.is_ended = True

    def _blocks_of(
        self, number: int, item: Source, waiting: _Waiting, *, live: bool
    ) -> Iterator[Block]:
        try:
            with item.open() as stream:
                self._stream = stream
                self._live = live and _has_descriptor(stream)
                if self._live:
                    yield waiting.taken()  # of nothing: what comes next has to be waited for
                for part, kept in self._parts(number, item, stream):
                    if part.data or part.last or kept is not None:
                        waiting.add(part, kept)
                    if waiting.size >= _FULL or live:
                        yield waiting.taken()
                self._read += _position_of(stream)
        except InputError as error:
            if waiting.parts:
                yield waiting.taken()  # what was whole before it: the same whether we go on or not
            if not self._go_on:
                steps = filter(None, (error.next_step, self._otherwise))
                raise InputError(
                    error.problem, place=error.place, next_step="; ".join(steps)
                ) from error
            waiting.add(self._part(number, item, last=True), None)
            yield waiting.taken(error)
        finally:
            self._stream, self._live, self._lines = None, False, None

    def _parts(self, number: int, item: Source, stream: BinaryIO) -> Iterator[tuple[Part, Any]]:
        if item.format == "text":
            yield self._part(number, item, data=item.whole(stream), last=True), None
            return
        if item.format == "jsonl":
            yield from self._line_parts(number, item, stream)
        else:
            yield from self._row_parts(number, item, stream)
        yield self._part(number, item, last=True), None

    def _part(self, number: int, item: Source, **more: Any) -> Part:
        around = item.kind.compression
        return Part(
            number, item.name, item.format, relative=item.relative, compression=around, **more
        )

    def _line_parts(
        self, number: int, item: Source, stream: BinaryIO
    ) -> Iterator[tuple[Part, Any]]:
        first = 1
        self._lines = item.lines(stream)
        for lines in self._lines:
            yield self._part(number, item, first=first, data=lines), None
            first += lines.count(b"\n")

    def _row_parts(self, number: int, item: Source, stream: BinaryIO) -> Iterator[tuple[Part, Any]]:
        from cleaner.formats.parquet import packed_rows, read_rows, seekable

        fields: Sequence[str] | None = (self._text_field, self._title_field, "id")
        if self._whole_rows:
            fields = None
        with seekable(stream, name=item.name) as file:
            for first, rows in read_rows(
                file, name=item.name, text_field=self._text_field, size=_FULL
            ):
                data = packed_rows(rows, fields) if rows.table.num_rows else b""
                yield (
                    self._part(number, item, first=first, data=data),
                    None if self._whole_rows else rows,
                )


class _Waiting:
    """Parts that are not a block yet."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.size = 0
        self._kept: list[Any] = []

    def add(self, part: Part, kept: Any) -> None:
        """Take one more."""
        self.parts.append(part)
        self._kept.append(kept)
        self.size += len(part.data)

    def taken(self, error: InputError | None = None) -> Block:
        """All of them as a block."""
        block = Block(tuple(self.parts), tuple(self._kept), error)
        self.parts, self._kept, self.size = [], [], 0
        return block


def _position_of(stream: BinaryIO | None) -> int:
    try:
        return stream.tell() if stream is not None else 0
    except (OSError, ValueError):
        return 0


def _has_descriptor(stream: BinaryIO) -> bool:
    try:
        stream.fileno()
    except (OSError, ValueError):
        return False
    return True
