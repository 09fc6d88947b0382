"""The filter itself: sources through a `Cleaner` into sinks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from cleaner import render
from cleaner.document import Document
from cleaner.errors import InputError
from cleaner.formats import STDIN, AtomicFile, Record, Sink, Source, dump_json, encode, parse_record

if TYPE_CHECKING:
    from cleaner.cleaning import Cleaner
    from cleaner.results import CleanResult

OnError = Literal["fail", "skip", "keep"]
Show = Literal["text", "diff", "nothing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How documents are read and results shown.

    Attributes
    ----------
    show
        What goes to the sink: the clean documents, their diffs, or nothing.
    explain
        Whether text is explained in lines on the log, and JSONL records by ``removed``.
    colour
        Whether diffs have colours.
    title
        The title of a text document.
    text_field, title_field
        Where text and title stand in a JSONL record.
    on_error
        What a JSONL line that cannot be used does: end the run, be left out, or stay as it is.
    """

    show: Show = "text"
    explain: bool = False
    colour: bool = False
    title: str | None = None
    text_field: str = "text"
    title_field: str = "title"
    on_error: OnError = "fail"


@dataclass(frozen=True, slots=True)
class Filter:
    """One run of the filter over its sources.

    Attributes
    ----------
    cleaner
        What judges the documents.
    settings
        How they are read and shown.
    log
        Takes lines for people.
    removed
        Takes a JSON line for each deletion; None where nobody asked.
    """

    cleaner: Cleaner
    settings: Settings
    log: Callable[[str], None]
    removed: Sink | None = None

    def run(self, source: Source, sink: Sink) -> bool:
        """Filter one source into `sink`.

        Returns
        -------
        bool
            Whether what went out (or would have) differs from what came in.

        Raises
        ------
        InputError
            If the source cannot be read, or a JSONL line cannot be used and is not passed over.
        OutputError
            If a sink does not take what it is given.
        """
        changed = self._text(source, sink) if source.format == "text" else self._jsonl(source, sink)
        if self.settings.show != "nothing":
            sink.flush()
        return changed

    def run_in_place(self, source: Source) -> bool:
        """Filter a file into itself: whole or not at all, and untouched where nothing changes."""
        with AtomicFile(source.path) as file:
            changed = self.run(source, file)
            if not changed:
                file.discard()
        return changed

    # --- text ------------------------------------------------------------------------------------

    def _text(self, source: Source, sink: Sink) -> bool:
        document = Document(source.text(), self.settings.title, source.name)
        result = self.cleaner.clean_and_explain(document.text, title=document.title)
        self._account(result, source.name, source.name, None)
        if self.settings.show == "text":
            sink.write(encode(result.text))
            if self.settings.explain:
                self._explain(result, source.name)
        else:
            self._show(result, source.name, sink)
        return result.changed

    def _explain(self, result: CleanResult, name: str) -> None:
        for line in render.explanation(result, name):
            self.log(line)

    # --- JSONL -----------------------------------------------------------------------------------

    def _jsonl(self, source: Source, sink: Sink) -> bool:
        changed = False
        errors = _Errors()
        number = 0
        for lines in source.lines():
            numbered = enumerate(lines, number + 1)
            batch = [self._parse(line, source, at, errors) for at, line in numbered]
            number += len(lines)
            changed |= self._batch(batch, source, sink)
            if self.settings.show != "nothing":
                # A batch is all that has arrived: who reads us need not wait for the next one.
                sink.flush()
        if errors.count:
            changed |= self.settings.on_error == "skip"
            self.log(errors.summary(source.name, self.settings.on_error))
        return changed

    def _parse(
        self, line: bytes, source: Source, number: int, errors: _Errors
    ) -> Record | InputError | bytes:
        """A record; bytes that go through as they are; or the error that ends the run here."""
        if not line.strip():
            return line
        try:
            return parse_record(
                line,
                name=source.name,
                number=number,
                text_field=self.settings.text_field,
                title_field=self.settings.title_field,
            )
        except InputError as error:
            if self.settings.on_error == "fail":
                return error
            errors.add(error)
            return line if self.settings.on_error == "keep" else b""

    def _batch(
        self, batch: Sequence[Record | InputError | bytes], source: Source, sink: Sink
    ) -> bool:
        changed = False
        results = self.cleaner.clean_many(_documents(batch))
        for item in batch:
            if isinstance(item, InputError):
                raise item
            if isinstance(item, Record):
                changed |= self._record(item, next(results), source, sink)
            elif self.settings.show == "text":
                sink.write(item)
        return changed

    def _record(self, record: Record, result: CleanResult, source: Source, sink: Sink) -> bool:
        self._account(result, source.name, record.id, record.number)
        if self.settings.show != "text":
            self._show(result, record.place, sink)
            return result.changed
        line = record.cleaned(result, explain=self.settings.explain)
        sink.write(line)
        return result.changed or self.settings.explain

    # --- both ------------------------------------------------------------------------------------

    def _show(self, result: CleanResult, name: str, sink: Sink) -> None:
        if self.settings.show == "diff":
            text = render.diff(result, name)
            sink.write(encode(render.coloured(text) if self.settings.colour else text))
        elif result.changed:
            count = len(result.findings)
            self.log(f"{name}: {count} fragment{'s' if count > 1 else ''} would be removed")
        if self.settings.explain:
            self._explain(result, name)

    def _account(
        self, result: CleanResult, path: str, identity: object, number: int | None
    ) -> None:
        """Write each deletion to the file of what was removed."""
        if self.removed is None or not result.findings:
            return
        for finding, line in zip(result.findings, render.line_numbers(result), strict=True):
            record: dict[str, Any] = {
                "path": path,
                "line": line if number is None else number,
                "document": identity,
                **finding.to_dict(),
            }
            self.removed.write(dump_json(record) + b"\n")


@dataclass(slots=True)
class _Errors:
    """Lines of one source that could not be used."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, error: InputError) -> None:
        """Count one, and remember the first."""
        self.count += 1
        if not self.first:
            self.first.append(f"{error.place}: {error.problem}")

    def summary(self, name: str, on_error: OnError) -> str:
        """One line that says how many, and what the first one was."""
        done = "skipped" if on_error == "skip" else "kept as they are"
        return f"{_shown(name)}: records {done}: {self.count} (first: {self.first[0]})"


def _documents(batch: Sequence[Record | InputError | bytes]) -> Iterator[Document]:
    for item in batch:
        if isinstance(item, InputError):
            return
        if isinstance(item, Record):
            yield item.document


def _shown(name: str) -> str:
    return "standard input" if name == STDIN else name
