"""Parquet: row groups streamed; all columns but the text go through as they are.

Needs pyarrow, from the extra ``parquet``.
"""

from __future__ import annotations

import base64
import datetime as dt
import io
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby, zip_longest
from typing import TYPE_CHECKING, Any, BinaryIO, Self, cast

from cleaner.document import Document
from cleaner.errors import InputError, OutputError
from cleaner.formats.compression import TakenBy
from cleaner.formats.encoding import decode, dump_json, encode, shown
from cleaner.formats.jsonl import GO_ON, OURS
from cleaner.formats.sinks import temporary
from cleaner.formats.sources import cannot_read

if TYPE_CHECKING:
    import pyarrow as pa

    from cleaner.formats.sinks import Sink
    from cleaner.results import CleanResult

_GROUP = 1 << 26  # bytes of a row group, unpacked, beyond which it is read and written in pieces
_BUFFER = 1 << 20
_BATCH_ROWS = 64
_READ: dict[str, Any] = {"buffer_size": _BUFFER, "pre_buffer": False}
# What the elements of lists are called is part of the schema: "element", "item", "array" ...
_NAMED: dict[str, Any] = {"use_compliant_nested_type": False}
_SPARK_COLUMNS = b"org.apache.spark.sql.parquet.row.metadata"


def load_pyarrow() -> Any:
    """The package pyarrow, with its modules for Parquet.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.compute
        import pyarrow.parquet
    except ImportError as error:
        raise InputError(
            f"Parquet needs pyarrow ({error})",
            next_step="pip install 'article-cleaner[parquet]'",
        ) from error
    return pa


# --- reading -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Storage:
    """How a Parquet file lies on disk, as far as it is kept.

    Attributes
    ----------
    schema
        Arrow schema, metadata included.
    codecs
        Of each column: those of what it is stored as, in their order.
    are_int96
        Whether its times are of the type that Spark writes by default: all of them then are.
    """

    schema: pa.Schema
    codecs: Mapping[str, Sequence[str]]
    are_int96: bool = False

    @classmethod
    def of(cls, file: Any, *, are_int96: bool) -> Self:
        """That of an open file."""
        codecs, at = {}, 0
        found = _codecs(file.metadata)
        for field in file.schema_arrow:
            count = len(_stored_as(field))
            codecs[field.name] = found[at : at + count]
            at += count
        return cls(file.schema_arrow, codecs, are_int96)

    def is_alike(self, other: Storage) -> bool:
        """Whether rows of both can go into one file."""
        return self.are_int96 == other.are_int96 and bool(self.schema.equals(other.schema))

    def writer(self, file: Any, schema: pa.Schema) -> Any:
        """A ``ParquetWriter`` of `schema`, whose columns lie as those of that name did."""
        last = list(self.codecs.values())[-1][-1]
        compression: dict[str, str] = {}
        for field in schema:
            paths, codecs = _stored_as(field), self.codecs.get(field.name, ())
            compression |= zip_longest(paths, codecs[: len(paths)], fillvalue=last)
        int96 = self.are_int96
        return load_pyarrow().parquet.ParquetWriter(
            file, schema, compression=compression, use_deprecated_int96_timestamps=int96, **_NAMED
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """Consecutive rows, as they stay in the process that reads and writes.

    Attributes
    ----------
    storage
        The file's.
    table
        All columns.
    ends_group
        Whether a row group of the output ends with them.
    """

    storage: Storage
    table: pa.Table
    ends_group: bool


@contextmanager
def seekable(stream: BinaryIO, *, name: str) -> Iterator[BinaryIO]:
    """`stream` itself where one can move in it, else a copy: the end of a Parquet file comes first.

    Raises
    ------
    InputError
        If it cannot be read.
    OutputError
        If there is no room for the copy.
    """
    if stream.seekable():
        yield stream
        return
    with temporary_file() as copy:
        while data := _taken(stream, name):
            with temporary():
                copy.write(data)
        with temporary():
            copy.seek(0)
        yield copy


def temporary_file() -> BinaryIO:
    """A file without a name, which whoever asked for it closes.

    Raises
    ------
    OutputError
        If there is no room for one.
    """
    with temporary():
        return cast("BinaryIO", tempfile.TemporaryFile())


def _taken(stream: BinaryIO, name: str) -> bytes:
    try:
        return stream.read(_BUFFER)
    except OSError as error:
        raise cannot_read(name, error) from error


def read_rows(
    stream: BinaryIO, *, name: str, text_field: str, size: int
) -> Iterator[tuple[int, Rows]]:
    """Read the rows of an open file, in pieces of about `size` bytes of text.

    Yields
    ------
    tuple of int and Rows
        Number of the first row, from 1, and the rows. A file without rows gives one piece
        without rows.

    Raises
    ------
    InputError
        If it is no whole Parquet file, or has no text column.
    """
    pa = load_pyarrow()
    with _reading(name):
        file = pa.parquet.ParquetFile(stream, **_READ)
        kinds = {c.physical_type for c in file.schema if c.physical_type == "INT96" or _is_time(c)}
        if "INT96" in kinds and not _are_nanoseconds(file, stream):
            file = pa.parquet.ParquetFile(stream, coerce_int96_timestamp_unit="us", **_READ)
    storage = Storage.of(file, are_int96=kinds == {"INT96"})
    _check_text(storage.schema, name, text_field)
    first = 1
    for table in _groups(file, name):
        at = 0
        for end in _cuts(table.column(text_field), size):
            yield first + at, Rows(storage, table.slice(at, end - at), end == table.num_rows)
            at = end
        first += table.num_rows
    if first == 1:
        yield 1, Rows(storage, storage.schema.empty_table(), ends_group=True)


def _groups(file: Any, name: str) -> Iterator[pa.Table]:
    """The row groups; one too large to be held, in pieces that depend on the file alone."""
    pa = load_pyarrow()
    for number in range(file.num_row_groups):
        group = file.metadata.row_group(number)
        rows = max(1, group.num_rows * _GROUP // max(group.total_byte_size, _GROUP))
        with _reading(name, f" in row group {number + 1}"):
            waiting: list[Any] = []
            held = 0
            # A few texts can stand in many rows: how large those are is known when they are read.
            for batch in file.iter_batches(min(rows, _BATCH_ROWS), row_groups=[number]):
                size = _size(batch)
                if waiting and held + size > _GROUP:
                    yield pa.Table.from_batches(waiting)
                    waiting, held = [], 0
                if batch.num_rows:
                    waiting.append(batch)
                    held += size
            if waiting:
                yield pa.Table.from_batches(waiting)


def _size(batch: pa.RecordBatch) -> int:
    """Bytes that a batch takes, the texts of a dictionary as often as they stand there."""
    size = int(batch.nbytes)
    for column in batch.columns:
        if load_pyarrow().types.is_dictionary(column.type):
            size += len(column) * int(column.dictionary.nbytes) // max(1, len(column.dictionary))
    return size


def _cuts(column: pa.ChunkedArray, size: int) -> list[int]:
    """Ends of pieces of at least `size` bytes of text each, the last perhaps of less."""
    import numpy as np

    pa = load_pyarrow()
    raw = _plain(column).cast(pa.large_binary())
    lengths = pa.compute.binary_length(raw).fill_null(0).to_numpy()
    ends = np.cumsum(lengths.astype(np.int64) + 1)
    cuts: list[int] = []
    at = taken = 0
    while at < len(ends):
        at = min(int(np.searchsorted(ends, taken + size)) + 1, len(ends))
        taken = int(ends[at - 1])
        cuts.append(at)
    return cuts


def _is_time(column: Any) -> bool:
    return str(column.logical_type.type) == "TIMESTAMP"


def _are_nanoseconds(file: Any, stream: BinaryIO) -> bool:
    """Whether the INT96 times of a file can be read as nanoseconds, which end in the year 2262.

    Arrow reads them as such, and makes others of those that are later without a word.
    """
    pa = load_pyarrow()
    coarse = pa.parquet.ParquetFile(stream, coerce_int96_timestamp_unit="us", **_READ)
    columns = [column.path for column in file.schema if column.physical_type == "INT96"]
    for number in range(file.num_row_groups):
        exact, rounded = (f.read_row_group(number, columns=columns) for f in (file, coarse))
        if not exact.cast(rounded.schema, safe=False).equals(rounded):
            return False
    return True


def _stored_as(field: pa.Field) -> list[str]:
    """The paths below which a column is stored: one, or more where it is nested."""
    pa = load_pyarrow()
    with io.BytesIO() as empty:
        pa.parquet.write_table(pa.schema([field]).empty_table(), empty, **_NAMED)
        return [column.path for column in pa.parquet.ParquetFile(empty).schema]


def _codecs(metadata: Any) -> tuple[str, ...]:
    columns = range(metadata.num_columns)
    if not metadata.num_row_groups:
        return tuple("snappy" for _ in columns)
    group = metadata.row_group(0)
    return tuple(_codec(group.column(index).compression) for index in columns)


def _codec(name: str) -> str:
    return {"UNCOMPRESSED": "none", "LZ4_RAW": "lz4"}.get(name, name.lower())


def _check_text(schema: pa.Schema, name: str, text_field: str) -> None:
    twice = [column for column, count in Counter(schema.names).items() if count > 1]
    if twice:
        raise InputError(
            f"has two columns of one name ({twice[0]!r})",
            place=shown(name),
            next_step="rename one of them",
        )
    if text_field not in schema.names:
        raise InputError(
            f"has no column {text_field!r} (it has {', '.join(schema.names)})",
            place=shown(name),
            next_step="name the column with --text-field",
        )
    kind = schema.field(text_field).type
    if not _is_string(kind):
        raise InputError(
            f"the column {text_field!r} is {kind}, not string",
            place=shown(name),
            next_step="name another with --text-field",
        )


def _is_string(kind: pa.DataType) -> bool:
    types = load_pyarrow().types
    if types.is_dictionary(kind):
        return _is_string(kind.value_type)
    # Null is the type of a column without a value: each of its rows is told by itself.
    kinds = (types.is_string, types.is_large_string, types.is_string_view, types.is_null)
    return any(is_kind(kind) for is_kind in kinds)


@contextmanager
def _reading(name: str, where: str = "") -> Iterator[None]:
    pa = load_pyarrow()
    try:
        yield
    except MemoryError:  # which one of Arrow's own is too
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error)
        raise InputError(
            f"is no whole Parquet file, or is damaged{where} ({reason})",
            place=shown(name),
            next_step="get it anew",
        ) from error


# --- to and from the workers ---------------------------------------------------------------------


def packed_rows(rows: Rows, fields: Sequence[str] | None) -> bytes:
    """An Arrow stream of the `fields` there are, or of all columns where they are None."""
    table = rows.table
    if fields is not None:
        table = table.select(
            [field for field in dict.fromkeys(fields) if field in table.schema.names]
        )
    return _to_stream(table)


def _to_stream(table: pa.Table) -> bytes:
    pa = load_pyarrow()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _from_stream(data: bytes) -> pa.Table:
    return load_pyarrow().ipc.open_stream(data).read_all()


@dataclass(frozen=True, slots=True)
class Row:
    """A row that holds a document.

    Attributes
    ----------
    index
        Its index in its part.
    place
        ``file: row number``, for messages.
    document
        The document it holds; its `identity` is the row's ``id``, else the place.
    id
        The row's ``id`` where it has one that is a string or a number.
    values
        All values by column, where the row is to become a line of JSONL.
    """

    index: int
    place: str
    document: Document
    id: str | int | float | None
    values: dict[str, Any] | None = None
    text_field: str = "text"

    def value(self, name: str) -> object:
        """The value of the column called `name`; None where there is none."""
        return (self.values or {}).get(name)

    def as_line(self, result: CleanResult, *, explain: bool = False) -> bytes:
        """The row as a line of JSONL."""
        record = dict(self.values or {})
        record[self.text_field] = result.text
        if explain:
            for name in OURS:
                record.pop(name, None)
            added = result.to_dict()
            del added["text"]
            record |= added
        return json_line(record)


def parse_rows(
    data: bytes,
    *,
    name: str,
    first: int,
    text_field: str,
    title_field: str,
    with_values: bool,
) -> Iterator[Row | InputError]:
    """Read the rows of an Arrow stream that `packed_rows` made; an error for one without text."""
    table = _from_stream(data)
    texts = _strings(table, text_field)
    titles = _strings(table, title_field)
    identities = _identities(table)
    values = _values(table, text_field) if with_values else []
    for index, text in enumerate(texts):
        place = f"{shown(name)}: row {first + index}"
        if text is None:
            yield InputError(
                f"the field {text_field!r} is null",
                place=place,
                next_step=GO_ON,
            )
            continue
        others = values[index] if values else None
        if isinstance(others, str):
            yield InputError(
                f"holds what JSON cannot ({others})",
                place=place,
                next_step="use --on-error skip to go on, or --output-format parquet",
            )
            continue
        identity = identities[index] if identities else None
        title = titles[index] if titles else None
        yield Row(
            index,
            place,
            Document(text, title or None, place if identity is None else str(identity)),
            identity,
            None if others is None else others | {text_field: text},
            text_field,
        )


def _strings(table: pa.Table, name: str) -> list[str | None]:
    """The texts of a column, bytes that are no UTF-8 carried along; none where it has no texts."""
    if name not in table.schema.names or not _is_string(table.schema.field(name).type):
        return []
    pa = load_pyarrow()
    raw = _plain(table.column(name)).cast(pa.large_binary()).to_pylist()
    return [None if value is None else decode(value) for value in raw]


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column without a dictionary."""
    if load_pyarrow().types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column


