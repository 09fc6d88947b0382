"""Where the results of a run go: all into one sink, or a file for each source."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from cleaner.errors import OptionError, OutputError
from cleaner.formats.kinds import Compression, Format, Kind, kind_of, renamed
from cleaner.formats.sinks import AtomicFile, PackedSink, Sink

if TYPE_CHECKING:
    from cleaner.work import Outcome, Part


class Outputs(Protocol):
    """Takes the outcomes of parts, in order."""

    def take(self, part: Part, kept: Any, outcome: Outcome) -> None:
        """Take the outcome of a part; `kept` is what stayed here of it."""

    def fail(self, part: Part, *, keep: bool) -> bool:
        """Leave out, or keep as it is, a source that could not be read to its end.

        Returns
        -------
        bool
            Whether that could be done.
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
    """Text and JSONL: bytes one after the other."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def write(self, _part: Part, _kept: Any, outcome: Outcome) -> None:
        if outcome.output:
            self._sink.write(outcome.output)

    def close(self) -> None:
        """Nothing stands behind the last byte."""

    def discard(self) -> None:
        """Nothing is held back."""


class _Lines:
    """JSON lines as Parquet."""

    def __init__(self, sink: Sink, name: str) -> None:
        from cleaner.formats.parquet import LinesToParquet

        self._writer = LinesToParquet(sink, name=name)

    def write(self, _part: Part, _kept: Any, outcome: Outcome) -> None:
        self._writer.write(outcome.output)

    def close(self) -> None:
        self._writer.close()

    def discard(self) -> None:
        self._writer.discard()


class _Rows:
    """Rows of Parquet as Parquet."""

    def __init__(self, sink: Sink, name: str, *, text_field: str, explain: bool) -> None:
        from cleaner.formats.parquet import RowsWriter

        self._writer = RowsWriter(sink, name=name, text_field=text_field, explain=explain)

    def write(self, _part: Part, kept: Any, outcome: Outcome) -> None:
        if kept is not None:
            self._writer.write(kept, outcome.output)

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
        compression: Compression = "",
        text_field: str = "text",
        explain: bool = False,
        shown: bool = False,
    ) -> None:
        self._packed = PackedSink(sink, compression) if compression else None
        self._sink = self._packed or sink
        self._name = name
        self._target = target
        self._text_field = text_field
        self._explain = explain
        self._shown = shown
        self._form: _Form | None = None
        self._form_of: tuple[Format, bool] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        elif self._form is not None:
            self._form.discard()

    def take(self, part: Part, kept: Any, outcome: Outcome) -> None:
        """Take the outcome of a part."""
        self._form_for(part).write(part, kept, outcome)

    def fail(self, _part: Part, *, keep: bool) -> bool:  # noqa: ARG002  # what was before it is out
        """Do nothing: a part of the source is among the rest already."""
        return False

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
        to = "text" if self._shown else self._target or part.format
        wanted = (to, to == "parquet" and part.format == "parquet")
        both_plain = self._form_of is not None and "parquet" not in (to, self._form_of[0])
        if self._form is None:
            self._form = self._made(*wanted)
            self._form_of = wanted
        elif wanted != self._form_of and not both_plain:
            raise OutputError(
                f"Parquet and other formats do not go into one file ({part.name})",
                place=self._name,
                next_step="name a folder with --output, or use --output-format jsonl",
            )
        return self._form

    def _made(self, to: Format, from_rows: bool) -> _Form:
        if to != "parquet":
            return _Bytes(self._sink)
        if from_rows:
            return _Rows(self._sink, self._name, text_field=self._text_field, explain=self._explain)
        return _Lines(self._sink, self._name)


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

    def fail(self, part: Part, *, keep: bool) -> bool:
        """Leave the source out, or copy it as it is."""
        if self._open is not None and self._file is not None:
            self._file.discard()
            self._end()
        if keep and self._folder is not None:
            self._copy(part)
        return True

    def flush(self) -> None:
        """Do nothing: a file is all or nothing."""

    def target_of(self, part: Part) -> Path:
        """Where the results of the source of `part` go."""
        return target_path(part.relative, part.name, self._folder, self._target)

    def _begin(self, part: Part) -> Joined:
        path = self.target_of(part)
        _make_folder(path.parent)
        kind = self._target or kind_of(part.name, part.format)
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
        with (
            AtomicFile(path, leave_equal=self._leave_equal) as file,
            Path(part.name).open("rb") as stream,
        ):
            shutil.copyfileobj(stream, file)


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


def check_apart(sources: Any, folder: Path, target: Kind | None) -> None:
    """See that no two sources go into one file, and none into itself.

    Raises
    ------
    OptionError
        If two do, or one does.
    """
    taken: dict[int, None] = {}
    for item in sources:
        if item.is_stdin:
            raise OptionError(
                "standard input has no name below a folder", next_step="name a file with --output"
            )
        path = target_path(item.relative, item.name, folder, target)
        key = hash(str(path))  # eight bytes and not a name: there may be a million
        if key in taken:
            raise OptionError(f"two inputs would be written to {path}", next_step="run them apart")
        taken[key] = None
        if path.exists() and path.samefile(item.path):
            raise OptionError(
                f"--output {folder} would write {item.name} over itself",
                next_step="use --in-place, or another folder",
            )
