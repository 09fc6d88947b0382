"""The filter itself: parts of sources through a `Cleaner`, and what is left of them."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from cleaner import render, restore
from cleaner.errors import InputError, OptionError
from cleaner.formats.encoding import dump_json, encode
from cleaner.formats.jsonl import Record
from cleaner.formats.text import TextFile
from cleaner.options import BATCH_DOCUMENTS, is_count
from cleaner.reading import Entry, Passed, Unusable, entries
from cleaner.results import CleanResult
from cleaner.work import MOST_PROBLEMS, Answer, Block, Outcome, Part

if TYPE_CHECKING:
    from cleaner.cleaning import Cleaner
    from cleaner.document import Document
    from cleaner.formats.kinds import Format
    from cleaner.formats.parquet import Row

OnError = Literal["fail", "skip", "keep"]
Show = Literal["text", "diff", "nothing"]
_BATCH_CHARACTERS = 1_000_000  # code points encoded at once: a long document goes alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How documents are read and results shown.

    Attributes
    ----------
    show
        What is left: the clean documents, their diffs, or nothing.
    target
        What documents become, whatever they were; None: they stay what they are.
    mixed
        Whether Parquet and other formats become one file of Parquet.
    explain
        Whether text is explained in lines on the log, and records by ``removed``.
    account
        Whether a JSON line is made for each deletion.
    colour
        Whether diffs have colours.
    title
        The title of a text document.
    text_field, title_field
        Where text and title stand in a record.
    on_error
        What a record that cannot be used does: end the run, be left out, or stay as it is.
    batch_documents
        Documents judged at once, 1 or more. It changes the pace, never the outcome.
    """

    show: Show = "text"
    target: Format | None = None
    mixed: bool = False
    explain: bool = False
    account: bool = False
    colour: bool = False
    title: str | None = None
    text_field: str = "text"
    title_field: str = "title"
    on_error: OnError = "fail"
    batch_documents: int = BATCH_DOCUMENTS

    def __post_init__(self) -> None:
        if not is_count(self.batch_documents):
            raise OptionError(
                f"the batch size is {self.batch_documents}", next_step="use 1 or more"
            )

    def becomes_lines(self, form: Format) -> bool:
        """Whether documents that lie in `form` become lines of JSONL on their way."""
        stays = self.target == form and not self.mixed
        return self.show == "text" and self.target not in (None, "text") and not stays


# Half of a code point that is no byte in disguise either (see `cleaner.formats.encoding`).
_HALF = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_Item: TypeAlias = "Entry | Passed | InputError | None"
Announce = Callable[[str, str], object]


