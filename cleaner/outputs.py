"""Where the results of a run go: all into one sink, or a file for each source."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path, PurePath
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from cleaner.errors import OptionError, OutputError
from cleaner.formats.encoding import shown
from cleaner.formats.kinds import Compression, Format, Kind, kind_of, renamed
from cleaner.formats.sinks import AtomicFile, PackedSink, Sink, is_write_protected
from cleaner.formats.sources import cannot_read

if TYPE_CHECKING:
    from cleaner.formats.sources import Source
    from cleaner.work import Outcome, Part


class Outputs(Protocol):
    """Takes the outcomes of parts, in order."""

    def take(self, part: Part, kept: Any, outcome: Outcome) -> None:
        """Take the outcome of a part; `kept` is what stayed here of it."""

    def fail(self, part: Part, *, keep: bool) -> str:
        """Leave out, or keep as it is, a source that could not be read to its end.

        What became of it comes back, for people.
        """

    def flush(self) -> None:
        """Hand on what was taken so far."""


class _Form(Protocol):
    """Writes outcomes as a file of some format."""

    def write(self, part: Part, kept: Any, outcome: Outcome) -> None:
        """Take one more."""

    def close(self) -> None:
        """Write the end."""

    def discard(self) -> None:
        """Write nothing more: nobody wants the file."""


class _Bytes:
    """Text and JSONL: bytes one after the other.

    The last line of a source may have no end: the next source does not go on with it.
    """

    def __init__(self, sink: Sink, *, is_shown: bool) -> None:
        self._sink = sink
        self._is_shown = is_shown  # diffs, which are no documents
        self._within: int | None = None  # the source whose last line has not ended

    def write(self, part: Part, _kept: Any, outcome: Outcome) -> None:
        if not outcome.output:
            return
        if not self._is_shown and self._within not in (None, part.source):
            self._sink.write(b"\n")
        self._sink.write(outcome.output)
        self._within = None if outcome.output.endswith(b"\n") else part.source

    def close(self) -> None:
        """Nothing stands behind the last byte."""

    def discard(self) -> None:
        """Nothing is held back."""


class _Lines:
    """JSON lines as Parquet."""

    def __init__(self, sink: Sink, name: str, *, text_field: str, explain: bool) -> None:
        from cleaner.formats.lines_to_parquet import LinesToParquet

        self._writer = LinesToParquet(sink, name=name, text_field=text_field, explain=explain)

    def write(self, part: Part, _kept: Any, outcome: Outcome) -> None:
        self._writer.write(outcome.output, partial(_place, part))

    def close(self) -> None:
        self._writer.close()

    def discard(self) -> None:
        self._writer.discard()


def _place(part: Part, index: int, count: int) -> str:
    """Where one of the `count` records that are left of a part stood; the file, if some are not."""
    if part.format == "jsonl":
        lines = enumerate(part.data.split(b"\n"), part.first)
        numbers = [number for number, line in lines if line.strip()]
        if len(numbers) == count:
            return f"{shown(part.name)}:{numbers[index]}"
    return shown(part.name)


class _Rows:
    """Rows of Parquet as Parquet."""

    def __init__(self, sink: Sink, name: str, *, text_field: str, explain: bool) -> None:
        from cleaner.formats.parquet import RowsWriter

        self._writer = RowsWriter(sink, name=name, text_field=text_field, explain=explain)

    def write(self, part: Part, kept: Any, outcome: Outcome) -> None:
        if kept is not None:
            self._writer.write(kept, outcome.output, part.place)

    def close(self) -> None:
        self._writer.close()

    def discard(self) -> None:
        self._writer.discard()


class Joined:
    """All results in one sink, one after the other.

    Parameters
    ----------
    sink
        Where the bytes go.
    name
        What it is called, for messages.
    target
        The format of the whole; None: each source as it came.
    mixed
        Whether rows of Parquet come as lines, as all others do.
    compression
        Around it; none for Parquet.
    text_field, explain
        As in `cleaner.filtering.Settings`.
    shown
        Whether diffs or nothing go there, not documents.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        name: str,
        target: Format | None,
        mixed: bool = False,
        compression: Compression = "",
        text_field: str = "text",
        explain: bool = False,
        shown: bool = False,
    ) -> None:
        self._packed = PackedSink(sink, compression) if compression else None
        self._sink = self._packed or sink
        self._name = name
        self._target = target
        self._mixed = mixed
        self._text_field = text_field
        self._explain = explain
        self._shown = shown
        self._form: _Form | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def discard(self) -> None:
        """Write nothing more: nobody wants it."""
        if self._form is not None:
            self._form.discard()
        self._form = self._packed = None

    def take(self, part: Part, kept: Any, outcome: Outcome) -> None:
        """Take the outcome of a part."""
        self._form_for(part).write(part, kept, outcome)

    def fail(self, _part: Part, *, keep: bool) -> str:
        """Do nothing: a part of the source is among the rest already."""
        return "kept as it is" if keep else "left out"

    def flush(self) -> None:
        """Hand on what was taken so far."""
        self._sink.flush()

    def close(self) -> None:
        """Write the end."""
        if self._form is not None:
            self._form.close()
        if self._packed is not None:
            self._packed.close()

    def _form_for(self, part: Part) -> _Form:
        if self._form is None:
            self._form = self._made("text" if self._shown else self._target or part.format, part)
        return self._form

    def _made(self, to: Format, part: Part) -> _Form:
        if to != "parquet":
            return _Bytes(self._sink, is_shown=self._shown)
        are_rows = part.format == "parquet" and not self._mixed
        form: type[_Rows | _Lines] = _Rows if are_rows else _Lines
        return form(self._sink, self._name, text_field=self._text_field, explain=self._explain)


