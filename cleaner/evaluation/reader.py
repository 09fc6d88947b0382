"""Read labelled documents from files.

Two forms of record are read, one a line, gzip or zstd around them or not:

- ``lines`` and ``labels``: a label for each line (1 remove, 0 keep, -1 not scored), and optionally
  ``kinds``, a name for what each line is, and ``paragraph``, a number for each line: lines of one
  number are joined by a blank.
- ``text`` and ``spans``: ``{"start", "end", "label"}`` with half-open code-point offsets, and
  optionally ``reason``. What no span covers is not scored.

Both may have ``id``, ``title``, ``source``, ``url``, ``page_type`` and ``view``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleaner.document import Span
from cleaner.errors import InputError
from cleaner.evaluation.intruders import compose
from cleaner.evaluation.labelled import Labelled
from cleaner.formats import Kind, Source, shown, source
from cleaner.formats.sources import each_line
from cleaner.sites import identity_of, site_of

if TYPE_CHECKING:
    from cleaner.formats.kinds import Compression

_LABELS = frozenset({-1, 0, 1})
_MARKS: dict[bytes, Compression] = {b"\x1f\x8b": "gz", b"\x28\xb5\x2f\xfd": "zst"}
_FORMS = 'give "lines" with "labels", or "text" with "spans"'


def read_labelled(path: str | Path) -> Iterator[Labelled]:
    """The labelled documents of a JSON Lines file, compressed or not; ``-`` is standard input.

    Raises
    ------
    InputError
        If the file cannot be read or a record is not of one of the two forms.
    """
    for place, record in read_lines(path):
        yield labelled_of(record, place=place)


def read_lines(path: str | Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each JSON object of a file with its place, ``file:line``; ``-`` is standard input.

    Raises
    ------
    InputError
        If the file cannot be read, or a line is no JSON object.
    """
    item = _packed(source(str(path), "jsonl"))
    for number, line in enumerate(each_line(item), 1):
        if line.strip():
            place = f"{shown(item.name)}:{number}"
            yield place, _record(line, place)


def _packed(item: Source) -> Source:
    """`item`, compressed as its first bytes say: its name need not."""
    if not item.is_stdin and item.path.is_dir():
        raise InputError("is a directory", place=item.name, next_step="name the files in it")
    if not item.is_regular:  # what is read now cannot be read again
        return item
    with item.open() as stream:
        beginning = stream.read(max(map(len, _MARKS)))
    found = [kind for mark, kind in _MARKS.items() if beginning.startswith(mark)]
    return replace(item, kind=Kind("jsonl", *found))


def _record(line: bytes, place: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is of the first
        is_deep = isinstance(error, RecursionError)
        raise InputError(
            f"not valid JSON ({'its values are nested too deeply' if is_deep else error})",
            place=place,
            next_step="give JSON Lines: a record a line",
        ) from error
    if not isinstance(record, dict):
        raise InputError("the record is no JSON object", place=place, next_step=_FORMS)
    return record


def labelled_of(record: dict[str, Any], *, place: str) -> Labelled:
    """The labelled document of a record of either form.

    Raises
    ------
    InputError
        If it is of neither form, or its labels do not fit its text.
    """
    for name in ("title", "source", "url", "page_type", "view"):
        if not isinstance(record.get(name), str | None):
            raise _wrong(f'"{name}" is no text', place, "give a string, or leave it out")
    if "lines" in record:
        document = _of_lines(record, place)
    elif "spans" in record:
        document = _of_spans(record, place)
    else:
        raise _wrong("the record has no labels", place, _FORMS)
    return replace(
        document,
        identity=identity_of(record, place),
        site=site_of_record(record, place),
        source=record.get("source") or "",
        page_type=record.get("page_type") or "",
        view=record.get("view") or "",
    )


def site_of_record(record: dict[str, Any], place: str) -> str:
    """The site that a record came from (see `site_of`).

    Raises
    ------
    InputError
        If its address is none.
    """
    try:
        return site_of(record, place)
    except ValueError as error:
        raise _wrong(f'"url" is no address ({error})', place, "mend it or leave it out") from error


def _of_lines(record: dict[str, Any], place: str) -> Labelled:
    lines = record["lines"]
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise _wrong('"lines" is no list of strings', place, _FORMS)
    for name in ("labels", "kinds", "paragraph"):
        values = record.get(name)
        if name == "labels" and values is None:
            raise _wrong('there are no "labels"', place, "give a label for each line: 1, 0 or -1")
        if values is not None and (not isinstance(values, list) or len(values) != len(lines)):
            count = len(values) if isinstance(values, list) else "no list"
            raise _wrong(f'"{name}": {count} for {len(lines)} lines', place, "give one a line")
    for number, label in enumerate(record["labels"]):
        _check_label(label, f'"labels"[{number}]', place)
    document = compose(record)
    kinds = tuple(str(kind or "") for kind in record.get("kinds") or ())
    return replace(document, kinds=kinds)


def _of_spans(record: dict[str, Any], place: str) -> Labelled:
    text, marks = record.get("text"), record["spans"]
    if not isinstance(text, str) or not isinstance(marks, list):
        raise _wrong('"text" is no text or "spans" no list', place, _FORMS)
    rows = sorted(_span_of(mark, number, text, place) for number, mark in enumerate(marks))
    spans: list[Span] = []
    labels: list[int] = []
    kinds: list[str] = []
    at = 0
    # What no span covers becomes a span that is not scored: together they are the whole text.
    for start, end, label, kind in [*rows, (len(text), len(text), -1, "")]:
        if start < at:
            raise _wrong(f"the span at {start} overlaps the one before", place, "mend its offsets")
        if start > at:
            spans.append(Span(at, start))
            labels.append(-1)
            kinds.append("")
        if end > start:
            spans.append(Span(start, end))
            labels.append(label)
            kinds.append(kind)
        at = end
    return Labelled(
        text=text,
        title=record.get("title"),
        spans=tuple(spans),
        labels=tuple(labels),
        site="",
        source="",
        identity="",
        kinds=tuple(kinds),
    )


def _span_of(mark: Any, number: int, text: str, place: str) -> tuple[int, int, int, str]:
    where = f'"spans"[{number}]'
    try:
        start, end, label = mark["start"], mark["end"], mark["label"]
        fits = 0 <= start < end <= len(text)
        if not (isinstance(start, int) and isinstance(end, int)):
            raise TypeError("no whole number")
    except (KeyError, TypeError) as error:
        raise _wrong(
            f"{where} is no span", place, 'give "start", "end" and "label", as whole numbers'
        ) from error
    if not fits:
        raise _wrong(
            f"{where}: {start} to {end} lies not within the text of {len(text)} code points",
            place,
            "count code points, from 0, the end not included",
        )
    _check_label(label, where, place)
    return start, end, label, str(mark.get("reason") or "")


def _check_label(label: Any, where: str, place: str) -> None:
    if not isinstance(label, int) or isinstance(label, bool) or label not in _LABELS:
        raise _wrong(f"{where}: {label!r} is no label", place, "use 1 remove, 0 keep, -1 unknown")


def _wrong(problem: str, place: str, step: str) -> InputError:
    return InputError(problem, place=place, next_step=step)
