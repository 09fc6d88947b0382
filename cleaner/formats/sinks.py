"""Where bytes go: standard output, and files that are there whole or not at all."""

from __future__ import annotations

import errno
import io
import os
import re
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Protocol, Self, TextIO

from cleaner.errors import OutputError
from cleaner.formats.compression import DamagedError, Packed, TruncatedError, Unpacked

if TYPE_CHECKING:
    from cleaner.formats.kinds import Compression

OPEN_IT = "open it, or lead it to a file"
# Names of what a process has open already: opened by its name, a file would be emptied.
_OPEN_ALREADY = re.compile(r"/dev/(?:(stdin)|(stdout)|(stderr)|fd/(\d+))|/proc/self/fd/(\d+)")
_LONGEST_NAME = 200  # bytes; file systems allow 255, and what is hidden beside has a longer one


class Sink(Protocol):
    """Takes bytes."""

    def write(self, data: bytes, /) -> object:
        """Take `data`; `OutputError` if that fails."""

    def flush(self) -> object:
        """Hand on what was taken so far."""


class StandardOutput:
    """Standard output as a sink: bytes as they are, errors with their place.

    Parameters
    ----------
    next_step
        What the user is told to do where it is closed.
    """

    def __init__(self, *, next_step: str = "use --output") -> None:
        if sys.stdout is None:
            raise OutputError("it is closed", place="standard output", next_step=next_step)
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
            failure = standard_output_failed(error)
            if isinstance(error, BrokenPipeError):
                raise
            raise failure from error


class _Printed(io.RawIOBase):
    """`StandardOutput` as the system's own streams are, for a layer of text above it."""

    def __init__(self) -> None:
        self._sink = StandardOutput(next_step=OPEN_IT)
        self._is_terminal = sys.stdout.isatty()

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._is_terminal

    def write(self, data: Any) -> int:
        self._sink.write(bytes(data))
        self._sink.flush()
        return len(data)