class Apart:
    """A file for each source, each whole or not at all.

    Parameters
    ----------
    folder
        Below which the files lie as the sources lie below theirs; None: the sources themselves
        are replaced, where they changed.
    target
        What the files become; None: what the sources were.
    text_field, explain
        As in `cleaner.filtering.Settings`.
    leave_equal
        Whether a file that holds the very same bytes already is left as it is.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        target: Kind | None,
        text_field: str = "text",
        explain: bool = False,
        leave_equal: bool = False,
    ) -> None:
        self._folder = folder
        self._target = target
        self._text_field = text_field
        self._explain = explain
        self._leave_equal = leave_equal
        self._stack = ExitStack()
        self._open: Joined | None = None
        self._file: AtomicFile | None = None
        self._changed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)  # a file that is open now is not whole

    def take(self, part: Part, kept: Any, outcome: Outcome) -> None:
        """Take the outcome of a part; where its source ends, its file is there."""
        output = self._open or self._begin(part)
        output.take(part, kept, outcome)
        self._changed |= outcome.changed
        if part.last and outcome.error is None:
            self._end()

    def fail(self, part: Part, *, keep: bool) -> str:
        """Leave the source out, or copy it as it is."""
        if self._open is not None and self._file is not None:
            self._open.discard()
            self._file.discard()
            self._end()
        if self._folder is None:
            return "left as it is"
        if keep:
            self._copy(part)
            return "kept as it is"
        path = self.target_of(part)
        return f"left out; {path} is of an earlier run" if path.exists() else "left out"

    def flush(self) -> None:
        """Do nothing: a file is all or nothing."""

    def target_of(self, part: Part) -> Path:
        """Where the results of the source of `part` go."""
        return target_path(part.relative, part.name, self._folder, self._target)

    def _begin(self, part: Part) -> Joined:
        path = self.target_of(part)
        _make_folder(path.parent)
        kind = self._target or Kind(part.format, part.compression)
        self._file = self._stack.enter_context(AtomicFile(path, leave_equal=self._leave_equal))
        self._open = self._stack.enter_context(
            Joined(
                self._file,
                name=str(path),
                target=kind.format,
                compression=kind.compression,
                text_field=self._text_field,
                explain=self._explain,
            )
        )
        return self._open

    def _end(self) -> None:
        if self._folder is None and not self._changed and self._file is not None:
            self._file.discard()
        self._changed = False
        self._open = self._file = None
        self._stack.close()

    def _copy(self, part: Part) -> None:
        path = target_path(part.relative, part.name, self._folder, None)
        _make_folder(path.parent)
        with AtomicFile(path, leave_equal=self._leave_equal) as file:
            try:
                with Path(part.name).open("rb") as stream:
                    shutil.copyfileobj(stream, file)
            except OSError as error:
                raise cannot_read(part.name, error) from error


def target_path(relative: str, name: str, folder: Path | None, target: Kind | None) -> Path:
    """The file that takes the results of a source."""
    if folder is None:
        return Path(name)
    path = folder / relative
    if target is not None and kind_of(name) != target:
        return Path(renamed(path, target))
    return path


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot be made ({error.strerror or error})", place=str(path)) from error


class Targets:
    """The files that results go to, below a folder: each takes one source alone.

    Parameters
    ----------
    folder
        The folder.
    target
        What the files become; None: what the sources were.
    others
        Other files that the run writes, by the option that names them.
    """

    def __init__(self, folder: Path, target: Kind | None, others: Mapping[str, str]) -> None:
        self._folder = folder
        self._target = target
        self._others = {os.path.realpath(name): option for option, name in others.items()}
        # Hashes, eight bytes each, and not names: there may be a million.
        self._taken: set[int] = set()
        self._read: set[int] = set()
        self._there: set[int] = set()  # of the targets

    def check(self, sources: Iterable[Source]) -> None:
        """See that the file for each source is not another's, and no source of the run.

        Raises
        ------
        OptionError
            If one is.
        OutputError
            If one is there, and write-protected.
        """
        for item in sources:
            self._check(item)

    def _check(self, item: Source) -> None:
        if item.is_stdin:
            raise OptionError(
                "standard input has no name below a folder", next_step="name a file with --output"
            )
        if ".." in PurePath(item.relative).parts:
            raise OptionError(
                f"{item.name} would be written outside of --output {self._folder}",
                next_step='name it without ".."',
            )
        path = target_path(item.relative, item.name, self._folder, self._target)
        real = os.path.realpath(path)
        if real in self._others:
            raise OptionError(
                f"{self._others[real]} {path} is where {item.name} would be written",
                next_step="name another file",
            )
        key = hash(real)
        if key in self._taken:
            raise OptionError(f"two inputs would be written to {path}", next_step="run them apart")
        self._taken.add(key)
        if is_write_protected(path):
            raise OutputError(
                "is write-protected", place=str(path), next_step="check its permissions"
            )
        self._check_files(item, path)

    def _check_files(self, item: Source, path: Path) -> None:
        """Refuse a target that is there already and is read in the same run."""
        source, target = _file(item.path), _file(path)
        if source is not None and source == target:
            raise OptionError(
                f"--output {self._folder} would write {item.name} over itself",
                next_step="use --in-place, or another folder",
            )
        for key, seen, others in (
            (source, self._read, self._there),
            (target, self._there, self._read),
        ):
            if key in others:
                name = item.name if key == source else path
                raise OptionError(
                    f"--output {self._folder} would write over {name}, an input of the same run",
                    next_step="name another folder",
                )
            if key is not None:
                seen.add(key)


def _file(path: Path) -> int | None:
    """A number for the file at `path`, the same under all its names; None where there is none."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return hash((status.st_dev, status.st_ino))