def _identities(table: pa.Table) -> list[Any]:
    """The strings or numbers that stand in ``id``; none where it holds something else."""
    if "id" not in table.schema.names:
        return []
    types = load_pyarrow().types
    kind = table.schema.field("id").type
    kind = kind.value_type if types.is_dictionary(kind) else kind
    if types.is_integer(kind) or types.is_floating(kind):
        numbers: list[Any] = table.column("id").to_pylist()
        return numbers
    return _strings(table, "id")


def _values(table: pa.Table, text_field: str) -> list[dict[str, Any] | str]:
    """The values of each row but its text, or why they cannot be had."""
    try:
        rows: list[dict[str, Any] | str] = _with_times(table, text_field).to_pylist()
    except MemoryError:  # which one of Arrow's own is too
        raise
    # Bytes that are no UTF-8, days that Python has not, time zones that nobody has.
    except (load_pyarrow().ArrowException, ValueError, OverflowError, KeyError) as error:
        if table.num_rows == 1:
            return [f"time zone {error}" if isinstance(error, KeyError) else str(error)]
        slices = (table.slice(index, 1) for index in range(table.num_rows))
        return [values for row in slices for values in _values(row, text_field)]
    return rows


def _with_times(table: pa.Table, text_field: str) -> pa.Table:
    """The table with times as JSON has them, and without its text."""
    for index, field in enumerate(table.schema):
        if field.name == text_field:
            column = load_pyarrow().nulls(table.num_rows)  # read already, whatever its bytes are
        else:
            column = _for_json(table.column(index))
        table = table.set_column(index, field.name, column)
    return table


