"""Text: a file is a document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleaner.document import Document
from cleaner.formats.encoding import decode, dump_json, encode, shown

if TYPE_CHECKING:
    from cleaner.results import CleanResult


@dataclass(frozen=True, slots=True)
class TextFile:
    """A document that is a file of its own.

    Attributes
    ----------
    document
        The document; its `identity` is the file's name.
    """

    document: Document

    @property
    def place(self) -> str:
        """The file's name, for messages."""
        return shown(self.document.identity or "")

    @property
    def id(self) -> str:
        """The file's name."""
        return self.document.identity or ""

    @classmethod
    def read(cls, data: bytes, *, name: str, title: str | None = None) -> TextFile:
        """The document that `data` holds."""
        return cls(Document(decode(data), title, name))

    def cleaned(self, result: CleanResult) -> bytes:
        """The bytes that are left."""
        return encode(result.text)

    def as_line(self, result: CleanResult, *, explain: bool = False) -> bytes:
        """The document as a line of JSONL: ``id`` (its name), ``title`` if given, and ``text``."""
        record: dict[str, object] = {"id": self.id}
        if self.document.title is not None:
            record["title"] = self.document.title
        record |= result.to_dict() if explain else {"text": result.text}
        return dump_json(record) + b"\n"
