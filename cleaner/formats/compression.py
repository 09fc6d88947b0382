"""gzip and zstd around a stream of bytes, read as it arrives and written the same every time."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, cast

if TYPE_CHECKING:
    from cleaner.formats.kinds import Compression

_CHUNK = 1 << 14  # compressed bytes taken at once
_SLICE = 1 << 8  # those unpacked at once: at worst they become 8 MB (zstd has 128 kB in 4 bytes)
_ENOUGH = 1 << 18  # unpacked bytes that are handed on without waiting for more
_WRITTEN = 1 << 20  # bytes handed to a compressor at once, so that its output depends on them alone
_GZIP_LEVEL = 6  # of the gzip command
_ZSTD_LEVEL = 3  # of the zstd command
_ZSTD_WINDOW = 1 << 31  # bytes that a frame may refer back to, as zstd --long=31 makes it

# How members and frames begin, those of zstd that hold no data among them.
_HEADS: dict[Compression, tuple[bytes, ...]] = {
    "gz": (b"\x1f\x8b",),
    "zst": (b"\x28\xb5\x2f\xfd", *(bytes([n]) + b"\x2a\x4d\x18" for n in range(0x50, 0x60))),
}


class TruncatedError(Exception):
    """Compressed data ends in its middle."""


class DamagedError(Exception):
    """Compressed data is not what it should be."""


class Readable(Protocol):
    """Gives bytes as they arrive."""

    def read1(self, size: int, /) -> bytes:
        """At most about `size` bytes, fewer where fewer have arrived, none at the end."""


class Unpacked:
    """The bytes within a compressed stream; members or frames one after the other are one stream.

    Parameters
    ----------
    stream
        The compressed bytes.
    compression
        How they are compressed.
    """

    def __init__(self, stream: BinaryIO, compression: Compression) -> None:
        self._stream = stream
        self._new: Callable[[], Any] = _gunzip if compression == "gz" else _unzstd
        self._errors = _errors_of(compression)
        self._heads = _HEADS[compression]
        self._part: Any = None  # the member or frame that is being read
        self._rest = b""  # has arrived, and is not unpacked yet
        self._ready = b""  # is unpacked, and was not asked for yet
        self._begun = False
        self._taken = 0  # bytes of the stream, as it is stored

    def read1(self, _size: int = -1, /) -> bytes:
        """Bytes as they arrive, none at the end.

        Raises
        ------
        TruncatedError
            If the data ends within a member or frame.
        DamagedError
            If it is not compressed data.
        """
        while not self._ready:
            data = self._rest or self._arrived()
            if not data:
                if self._part is not None or not self._begun:
                    raise TruncatedError
                return b""
            self._ready = self._unpacked(data)
        unpacked, self._ready = self._ready, b""
        return unpacked

    @property
    def has_arrived(self) -> bool:
        """Whether there are bytes that can be had without reading the stream."""
        while self._rest and not self._ready:
            data = self._rest
            try:
                self._ready = self._unpacked(data)
            except DamagedError:
                self._rest = data
                return True  # whoever reads is told
        return bool(self._ready)

    def read(self) -> bytes:
        """All the rest."""
        whole = io.BytesIO()
        while data := self.read1():
            whole.write(data)
        return whole.getvalue()

    def _unpacked(self, data: bytes) -> bytes:
        """What `data`, the next of the stream, unpacks to; what is left of it is kept."""
        self._rest = b""
        if self._part is None:
            data = data.lstrip(b"\0")  # tapes and disks pad with zeros, and gzip allows it
            if not data:
                return b""
            self._begin(data)
        return self._unpack(data)

    def _arrived(self) -> bytes:
        data = read_arrived(self._stream, _CHUNK)
        self._taken += len(data)
        return data

    def _begin(self, data: bytes) -> None:
        """Begin the member or frame that `data` begins with."""
        if self._begun and not any(data.startswith(head[: len(data)]) for head in self._heads):
            whole = self._taken - len(data)
            raise DamagedError(
                f"its first {whole} bytes are whole, what follows is something else: "
                f"head -c {whole} leaves that out"
            )
        self._part = self._new()
        self._begun = True

    def _unpack(self, data: bytes) -> bytes:
        """Unpack until it is enough, or the member or frame ends; what is left of `data` is kept.

        In slices: a few bytes may unpack to more than there is memory.
        """
        unpacked: list[bytes] = []
        at = size = 0
        while at < len(data) and size < _ENOUGH and not self._part.eof:
            try:
                unpacked.append(self._part.decompress(data[at : at + _SLICE]))
            except self._errors as error:
                if "not enough memory" in str(error):
                    raise MemoryError from error
                raise DamagedError(str(error)) from error
            at += _SLICE
            size += len(unpacked[-1])
        self._rest = data[at:]
        if self._part.eof:
            self._rest = self._part.unused_data + self._rest
            self._part = None
        return b"".join(unpacked)


def read_arrived(stream: BinaryIO, size: int) -> bytes:
    """At most `size` bytes of what is there, where ``read`` waits until it has all."""
    read = getattr(stream, "read1", stream.read)
    return cast("bytes", read(size))


def _gunzip() -> Any:
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)


def _unzstd() -> Any:
    import zstandard

    return zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()


def _errors_of(compression: Compression) -> tuple[type[Exception], ...]:
    if compression == "gz":
        return (zlib.error,)
    import zstandard

    return (zstandard.ZstdError,)


class Packed:
    """A compressor in front of `write`.

    The bytes that come out depend on the bytes that go in alone, not on how they are cut into
    calls, nor on the time or the name of a file.
    """

    def __init__(self, write: Callable[[bytes], object], compression: Compression) -> None:
        self._out = write
        self._waiting = bytearray()
        self._stream = _compressor(TakenBy(write), compression)

    def write(self, data: bytes) -> None:
        """Take `data`."""
        self._waiting += data
        while len(self._waiting) >= _WRITTEN:
            self._stream.write(bytes(self._waiting[:_WRITTEN]))
            del self._waiting[:_WRITTEN]

    def close(self) -> None:
        """Write what is left and the end."""
        self._stream.write(bytes(self._waiting))
        self._waiting.clear()
        self._stream.close()


class TakenBy(io.RawIOBase):
    """A file object in front of `write`, for libraries that want one: it only takes bytes.

    Attributes
    ----------
    stopped
        Whether nothing is handed on any more.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self.stopped = False

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any, /) -> int:
        """Hand on `data`."""
        taken = bytes(data)
        if not self.stopped:
            self._write(taken)
        return len(taken)


def _compressor(out: TakenBy, compression: Compression) -> Any:
    if compression == "gz":
        return gzip.GzipFile(
            filename="", mode="wb", compresslevel=_GZIP_LEVEL, fileobj=out, mtime=0
        )
    import zstandard

    return zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True).stream_writer(
        cast("BinaryIO", out), closefd=False
    )