def _for_json(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Times as ISO 8601: Python's own have no nanoseconds."""
    pa = load_pyarrow()
    if pa.types.is_timestamp(column.type):
        replaced = pa.compute.replace_substring(_written(column), " ", "T")
        return pa.compute.replace_substring_regex(replaced, r"([+-]\d\d)(\d\d)$", r"\1:\2")
    if pa.types.is_time(column.type):
        return _written(column)
    if pa.types.is_dictionary(column.type) and pa.types.is_temporal(column.type.value_type):
        return _for_json(column.cast(column.type.value_type))
    if pa.types.is_duration(column.type):
        a_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[column.type.unit]
        counts = column.cast(pa.int64()).to_pylist()
        return pa.array([None if n is None else _duration(n, a_second) for n in counts])
    return column


def _duration(count: int, a_second: int) -> str:
    """`count` parts of a second, of which there are so many, in ISO 8601.

    >>> _duration(5_250, 1_000), _duration(-60, 1)
    ('PT5.25S', '-PT60S')
    """
    whole, parts = divmod(abs(count), a_second)
    fraction = f".{parts * (10**9 // a_second):09d}".rstrip("0.")
    return f"{'-' if count < 0 else ''}PT{whole}{fraction}S"


def _written(times: pa.ChunkedArray) -> pa.ChunkedArray:
    """Times as Arrow writes them; of one that it cannot write it says so, and raises nothing."""
    pa = load_pyarrow()
    texts = times.cast(pa.string())
    if pa.compute.any(pa.compute.starts_with(texts, "<value out of range")).as_py():
        raise OverflowError("time value out of range")
    return texts


def json_line(record: dict[str, Any]) -> bytes:
    """A record as a line of JSONL: times as ISO 8601, binary values in Base64, NaN as null."""
    return dump_json(record, default=_as_json) + b"\n"


def _as_json(value: object) -> object:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, dt.date | dt.time):  # a date and time is a date
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        nanoseconds = getattr(value, "value", None)  # of pandas' own, which alone has them
        if nanoseconds is not None:
            return _duration(nanoseconds, 10**9)
        return _duration(value // dt.timedelta(microseconds=1), 10**6)
    return str(value)


class RowAnswers:
    """What became of the rows of a part, on its way back to the process that writes."""

    def __init__(self, *, explain: bool) -> None:
        self._explain = explain
        self._rows: list[int] = []
        self._texts: list[bytes | None] = []
        self._results: list[CleanResult | None] = []

    def passed(self, index: int) -> None:
        """A row that stays as it is."""
        self._add(index, None, None)

    def cleaned(self, index: int, result: CleanResult) -> None:
        """A row whose text was cleaned."""
        self._add(index, encode(result.text) if result.changed else None, result)

    def _add(self, index: int, text: bytes | None, result: CleanResult | None) -> None:
        self._rows.append(index)
        self._texts.append(text)
        self._results.append(result)

    def packed(self) -> bytes:
        """An Arrow stream: the rows that stay, their text where it changed, and why."""
        pa = load_pyarrow()
        columns = {
            "row": pa.array(self._rows, pa.int64()),
            "text": pa.array(self._texts, pa.large_binary()),
        }
        if self._explain:
            for field in explanation_fields():
                values = [_explained(result, field.name) for result in self._results]
                columns[field.name] = pa.array(values, field.type)
        return _to_stream(pa.table(columns))


def explanation_fields(text: pa.DataType | None = None) -> list[pa.Field]:
    """Columns that an explanation adds; what was removed is of the type `text`, string if None."""
    pa = load_pyarrow()
    # Pairs and no map: some readers of Parquet, the datasets library among them, know none.
    evidence = _list(pa.struct([("name", pa.string()), ("value", pa.float64())]))
    finding = pa.struct(
        [
            ("start", pa.int64()),
            ("end", pa.int64()),
            ("text", text or pa.string()),
            ("score", pa.float64()),
            ("reason", pa.string()),
            ("evidence", evidence),
        ]
    )
    types = {"removed": _list(finding), "judged": pa.bool_(), "why": pa.string()}
    return [pa.field(name, types[name]) for name in OURS]


def pairs_of(evidence: Mapping[str, float]) -> list[dict[str, Any]]:
    """Evidence as a column of `explanation_fields` has it."""
    return [{"name": name, "value": value} for name, value in evidence.items()]


def _list(kind: pa.DataType) -> pa.DataType:
    """Lists whose elements are called what the format wants."""
    pa = load_pyarrow()
    return pa.list_(pa.field("element", kind))


def _explained(result: CleanResult | None, name: str) -> Any:
    if result is None:
        return None
    if name == "judged":
        return result.judged
    if name == "why":
        return result.why or None
    return [
        finding.to_dict()
        | {
            "text": finding.text.encode("utf-8", "backslashreplace").decode(),
            "evidence": pairs_of(finding.evidence),
        }
        for finding in result.findings
    ]


# --- writing -------------------------------------------------------------------------------------


class RowsWriter:
    """Writes rows that came from Parquet, cleaned, stored as they were.

    Parameters
    ----------
    sink
        Where the file's bytes go.
    name
        What the target is called, for messages.
    text_field
        The column of the text.
    explain
        Whether ``removed``, ``judged`` and ``why`` are added.
    """

    def __init__(self, sink: Sink, *, name: str, text_field: str, explain: bool) -> None:
        self._file = TakenBy(sink.write)
        self._name = name
        self._text_field = text_field
        self._explain = explain
        self._storage: Storage | None = None
        self._schema: pa.Schema | None = None
        self._writer: Any = None
        self._group: list[pa.Table] = []

    def write(self, rows: Rows, answers: bytes, place: str) -> None:
        """Take the rows of a part, and what became of them; `place` is where they begin.

        Raises
        ------
        OutputError
            If they cannot be written as they came.
        """
        with _writing(place):
            self._begin(rows.storage)
            if answers:
                self._group.append(self._rebuilt(rows.table, _from_stream(answers)))
            if rows.ends_group:
                self._end_group()

    def close(self) -> None:
        """Write the end of the file."""
        if self._writer is not None:
            with _writing(self._name):
                self._writer.close()

    def discard(self) -> None:
        """Write nothing more."""
        self._file.stopped = True  # or the writer would write its end when it is collected
        self.close()

    def _begin(self, storage: Storage) -> None:
        if self._storage is None:
            self._storage = storage
            self._schema = self._target_schema(storage.schema)
            self._writer = storage.writer(self._file, self._schema)
        elif self._storage is not storage and not self._storage.is_alike(storage):
            raise OutputError(
                "Parquet files of different schemas do not go into one file",
                place=self._name,
                next_step="name a folder with --output, or use --output-format jsonl",
            )

    def _target_schema(self, schema: pa.Schema) -> pa.Schema:
        if not self._explain:
            return schema
        pa = load_pyarrow()
        kept = [field for field in schema if field.name not in OURS]
        # Spark reads the columns that are listed here, and no others.
        metadata = {k: v for k, v in (schema.metadata or {}).items() if k != _SPARK_COLUMNS}
        return pa.schema([*kept, *explanation_fields()], metadata=metadata)

    def _end_group(self) -> None:
        if not self._group:
            return
        table = load_pyarrow().concat_tables(self._group)
        self._group = []
        if table.num_rows:
            self._writer.write_table(table, row_group_size=table.num_rows)

    def _rebuilt(self, table: pa.Table, answers: pa.Table) -> pa.Table:
        pa = load_pyarrow()
        if answers.num_rows != table.num_rows:
            table = _chosen(table, answers.column("row").to_pylist())
        changed = answers.column("text").is_valid()
        if pa.compute.any(changed).as_py():
            index = table.schema.get_field_index(self._text_field)
            column = self._replaced(table.column(index), changed, answers.column("text"))
            table = table.set_column(index, table.schema.field(index), column)
        if self._explain:
            table = table.drop_columns([name for name in OURS if name in table.schema.names])
            for field in explanation_fields():
                table = table.append_column(field, answers.column(field.name))
            table = table.replace_schema_metadata(self._schema.metadata)  # type: ignore[union-attr]
        return table

    def _replaced(
        self, column: pa.ChunkedArray, changed: pa.ChunkedArray, texts: pa.ChunkedArray
    ) -> pa.ChunkedArray:
        pa = load_pyarrow()
        kind = column.type
        raw = _plain(column).cast(pa.large_binary())
        mixed = pa.compute.if_else(changed, texts, raw)
        if pa.types.is_dictionary(kind):
            options = pa.compute.CastOptions(kind.value_type, allow_invalid_utf8=True)
            return mixed.cast(options=options).dictionary_encode().cast(kind)
        options = pa.compute.CastOptions(kind, allow_invalid_utf8=True)
        return mixed.cast(options=options)


def _chosen(table: pa.Table, rows: Sequence[int]) -> pa.Table:
    """The rows of a table with those numbers, which are in order; `take` knows not all types."""
    slices = [table.slice(0, 0)]
    for _, run in groupby(enumerate(rows), key=lambda pair: pair[1] - pair[0]):
        numbers = [row for _, row in run]
        slices.append(table.slice(numbers[0], len(numbers)))
    return load_pyarrow().concat_tables(slices)


@contextmanager
def _writing(place: str) -> Iterator[None]:
    try:
        yield
    except MemoryError:  # which one of Arrow's own is too
        raise
    except load_pyarrow().ArrowException as error:
        raise OutputError(
            f"cannot be written as Parquet ({str(error).strip().splitlines()[0][:200]})",
            place=place,
            next_step="use --output-format jsonl",
        ) from error
