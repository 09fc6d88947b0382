"""What a file is, by its suffix or by the user's word: a format, compressed or not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

Format = Literal["text", "jsonl", "parquet"]
Compression = Literal["", "gz", "zst"]

_FORMATS: dict[str, Format] = {
    ".txt": "text",
    ".text": "text",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
_COMPRESSIONS: dict[str, Compression] = {".gz": "gz", ".zst": "zst"}
_SUFFIXES: dict[Format, str] = {"text": ".txt", "jsonl": ".jsonl", "parquet": ".parquet"}


@dataclass(frozen=True, slots=True)
class Kind:
    """A format and the compression around it.

    Attributes
    ----------
    format
        How documents lie in it.
    compression
        ``gz``, ``zst`` or none; Parquet compresses its columns itself, and has none around it.
    """

    format: Format
    compression: Compression = ""

    @property
    def name(self) -> str:
        """As an option gives it: ``jsonl``, ``jsonl.gz``."""
        return f"{self.format}.{self.compression}" if self.compression else self.format

    @property
    def suffix(self) -> str:
        """As a file name ends: ``.txt``, ``.jsonl.gz``."""
        return _SUFFIXES[self.format] + (f".{self.compression}" if self.compression else "")


_COMPRESSED: tuple[Format, ...] = ("text", "jsonl")
_AROUND: tuple[Compression, ...] = ("", "gz", "zst")
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        *(Kind(form, compression) for form in _COMPRESSED for compression in _AROUND),
        Kind("parquet"),
    )
}


def suffixed(name: str) -> Kind | None:
    """The kind that the suffix of a file name says; None where it says none."""
    path = PurePath(name)
    compression = _COMPRESSIONS.get(path.suffix.lower(), "")
    inner = PurePath(path.stem) if compression else path
    form = _FORMATS.get(inner.suffix.lower())
    if form is None or (form == "parquet" and compression):
        return None
    return Kind(form, compression)


def is_packed_parquet(name: str) -> bool:
    """Whether the suffixes of a file name say Parquet with a compression around it."""
    path = PurePath(name)
    inner = PurePath(path.stem).suffix.lower()
    return path.suffix.lower() in _COMPRESSIONS and _FORMATS.get(inner) == "parquet"


def kind_of(name: str, given: str | None = None) -> Kind:
    """The kind of a file: as `given`, else by its suffix, else text.

    A format given without a compression leaves the compression to the suffix.
    """
    compression = _COMPRESSIONS.get(PurePath(name).suffix.lower(), "")
    if given is None:
        return suffixed(name) or Kind("text", compression)
    kind = KINDS[given]
    if kind.compression or kind.format == "parquet":
        return kind
    return Kind(kind.format, compression)


def bare(name: str) -> str:
    """A file's name without the suffixes that say what it is.

    >>> bare("news.test.jsonl.gz")
    'news.test'
    """
    for suffixes in (_COMPRESSIONS, _FORMATS):
        if PurePath(name).suffix.lower() in suffixes:
            name = PurePath(name).stem
    return name


def renamed(path: PurePath, kind: Kind) -> PurePath:
    """`path` with the suffix of `kind` in place of the one that says what it was."""
    return path.with_name(bare(path.name) + kind.suffix)
