"""The way back: clean output and removed fragments give the input again, byte for byte."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from cleaner import results
from cleaner.errors import InputError, OptionError, RestoreError
from cleaner.formats.encoding import decode, encode, shown
from cleaner.formats.jsonl import Record, parse_record, written_offsets
from cleaner.formats.sources import each_line
from cleaner.render import plural
from cleaner.results import Finding

if TYPE_CHECKING:
    from cleaner.formats.sinks import Sink
    from cleaner.formats.sources import Source
    from cleaner.results import CleanResult

_DIGEST = "input_sha256"
_NO_ROWS = "what was removed from Parquet is not put back: its files are not rebuilt byte for byte"
_KEEP_INPUT = "keep the input; restore reads text and JSONL"
_SHOWN_INPUTS = 5
_SAME = "an input from which nothing was removed is not among them: its output is the input itself"
_ONE_RUN = "give the clean output and the removed fragments of one and the same run"


# --- what an account of a deletion needs, so that it can be taken back ---------------------------


def belonging(result: CleanResult, record: Record | None) -> list[dict[str, str]]:
    """Tell, for each finding, what it belongs to.

    Parameters
    ----------
    result
        The outcome for one document.
    record
        The line of JSONL it came from; None for text.

    Returns
    -------
    list of dict
        ``input_sha256``, the digest of the input document in bytes (a text as a whole, a line of
        JSONL with its ending), and, where a line of JSONL wrote the fragment with other escapes
        than its plain text, ``written``: as it stood between the quotes.
    """
    whole = result.source if record is None else record.line
    digest = {_DIGEST: hashlib.sha256(encode(whole)).hexdigest()}
    if record is None:
        return [digest] * len(result.findings)
    literal = _literal(record)
    points = [at for finding in result.findings for at in (finding.start, finding.end)]
    offsets = written_offsets(literal, points)
    written = [literal[a:b] for a, b in zip(offsets[::2], offsets[1::2], strict=True)]
    return [
        digest | ({"written": text} if text != finding.text else {})
        for finding, text in zip(result.findings, written, strict=True)
    ]


def _literal(record: Record) -> str:
    """The text of a record as its line writes it, quotes and escapes included."""
    return record.line[record.body.value_start : record.body.end]


# --- what was removed ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Removed:
    """One line of the file of what was removed.

    Attributes
    ----------
    finding
        The deletion.
    path, line
        The input it was taken from, and the line: in JSONL, that of the record; 0 for a row of
        Parquet.
    digest
        SHA-256 of the input document, in hexadecimal digits.
    written
        As it stood in a line of JSONL.
    place
        Where this line stands, for messages.
    """

    finding: Finding
    path: str
    line: int
    digest: str
    written: str
    place: str


def read_removed(source: Source) -> Iterator[Removed]:
    """Read a file that ``--removed`` wrote.

    Raises
    ------
    InputError
        If it cannot be read, or a line of it is no account of a deletion.
    """
    for number, line in enumerate(each_line(source), 1):
        if line.strip():
            yield _removed(line, f"{shown(source.name)}:{number}")


def _removed(line: bytes, place: str) -> Removed:
    try:
        value = json.loads(line.decode("utf-8"))
        text = written = _checked(value, "text", str)
        if "written" in value:
            # Halves of a code point that stand side by side, one of them as an escape, become one
            # in the JSON of `text`; as they were written they stay two.
            written = _checked(value, "written", str)
            text = json.loads(f'"{written}"', strict=False)
        finding = Finding(
            _checked(value, "start", int),
            _checked(value, "end", int),
            text,
            float(value["score"]),
            _checked(value, "reason", str),
        )
        return Removed(
            finding,
            _checked(value, "path", str),
            0 if "row" in value and "line" not in value else _checked(value, "line", int),
            _checked(value, _DIGEST, str),
            written,
            place,
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        what = f"no field {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(
            f"not an account of a deletion ({what})",
            place=place,
            next_step="give a file that `cleaner --removed FILE` wrote",
        ) from None


def _checked(value: Any, name: str, kind: type) -> Any:
    found = value[name]
    if not isinstance(found, kind) or isinstance(found, bool):  # to Python, True is an int
        raise TypeError(f"{name} is {found!r}")
    return found


def choose_input(
    removed: Iterable[Removed], place: str, clean: Source, name: str | None
) -> frozenset[str]:
    """The input whose deletions are to be taken back, by its names in the accounts.

    Runs in place may each have written it otherwise: ./a.txt is a.txt.

    Parameters
    ----------
    removed
        What was removed.
    place
        The file that says so.
    clean
        The output: a file that was cleaned in place has its own name there.
    name
        The user's choice.

    Returns
    -------
    frozenset of str
        None at all where nothing was removed at all.

    Raises
    ------
    OptionError
        If `name` is not among those that are there, or there are several and none is chosen.
    InputError
        If a line of it is no account of a deletion.
    """
    paths = dict.fromkeys(item.path for item in removed)
    if not paths:
        return frozenset()  # every output is its input, whatever that is called
    some = ", ".join(map(repr, list(paths)[:_SHOWN_INPUTS]))
    if len(paths) > _SHOWN_INPUTS:
        some += ", ..."
    if name is not None:
        chosen = _same_path(name, paths)
        if not chosen:
            raise OptionError(
                f"nothing was removed from an input called {name!r}",
                place=place,
                next_step=f"name one of {some}; {_SAME}",
            )
        return chosen
    own = _same_path(clean.name, paths)
    if not own and len(_same_path(next(iter(paths)), paths)) < len(paths):
        raise OptionError(
            f"holds what was removed from several inputs: {some}",
            place=place,
            next_step=f"name one with --input; {_SAME}",
        )
    return own or frozenset(paths)


def _same_path(name: str, paths: Collection[str]) -> frozenset[str]:
    """Those of `paths` that are the file `name`, however they are written."""
    whole = os.path.normpath(Path(name).absolute())
    return frozenset(p for p in paths if os.path.normpath(Path(p).absolute()) == whole)


# --- putting it back -----------------------------------------------------------------------------


def restore(clean: Source, removed: Source, sink: Sink, *, name: str | None, field: str) -> int:
    """Write the input that `clean` was made from.

    Parameters
    ----------
    clean
        What the filter wrote for one input: a text, or JSONL.
    removed
        What it removed.
    sink
        Takes the input.
    name
        Which input, where `removed` holds several.
    field
        Where the text stands in a JSONL record.

    Returns
    -------
    int
        How many fragments were put back.

    Raises
    ------
    RestoreError
        If the two do not belong together: a text or record that lost something does not become
        what it was. Of what lost nothing there is no account; it goes through as it is.
    InputError
        If one of them cannot be read.
    OptionError
        If `name` is needed, or not there.
    """
    if clean.format == "parquet":
        raise OptionError(_NO_ROWS, place=clean.name, next_step=_KEEP_INPUT)
    # They are read twice: once for the names of the inputs. A pipe is there once.
    held = None if removed.is_regular else list(read_removed(removed))

    def accounts() -> Iterable[Removed]:
        return read_removed(removed) if held is None else held

    chosen = choose_input(accounts(), shown(removed.name), clean, name)
    found = (_of_no_row(item) for item in accounts() if item.path in chosen)
    if clean.format == "text":
        fragments = list(found)
        with clean.open() as stream:
            text = clean.text(stream)
        # Runs in place add to one file: what the last one removed is put back first.
        for run in reversed(_runs(fragments)):
            text = decode(restore_text(text, run, place=clean.name))
        sink.write(encode(text))
        return len(fragments)
    return _restore_lines(clean, found, sink, field)


def _runs(fragments: Iterable[Removed]) -> list[list[Removed]]:
    """What each run removed from a text.

    A run that was killed after it wrote its account and before it replaced the file changed
    nothing: the next one starts from the same text, and its account takes the place of the first.
    """
    runs: list[list[Removed]] = []
    for item in fragments:
        if runs and runs[-1][-1].digest == item.digest:
            if runs[-1][-1].finding.start < item.finding.start:
                runs[-1].append(item)
                continue
            runs.pop()
        runs.append([item])
    return runs


def _of_no_row(item: Removed) -> Removed:
    if not item.line:
        raise OptionError(_NO_ROWS, place=item.place, next_step=_KEEP_INPUT)
    return item


def restore_text(text: str, removed: Sequence[Removed], *, place: str) -> bytes:
    """Put fragments back into a clean text.

    Raises
    ------
    RestoreError
        If the outcome is not the text they were taken from.
    """
    if not removed:
        return encode(text)
    with _placed(place):
        whole = encode(results.restore(text, [item.finding for item in removed]))
        _check(whole, removed)
    return whole


def restore_record(record: Record, removed: Sequence[Removed]) -> bytes:
    """Put fragments back into the clean text of a JSONL record, as they were written.

    Raises
    ------
    RestoreError
        If the outcome is not the line they were taken from.
    """
    with _placed(record.place):
        # Offsets and order are checked on the values; the pieces go into the line as written.
        results.restore(record.document.text, [item.finding for item in removed])
        literal = _literal(record)
        before = 0
        points = []
        removed = sorted(removed, key=lambda item: item.finding.start)
        for item in removed:
            points.append(item.finding.start - before)
            before += item.finding.end - item.finding.start
        parts: list[str] = []
        at = 0
        offsets = written_offsets(literal, points)
        for offset, item in zip(offsets, removed, strict=True):
            parts += (literal[at:offset], item.written)
            at = offset
        parts.append(literal[at:])
        body = record.body
        line = record.line[: body.value_start] + "".join(parts) + record.line[body.end :]
        whole = encode(line)
        _check(whole, removed)
    return whole


def _restore_lines(clean: Source, found: Iterable[Removed], sink: Sink, field: str) -> int:
    groups = groupby(found, key=lambda item: item.line)
    wanted, items = next(groups, (0, iter(())))
    number = count = 0
    for number, line in enumerate(each_line(clean), 1):
        if number != wanted:
            sink.write(line)
            continue
        fragments = list(items)
        try:
            record = parse_record(line, name=clean.name, number=number, text_field=field)
        except InputError as error:
            raise RestoreError(
                f"is no record to put {len(fragments)} removed fragments into ({error.problem})",
                place=error.place,
                next_step=_ONE_RUN,
            ) from error
        sink.write(restore_record(record, fragments))
        count += len(fragments)
        wanted, items = next(groups, (0, iter(())))
    if wanted:
        _refuse_left_over(next(items), lines=number, clean=clean)
    return count


def _refuse_left_over(item: Removed, *, lines: int, clean: Source) -> NoReturn:
    """Say why a fragment found no line to go into."""
    if item.line <= lines:
        raise RestoreError(
            f"the lines are not in their order: this one, of line {item.line} of the input, comes"
            " after one of a later line",
            place=item.place,
            next_step="give what one run of `cleaner --removed FILE` wrote; what two runs removed"
            " from JSONL, the later ones first",
        )
    raise RestoreError(
        f"has {plural(lines, 'line')}, and fragments were removed from line {item.line}",
        place=clean.name,
        next_step=_ONE_RUN,
    )


def _check(whole: bytes, removed: Sequence[Removed]) -> None:
    digest = hashlib.sha256(whole).hexdigest()
    for item in removed:
        if item.digest != digest:
            raise RestoreError(
                f"does not belong to what was removed: with the fragments of {item.place} and"
                f" those beside it, it is not the input that they were taken from",
                next_step=f"{_ONE_RUN}, written without --explain",
            )


@contextmanager
def _placed(place: str) -> Iterator[None]:
    """Name the document in an error."""
    try:
        yield
    except RestoreError as error:
        raise RestoreError(error.problem, place=place, next_step=error.next_step) from error
    except UnicodeEncodeError as error:
        raise RestoreError(
            "a removed fragment holds half a code point, which no input has",
            place=place,
            next_step=_ONE_RUN,
        ) from error