class Filter:
    """Turns parts of sources into what is left of them. It keeps nothing from part to part.

    Parameters
    ----------
    cleaner
        What judges the documents.
    settings
        How they are read and shown.
    """

    def __init__(self, cleaner: Cleaner, settings: Settings) -> None:
        self.cleaner = cleaner
        self.settings = settings

    def process(
        self, parts: Sequence[Part], announce: Announce | None = None
    ) -> tuple[Outcome, ...]:
        """Clean all documents of `parts`.

        Parameters
        ----------
        parts
            The parts; documents of several are judged in one batch.
        announce
            Told the places of the first and the last document of each batch before it is judged.

        Returns
        -------
        tuple of Outcome
            One for each part; what is behind an error that ends the run is left out.
        """
        outcomes = [Outcome() for _ in parts]
        read = [self._read(part, out) for part, out in zip(parts, outcomes, strict=True)]
        results = self._judged([item for items in read for item in items], announce)
        for part, items, outcome in zip(parts, read, outcomes, strict=True):
            self._render(part, items, outcome, results)
            if outcome.error is not None:
                break
        return tuple(outcomes)

    # --- reading ---------------------------------------------------------------------------------

    def _read(self, part: Part, outcome: Outcome) -> list[_Item]:
        """The entries of a part; None for one that is left out, an error where the run ends."""
        items: list[_Item] = []
        try:
            for item in self._entries(part):
                if isinstance(item, Unusable):
                    items.append(self._pass(item, outcome))
                else:
                    items.append(item)
        except InputError as error:
            outcome.error = error
            items.append(error)
        return items

    def _pass(self, item: Unusable, outcome: Outcome) -> Passed | None:
        if self.settings.on_error == "fail":
            raise item.error
        outcome.tally.errors += 1
        if len(outcome.problems) < MOST_PROBLEMS:
            outcome.problems.append(f"{item.error.place}: {item.error.problem}")
        if self.settings.on_error == "keep":
            return item.passed
        outcome.changed = self.settings.show == "text"  # with --check nothing is left out
        return None

    def _entries(self, part: Part) -> Iterator[Entry | Passed | Unusable]:
        becomes_lines = self.settings.becomes_lines(part.format)
        found = entries(
            part,
            title=self.settings.title,
            text_field=self.settings.text_field,
            title_field=self.settings.title_field,
            with_values=becomes_lines,
        )
        becomes_rows = becomes_lines and self.settings.target == "parquet"
        return map(_as_row, found) if becomes_rows else found

    # --- judging ---------------------------------------------------------------------------------

    def _judged(self, items: Sequence[_Item], announce: Announce | None) -> Iterator[CleanResult]:
        for batch in self._batches(items):
            if announce is not None:
                announce(_place(batch[0]), _place(batch[-1]))
            documents: list[Document] = [entry.document for entry in batch]
            yield from self.cleaner.clean_many(documents, batch_documents=len(documents))

    def _batches(self, items: Sequence[_Item]) -> Iterator[list[Entry]]:
        batch: list[Entry] = []
        size = 0
        for item in items:
            if isinstance(item, InputError):
                break
            if item is None or isinstance(item, Passed):
                continue
            length = len(item.document.text)
            full = len(batch) == self.settings.batch_documents
            if batch and (full or size + length > _BATCH_CHARACTERS):
                yield batch
                batch, size = [], 0
            batch.append(item)
            size += length
        if batch:
            yield batch

    # --- showing ---------------------------------------------------------------------------------

    def _render(
        self, part: Part, items: Sequence[_Item], outcome: Outcome, results: Iterator[CleanResult]
    ) -> None:
        shape = self._shape(part)
        removed: list[bytes] = []
        for item in items:
            if item is None or isinstance(item, InputError):
                continue
            if isinstance(item, Passed):
                shape.passed(item)
                continue
            result = next(results)
            outcome.tally.count(result)
            outcome.changed |= result.changed or shape.always_changes
            outcome.log += shape.cleaned(item, result)
            if self.settings.account:
                removed += _account(part, item, result)
        outcome.output = shape.output()
        outcome.removed = b"".join(removed)

    def _shape(self, part: Part) -> _Shape:
        if self.settings.show != "text":
            return _Shown(self.settings)
        if self.settings.becomes_lines(part.format):
            return _AsLines(self.settings)
        if part.format == "text":
            return _AsText(self.settings)
        if part.format == "jsonl":
            return _AsTheyCame(self.settings)
        return _AsRows(self.settings)


class _Shape(ABC):
    """What is left of a part, in one of several forms."""

    always_changes = False

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._pieces: list[bytes] = []

    def passed(self, item: Passed) -> None:
        """Take what goes through as it is."""
        self._pieces.append(item.line)

    @abstractmethod
    def cleaned(self, entry: Any, result: CleanResult) -> list[str]:
        """Take what is left of a document; lines for people come back."""

    def output(self) -> bytes:
        """All of it."""
        return b"".join(self._pieces)


class _AsText(_Shape):
    """Text as text."""

    def cleaned(self, entry: TextFile, result: CleanResult) -> list[str]:
        self._pieces.append(entry.cleaned(result))
        return list(render.explanation(result, entry.place)) if self.settings.explain else []


