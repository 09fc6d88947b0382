"""JSON lines to Parquet: the types of all columns are known at the last record.

Needs pyarrow, from the extra ``parquet``.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from cleaner.errors import OutputError
from cleaner.formats.compression import TakenBy
from cleaner.formats.parquet import explanation_fields, load_pyarrow, pairs_of, temporary_file
from cleaner.formats.sinks import temporary

if TYPE_CHECKING:
    import pyarrow as pa

    from cleaner.formats.sinks import Sink

_LINES_GROUP = 1 << 23  # bytes of JSON lines that make a row group
_NEW_COMPRESSION = "zstd"  # of a file that was no Parquet before
_LONG = re.compile(rb"\d{19}")  # an integer of more than 64 bits has as many digits at least
_NO_UTF8 = "holds bytes that are no UTF-8, or half a code point"
_TOO_LONG = "holds an integer beyond signed 64 bits"
_TOO_DEEP = "holds values in more than 24 layers of lists and objects"
# Layers of lists and objects: readers of Parquet take a hundred, and a list is up to three.
_DEEPEST = 24


class LinesToParquet:
    """Writes JSON lines as Parquet.

    What types the columns have is known at the last record only, so the lines wait in an unnamed
    temporary file until then.

    Parameters
    ----------
    sink
        Where the file's bytes go.
    name
        What the target is called, for messages.
    text_field
        The column that a file without records has.
    explain
        Whether the records hold ``removed``, ``judged`` and ``why``: their columns are the same
        whatever the records are.
    """

    def __init__(self, sink: Sink, *, name: str, text_field: str, explain: bool = False) -> None:
        self._pa = load_pyarrow()
        self._errors = (self._pa.ArrowException, OverflowError, TypeError, ValueError)
        self._file = TakenBy(sink.write)
        self._name = name
        self._text_field = text_field
        self._spool = temporary_file()  # closed by close()
        self._explanation = explanation_fields() if explain else []
        self._sizes: list[int] = []
        self._group = bytearray()
        self._schema = self._pa.schema([])

    def write(self, lines: bytes, place: Callable[[int, int], str]) -> None:
        """Take whole lines; `place` says where one stood, by its index and how many they are.

        Raises
        ------
        OutputError
            If a record does not fit into one table with those before it.
        """
        records = self._parsed(lines)
        try:
            self._schema = self._with(self._schema_of(records))
        except self._errors:
            raise self._misfit(records, place) from None
        self._group += lines
        while len(self._group) >= _LINES_GROUP:
            end = self._group.index(b"\n", _LINES_GROUP - 1) + 1
            self._end_group(bytes(self._group[:end]))
            del self._group[:end]

    def close(self) -> None:
        """Write the file."""
        with self._spool as spool:
            if self._group:
                self._end_group(bytes(self._group))
            if not self._schema.names:
                self._schema = self._pa.schema([(self._text_field, self._pa.string())])
            self._schema = self._pa.schema([*self._schema, *self._explanation])
            with temporary():
                spool.seek(0)
            writer = self._pa.parquet.ParquetWriter(
                self._file, self._schema, compression=_NEW_COMPRESSION
            )
            with writer:
                for size in self._sizes:
                    table = self._table(self._parsed(spool.read(size)))
                    writer.write_table(table, row_group_size=max(1, table.num_rows))

    def discard(self) -> None:
        """Forget what was taken."""
        self._spool.close()

    def _end_group(self, lines: bytes) -> None:
        with temporary():
            self._spool.write(lines)
        self._sizes.append(len(lines))

    def _parsed(self, lines: bytes) -> list[dict[str, Any]]:
        records: Iterable[dict[str, Any]]
        records = (_loads(line) for line in lines.split(b"\n") if line.strip())
        if self._explanation:
            records = map(_with_pairs, records)
        return [{name: _filled(value) for name, value in record.items()} for record in records]

    def _schema_of(self, records: Sequence[dict[str, Any]]) -> pa.Schema:
        """Types of all fields that any of the records has, in the order in which they come up."""
        ours = {field.name for field in self._explanation}
        names = dict.fromkeys(name for record in records for name in record if name not in ours)
        types = {name: self._type_of([record.get(name) for record in records]) for name in names}
        return self._pa.schema(list(types.items()))

    def _type_of(self, values: list[Any]) -> pa.DataType:
        found = self._pa.array(values).type
        if "double" in str(found):
            # It takes Python's true for 1.0, and numpy's for none.
            self._pa.array([_strict(value) for value in values])
        return found

    def _with(self, schema: pa.Schema) -> pa.Schema:
        """The types so far, made wide enough for those of `schema` too."""
        return self._pa.unify_schemas([self._schema, schema], promote_options="permissive")

    def _problem(self, records: Sequence[dict[str, Any]]) -> Exception | None:
        """Why records do not fit with those before them; None where they do."""
        try:
            self._with(self._schema_of(records))
        except self._errors as error:
            return error
        return None

    def _misfit(
        self, records: Sequence[dict[str, Any]], place: Callable[[int, int], str]
    ) -> OutputError:
        """What the user is told of the first record that does not fit."""
        first = bisect_left(
            range(len(records)),
            1,
            key=lambda last: self._problem(records[: last + 1]) is not None,
        )
        upto = records[: first + 1]
        columns = ((name, [{name: record.get(name)} for record in upto]) for name in upto[-1])
        problems = ((name, self._problem(column)) for name, column in columns)
        name, error = next((name, error) for name, error in problems if error is not None)
        return self._unfit(name, error, place(first, len(records)))

    def _unfit(self, column: str, error: Exception, place: str) -> OutputError:
        return OutputError(
            f"the field {column!r} does not fit into one table with the records before ({error})",
            place=place,
            next_step="use --output-format jsonl",
        )

    def _table(self, records: Sequence[dict[str, Any]]) -> pa.Table:
        columns = []
        for field in self._schema:
            values = [record.get(field.name) for record in records]
            try:
                columns.append(self._pa.array(values, field.type))
            except self._errors as error:
                raise self._unfit(field.name, error, self._name) from error
        return self._pa.Table.from_arrays(columns, schema=self._schema)


def _with_pairs(record: dict[str, Any]) -> dict[str, Any]:
    """A record with the evidence of its findings as pairs, as in `explanation_fields`."""
    findings = [
        {**finding, "evidence": pairs_of(finding["evidence"])} for finding in record["removed"]
    ]
    return record | {"removed": findings}


def _filled(value: Any) -> Any:
    """`value` with None in place of objects without a field: Parquet has no column for them."""
    if isinstance(value, dict):
        return {name: _filled(item) for name, item in value.items()} or None
    return [_filled(item) for item in value] if isinstance(value, list) else value


def _strict(value: Any) -> Any:
    """`value` with booleans that become no numbers."""
    if isinstance(value, dict):
        return {name: _strict(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_strict(item) for item in value]
    return np.bool_(value) if isinstance(value, bool) else value


def _loads(line: bytes) -> dict[str, Any]:
    try:
        record: dict[str, Any] = orjson.loads(line)
    except orjson.JSONDecodeError:
        record = json.loads(line)  # NaN and its like, which orjson does not take
    return record


def no_row(line: bytes) -> str:
    """Why a line of JSON cannot become a row; empty where it can."""
    if not _LONG.search(line) and line.count(b"[") + line.count(b"{") <= _DEEPEST:
        try:
            orjson.loads(line)
        except orjson.JSONDecodeError:
            pass  # NaN and its like, or bytes that are no UTF-8
        else:
            return ""
    try:
        return _no_value(json.loads(line.decode("utf-8-sig")))
    except UnicodeDecodeError:
        return _NO_UTF8
    except RecursionError:
        return _TOO_DEEP
    except ValueError:  # an integer of thousands of digits
        return _TOO_LONG


def _no_value(value: Any, depth: int = 0) -> str:
    """Why a value, `depth` layers deep, has no place in a table; empty where it has."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return _NO_UTF8
        return ""
    if isinstance(value, int):
        return "" if -(1 << 63) <= value < 1 << 63 else _TOO_LONG
    items: Iterable[Any] = ()
    if isinstance(value, dict | list) and depth == _DEEPEST:
        return _TOO_DEEP
    if isinstance(value, dict):
        items = chain(value, value.values())
    elif isinstance(value, list):
        items = value
    return next(filter(None, (_no_value(item, depth + 1) for item in items)), "")
