"""Documents from sources: of one part of the work, or one after the other for those who look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from cleaner.blocks import Blocks
from cleaner.errors import InputError
from cleaner.formats.encoding import shown
from cleaner.formats.jsonl import Record, parse_record
from cleaner.formats.text import TextFile
from cleaner.sites import site_at

if TYPE_CHECKING:
    from cleaner.document import Document
    from cleaner.formats.parquet import Row
    from cleaner.formats.sources import Source
    from cleaner.work import Part

Entry: TypeAlias = "TextFile | Record | Row"


@dataclass(frozen=True, slots=True)
class Passed:
    """What goes through as it is: a line, or blank ones, or the row of that index."""

    line: bytes = b""
    row: int = 0


@dataclass(frozen=True, slots=True)
class Unusable:
    """What holds no document, and how it goes through where it is kept."""

    error: InputError
    passed: Passed


def entries(
    part: Part,
    *,
    title: str | None = None,
    text_field: str = "text",
    title_field: str = "title",
    with_values: bool = False,
) -> Iterator[Entry | Passed | Unusable]:
    """Read the documents of a part, in order.

    Parameters
    ----------
    part
        The part.
    title
        The title of a text document.
    text_field, title_field
        Where text and title stand in a record.
    with_values
        Whether rows of Parquet come with all their values.
    """
    if part.format == "text":
        yield TextFile.read(part.data, name=part.name, title=title)
    elif part.format == "jsonl":
        yield from _lines(part, text_field, title_field)
    elif part.data:
        yield from _rows(part, text_field, title_field, with_values=with_values)


def _lines(part: Part, text_field: str, title_field: str) -> Iterator[Record | Passed | Unusable]:
    # Not splitlines(): a carriage return within a JSON line is white space, not its end.
    lines = part.data.split(b"\n")
    blank: list[bytes] = []  # one for all that follow each other: there may be millions
    for offset, bare in enumerate(lines):
        line = bare + b"\n" if offset < len(lines) - 1 else bare
        if not line.strip():
            blank.append(line)
            continue
        if blank:
            yield Passed(line=b"".join(blank))
            blank = []
        try:
            yield parse_record(
                line,
                name=part.name,
                number=part.first + offset,
                text_field=text_field,
                title_field=title_field,
            )
        except InputError as error:
            yield Unusable(error, Passed(line=line))
    if blank:
        yield Passed(line=b"".join(blank))


def _rows(
    part: Part, text_field: str, title_field: str, *, with_values: bool
) -> Iterator[Row | Unusable]:
    from cleaner.formats.parquet import parse_rows

    rows = parse_rows(
        part.data,
        name=part.name,
        first=part.first,
        text_field=text_field,
        title_field=title_field,
        with_values=with_values,
    )
    for index, row in enumerate(rows):
        yield Unusable(row, Passed(row=index)) if isinstance(row, InputError) else row


# --- one after the other -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Read:
    """A document and where it came from.

    Attributes
    ----------
    document
        The document; its identity is the record's ``id``, else its place.
    place
        The file, and the number of the line in JSONL or of the row in Parquet: for messages.
    source
        What documents are grouped by: a site where the record tells one, else the file.
    """

    document: Document
    place: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How documents are read.

    Attributes
    ----------
    title
        The title of a text document.
    text_field, title_field
        Where text and title stand in a record.
    source_field
        Where a record tells its source: an address counts as its site.
    on_error
        What a record that cannot be used does: end the run, or be left out.
    log
        Takes lines for people: what was left out.
    """

    title: str | None = None
    text_field: str = "text"
    title_field: str = "title"
    source_field: str | None = None
    on_error: Literal["fail", "skip"] = "fail"
    log: Callable[[str], None] = lambda _: None

    def read(self, sources: Iterable[Source]) -> Iterator[Read]:
        """Documents in order, lazily.

        Raises
        ------
        InputError
            If a source cannot be read, or a record cannot be used and is not left out.
        """
        blocks = Blocks(
            sources,
            text_field=self.text_field,
            title_field=self.title_field,
            whole_rows=self.source_field is not None,
        )
        skipped = 0
        for part in (part for block in blocks for part in block.parts):
            for entry in self._entries(part):
                if isinstance(entry, Unusable):
                    skipped += 1
                    self._leave_out(entry.error, first=skipped == 1)
                elif not isinstance(entry, Passed):
                    name = shown(part.name)
                    yield Read(entry.document, entry.place, self._source(entry) or name)
            if part.last:
                if skipped > 1:
                    self.log(f"{shown(part.name)}: {skipped} records left out")
                skipped = 0

    def _entries(self, part: Part) -> Iterator[Entry | Passed | Unusable]:
        return entries(
            part,
            title=self.title,
            text_field=self.text_field,
            title_field=self.title_field,
            with_values=self.source_field is not None,
        )

    def _leave_out(self, error: InputError, *, first: bool) -> None:
        if self.on_error == "fail":
            raise error
        if first:
            self.log(f"{error.place}: left out: {error.problem}")

    def _source(self, entry: Entry) -> str:
        """The record's source by its own telling; empty where it tells none."""
        if self.source_field is None or isinstance(entry, TextFile):
            return ""
        value: object = ""
        with suppress(ValueError):  # a number that Python does not read, or half an address
            value = entry.value(self.source_field)
            value = site_at(value) or value if isinstance(value, str) else ""
        return str(value)