class _AsTheyCame(_Shape):
    """JSONL as JSONL: cut within the line."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.always_changes = settings.explain

    def cleaned(self, entry: Record, result: CleanResult) -> list[str]:
        self._pieces.append(entry.cleaned(result, explain=self.settings.explain))
        return []


class _AsLines(_Shape):
    """Anything as JSONL."""

    always_changes = True

    def passed(self, item: Passed) -> None:
        """Blank lines are left out."""

    def cleaned(self, entry: Entry, result: CleanResult) -> list[str]:
        self._pieces.append(entry.as_line(result, explain=self.settings.explain))
        return []


class _AsRows(_Shape):
    """Parquet as Parquet: what becomes of each row, for the process that holds the rows."""

    def __init__(self, settings: Settings) -> None:
        from cleaner.formats.parquet import RowAnswers

        super().__init__(settings)
        self.always_changes = settings.explain
        self._answers = RowAnswers(explain=settings.explain)

    def passed(self, item: Passed) -> None:
        self._answers.passed(item.row)

    def cleaned(self, entry: Row, result: CleanResult) -> list[str]:
        self._answers.cleaned(entry.index, result)
        return []

    def output(self) -> bytes:
        return self._answers.packed()


class _Shown(_Shape):
    """Diffs, or a line for each document that would change."""

    def passed(self, item: Passed) -> None:
        """Nothing to show."""

    def cleaned(self, entry: Entry, result: CleanResult) -> list[str]:
        log: list[str] = []
        if self.settings.show == "diff":
            text = render.diff(result, entry.place)
            text = _HALF.sub("\ufffd", text)  # JSON can hold a half of a code point, a diff none
            self._pieces.append(encode(render.coloured(text) if self.settings.colour else text))
        elif result.changed:
            count = len(result.findings)
            log.append(
                f"{entry.place}: {count} fragment{'s' if count > 1 else ''} would be removed"
            )
        if self.settings.explain:
            log += render.explanation(result, entry.place)
        return log


def _as_row(item: Entry | Passed | Unusable) -> Entry | Passed | Unusable:
    """What was read, or why it cannot become a row of Parquet."""
    if isinstance(item, Passed | Unusable):
        return item
    from cleaner.formats.lines_to_parquet import no_row

    problem = no_row(item.as_line(CleanResult(item.document.text)))
    if not problem:
        return item
    step = "use --on-error skip to go on, or --output-format jsonl"
    return Unusable(InputError(problem, place=item.place, next_step=step), Passed())


def _account(part: Part, entry: Entry, result: CleanResult) -> Iterator[bytes]:
    """A JSON line for each deletion."""
    if not result.findings:
        return
    belongs = restore.belonging(result, entry if isinstance(entry, Record) else None)
    lines = render.line_numbers(result)
    for finding, line, more in zip(result.findings, lines, belongs, strict=True):
        record: dict[str, Any] = {
            "path": part.name,
            **_where(part, entry, line),
            "document": entry.id,
            **finding.to_dict(),
            **more,
        }
        yield dump_json(record) + b"\n"


def _where(part: Part, entry: Entry, line: int) -> dict[str, int]:
    """Where a deletion is: the row or line of its record, else the line of the text."""
    if isinstance(entry, Record):
        return {"line": entry.number}
    return {"line": line} if isinstance(entry, TextFile) else {"row": part.first + entry.index}


def _place(entry: Entry) -> str:
    return entry.place


def make_filter(options: Mapping[str, Any], settings: Settings) -> Filter:
    """A filter with its model loaded.

    Parameters
    ----------
    options
        Parameters of `cleaner.cleaning.Cleaner`.
    settings
        How documents are read and shown.
    """
    # Sums keep their order, and so their last digits, whatever the number of cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import cleaner.cleaning

    return Filter(cleaner.cleaning.Cleaner(**options), settings)


def answers_here(blocks: Iterable[Block], work: Filter) -> Iterator[Answer]:
    """The outcomes of `blocks`, worked out in this process."""
    for block in blocks:
        yield block, work.process(block.parts) if block.parts else ()