def standard_text() -> TextIO:
    """Standard output for what is laid out for people: what its encoding lacks is escaped.

    Raises
    ------
    OutputError
        If it is closed; and on writing, if it cannot be written.
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return io.TextIOWrapper(io.BufferedWriter(_Printed()), encoding, "backslashreplace")


def standard_output_failed(error: OSError) -> OutputError:
    """What the user is told where standard output did not take what was written to it."""
    # What is left in the buffer would fail once more when the interpreter ends.
    point_at_nothing(sys.stdout.buffer)
    return cannot_write("standard output", error)


def point_at_nothing(stream: IO[Any]) -> None:
    """Have what is written to an open stream from now on go nowhere."""
    with suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)


def cannot_write(name: str, error: OSError) -> OutputError:
    """What the user is told of a file that the system does not take."""
    step = ""
    if isinstance(error, FileNotFoundError):
        step = "make the folder first"
    elif isinstance(error, PermissionError):
        step = "check the permissions of the file and its folder"
    reason = error.strerror or str(error)
    return OutputError(f"cannot be written ({reason})", place=name, next_step=step)


@contextmanager
def temporary() -> Iterator[None]:
    """While a file without a name is used, which only waits: say where its disk is full.

    Raises
    ------
    OutputError
        If it cannot be written or read.
    """
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"a temporary file cannot be written ({error.strerror or error})",
            place=_temporary_folder(),
            next_step="name a folder with more room in TMPDIR",
        ) from error


def _temporary_folder() -> str:
    try:
        return tempfile.gettempdir()
    except OSError:  # none of those that are looked for can be written
        return "TMPDIR"


def _is_device(name: str | Path) -> bool:
    """Whether a device or a pipe stands there: no file, and no folder."""
    try:
        mode = Path(name).stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def is_write_protected(path: Path) -> bool:
    """Whether there is a file that may not be written."""
    try:
        return path.exists() and not os.access(path, os.W_OK)
    except OSError:  # in a folder that is closed to us: told where it is opened
        return False


def descriptor_of(name: str | Path) -> int | None:
    """The descriptor that `name` stands for, as ``/dev/stdout`` does for 1; None for a file.

    >>> descriptor_of("/dev/stderr"), descriptor_of("/dev/fd/7"), descriptor_of("a.txt")
    (2, 7, None)
    """
    found = _OPEN_ALREADY.fullmatch(os.path.normpath(Path(name).absolute()))
    if found is None:
        return None
    *streams, one, other = found.groups()
    return int(one or other or [part is not None for part in streams].index(True))


class AtomicFile:
    """A file that is there whole or not at all.

    What is written goes to a hidden file beside the target, ``.NAME.partial``, which takes the
    target's place when the ``with`` block ends without an error. A link is followed; permissions of
    an existing target are kept. A target that is no regular file (a device, a pipe) is written as
    it is, and so is what the process has open already (``/dev/stdout``). What a killed run left of
    its partial file is written over; that of a run which is still going is not.

    Parameters
    ----------
    name
        The target.
    leave_equal
        Whether a target that holds the very same bytes already is left as it is.

    Raises
    ------
    OutputError
        If the target or its folder cannot be written, the disk is full, or another run is writing
        the same target.
    """

    def __init__(self, name: str | Path, *, leave_equal: bool = False) -> None:
        self.name = str(name)
        # A pipe below /dev is a link to something that has no path of its own.
        self._target = Path(name if _is_device(name) else os.path.realpath(name))
        self._leave_equal = leave_equal
        self._temporary: Path | None = None
        self._stream: BinaryIO | None = None
        self._discarded = False

    def __enter__(self) -> Self:
        with self._errors():
            if (descriptor := descriptor_of(self.name)) is not None:
                self._stream = os.fdopen(os.dup(descriptor), "wb")
                return self
            if self._target.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            if self._target.exists() and not self._target.is_file():
                self._stream = self._target.open("wb")
                return self
            if is_write_protected(self._target):  # which would not keep another from its place
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            temporary = hidden_beside(self._target, "partial")
            self._stream = self._locked(temporary)
            self._temporary = temporary
        return self

    def _locked(self, path: Path) -> BinaryIO:
        while True:
            # Opened without emptying it: it may be another run's. Its mode comes from the umask.
            stream = path.open("ab")
            if not lock(stream):
                stream.close()
                raise OutputError(
                    "another run is writing it", place=self.name, next_step="wait for its end"
                )
            if is_named(stream, path):
                stream.truncate(0)
                return stream
            stream.close()  # the other run has ended since it was opened: it is its target now

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
            if self._stream is not None:
                with suppress(OSError):  # the flush has told of it already
                    self._stream.close()

    def _finish(self, *, keep: bool) -> None:
        stream, temporary = self._stream, self._temporary
        if stream is None or not keep:
            return
        stream.flush()
        if temporary is None or (self._leave_equal and _equal(temporary, self._target)):
            return
        _copy_rights(self._target, stream.fileno())
        os.fsync(stream.fileno())
        temporary.replace(self._target)
        self._temporary = None
        _sync_folder(self._target.parent)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            raise cannot_write(self.name, error) from error


class AppendedFile:
    """A file that is added to, for what must not be lost whatever becomes of the run.

    What is in it stays. What is written is on the disk after `flush`, before which it may be taken
    back; with a compression each flush ends a member or frame of its own.

    Parameters
    ----------
    name
        The file.
    compression
        How what is added is compressed.

    Raises
    ------
    OutputError
        If it cannot be written, another run is writing it, or what is in it was cut off.
    """

    def __init__(self, name: str | Path, compression: Compression = "") -> None:
        self.name = str(name)
        self._path = Path(os.path.realpath(name))
        self._compression: Compression = compression
        self._stream: BinaryIO | None = None
        self._packed: Packed | None = None
        self._whole = 0  # bytes that stay

    def __enter__(self) -> Self:
        with self._errors():
            stream = self._stream = self._path.open("ab")
            try:
                self._take(stream)
            except BaseException:
                stream.close()
                raise
        return self

    def _take(self, stream: BinaryIO) -> None:
        # One that has lost its name since it was opened was the other run's alone.
        if not lock(stream) or not is_named(stream, self._path):
            raise OutputError(
                "another run is writing it", place=self.name, next_step="wait for its end"
            )
        self._whole = self._path.stat().st_size
        if self._whole and not self._is_whole():
            raise OutputError(
                "does not end where a line ends, as a run leaves it that is killed",
                place=self.name,
                next_step="name another file",
            )

    def _is_whole(self) -> bool:
        with self._path.open("rb") as stream:
            if not self._compression:
                stream.seek(-1, os.SEEK_END)
                return stream.read() == b"\n"
            unpacked = Unpacked(stream, self._compression)
            try:
                while unpacked.read1():
                    pass
            except (TruncatedError, DamagedError):
                return False
        return True

    def write(self, data: bytes) -> None:
        """Take `data`."""
        if self._stream is None:
            raise ValueError("write outside the with block")
        with self._errors():
            if not self._compression:
                self._stream.write(data)
                return
            self._packed = self._packed or Packed(self._stream.write, self._compression)
            self._packed.write(data)

    def flush(self) -> None:
        """See that what was taken so far is on the disk."""
        if self._stream is None:
            return
        with self._errors():
            if self._packed is not None:
                self._packed.close()
                self._packed = None
            self._stream.flush()
            if self._path.is_file() and (size := self._path.stat().st_size) > self._whole:
                os.fsync(self._stream.fileno())
                _sync_folder(self._path.parent)  # it may be new
                self._whole = size

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            if self._stream is not None:
                self._close(self._stream, take_back=kind is not None and self._path.is_file())

    def _close(self, stream: BinaryIO, *, take_back: bool) -> None:
        """Close it; if asked, leave what is on the disk for sure, or no file where nothing is.

        The lock is held until the end: a duplicate of the descriptor keeps it.
        """
        held = os.dup(stream.fileno())
        with suppress(OSError):  # the flush has told of it already
            stream.close()
        with suppress(OSError):
            if take_back and self._whole:
                os.ftruncate(held, self._whole)
            elif take_back:
                self._path.unlink()
        os.close(held)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise cannot_write(self.name, error) from error


def _sync_folder(folder: Path) -> None:
    """See that the names in a folder are on the disk, where the system can do that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def lock(stream: IO[bytes]) -> bool:
    """Lock an open file for this process alone; whether no other has it.

    Where the system or the file system has no locks, nobody else has it.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def is_named(stream: IO[bytes], path: Path) -> bool:
    """Whether an open file is still the one at `path`."""
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except FileNotFoundError:
        return False


def hidden_beside(target: Path, what: str) -> Path:
    """The hidden file beside `target` that holds what a run needs until it is done."""
    name = target.name
    if len(os.fsencode(name)) > _LONGEST_NAME:
        import hashlib

        name = f"{name[:50]}.{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}"
    return target.with_name(f".{name}.{what}")


def _equal(one: Path, other: Path) -> bool:
    import filecmp

    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False


def _copy_rights(target: Path, descriptor: int) -> None:
    try:
        old = target.stat()
    except FileNotFoundError:
        return
    with suppress(PermissionError):  # only the owner, or root, may give a file away
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


class PackedSink:
    """Compresses what goes into another sink.

    Parameters
    ----------
    sink
        Where the compressed bytes go.
    compression
        How to compress.
    """

    def __init__(self, sink: Sink, compression: Compression) -> None:
        self._packed = Packed(sink.write, compression)

    def write(self, data: bytes) -> None:
        """Take `data`."""
        self._packed.write(data)

    def flush(self) -> None:
        """Do nothing: a compressor that is flushed gives other bytes, at the whim of the clock."""

    def close(self) -> None:
        """Write the end of the compressed data."""
        self._packed.close()
