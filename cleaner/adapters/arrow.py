"""Tables of Arrow through a `Cleaner`: what the hosts have in common that work on columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from cleaner.adapters.options import CleanerKeywords, CleanerOptions
from cleaner.adapters.texts import EXPLAINED, check_column, clean_texts, has_titles
from cleaner.errors import InputError, OptionError
from cleaner.formats import decode, encode

if TYPE_CHECKING:
    import pyarrow as pa

    from cleaner.results import CleanResult

_ROWS = 1_000  # of a table that are Python objects at a time: bounds the memory of a large one


class TableCleaner:
    """Cleans the text column of Arrow tables, and leaves all other columns as they are.

    Bytes of a text that are no UTF-8 are kept as they are. A null stays a null.

    Parameters
    ----------
    text_column
        The column that is cleaned; of a string or a binary type, which it keeps.
    title_column
        The column with the titles. None: there is none. A table without a column called ``title``
        is taken as it is; any other name must be there.
    explain
        Whether the columns ``removed``, ``judged`` and ``why`` are added, in the place of those
        there are of these names.
    **options
        The parameters of `cleaner.Cleaner`, the encoder by its name or folder.

    Raises
    ------
    OptionError
        If an option is out of its range or of a wrong type, text and title are one column, or one
        of them is a column that `explain` writes.
    ModelError
        If no detector has been fitted for the encoder, and no `model` is given.

    Notes
    -----
    It is pickled without the model, which a process loads with its first table.
    """

    def __init__(
        self,
        *,
        text_column: str = "text",
        title_column: str | None = "title",
        explain: bool = False,
        **options: Unpack[CleanerKeywords],
    ) -> None:
        _check_name(text_column, "text")
        if title_column is not None:
            _check_name(title_column, "title")
        if title_column == text_column:
            raise OptionError(
                f"text and title are both the column {text_column!r}",
                next_step="name two columns, or give None for the title",
            )
        if explain and {text_column, title_column} & {*EXPLAINED}:
            raise OptionError(
                f"text or title is a column that an explanation is written to"
                f" ({', '.join(EXPLAINED)})",
                next_step="give the column another name",
            )
        self.text_column = text_column
        self.title_column = title_column
        self.explain = explain
        self.options = CleanerOptions.of(**options)

    def schema(self, schema: pa.Schema) -> pa.Schema:
        """Return what a table of `schema` comes out as.

        Raises
        ------
        InputError
            If a column is missing, there twice, or of a type that holds no text.
        """
        import pyarrow as pa

        text = _text_type(schema, self.text_column)
        if has_titles(self.title_column, schema.names):
            _text_type(schema, str(self.title_column))
        if not self.explain:
            return schema
        kept = [field for field in schema if field.name not in EXPLAINED]
        return pa.schema([*kept, *_explained_fields(text)], metadata=schema.metadata)

    def slices(self, table: pa.Table) -> Iterator[pa.Table]:
        """Clean `table` a thousand rows at a time; an empty one gives one empty table.

        Raises
        ------
        InputError
            As in `schema`.
        ModelError
            If the encoder or its detector cannot be had.
        """
        target = self.schema(table.schema)
        for start in range(0, max(table.num_rows, 1), _ROWS):
            yield self._clean(table.slice(start, _ROWS), target)

    def clean(self, table: pa.Table) -> pa.Table:
        """Clean `table` whole; errors are those of `slices`."""
        import pyarrow as pa

        return pa.concat_tables(self.slices(table))

    def _clean(self, table: pa.Table, target: pa.Schema) -> pa.Table:
        import pyarrow as pa

        column = table.column(self.text_column)
        texts = _strings(column)
        titles: Sequence[str | None] = [None] * len(texts)
        if has_titles(self.title_column, table.schema.names):
            titles = _strings(table.column(str(self.title_column)))
        results = list(clean_texts(self.options.cleaner(), texts, titles)) if texts else []
        # By position: two of the other columns may be of one name.
        if any(result is not None and result.changed for result in results):
            cleaned = [None if result is None else result.text for result in results]
            at = table.schema.get_field_index(self.text_column)
            table = table.set_column(at, table.schema.field(at), _column(cleaned, column.type))
        if not self.explain:
            return table
        pairs = zip(table.schema.names, table.columns, strict=True)
        kept = [values for name, values in pairs if name not in EXPLAINED]
        return pa.Table.from_arrays([*kept, *_explained_columns(results, target)], schema=target)


def _check_name(column: object, holds: str) -> None:
    if not isinstance(column, str):
        raise OptionError(
            f"the {holds} column is {column!r}, of type {type(column).__name__}",
            next_step="give its name, a string",
        )


def _text_type(schema: pa.Schema, name: str) -> pa.DataType:
    """The type of a column that holds text."""
    import pyarrow.types as t

    check_column(name, schema.names)
    kind = schema.field(name).type
    value = kind.value_type if t.is_dictionary(kind) else kind
    if not (_is_string(value) or _is_binary(value) or t.is_null(value)):
        raise InputError(
            f"the column {name!r} is of the type {kind}, which holds no text",
            next_step="cast it to a string, or name another column (None: no titles)",
        )
    return kind


def _is_string(kind: pa.DataType) -> bool:
    import pyarrow.types as t

    return bool(t.is_string(kind) or t.is_large_string(kind) or t.is_string_view(kind))


def _is_binary(kind: pa.DataType) -> bool:
    import pyarrow.types as t

    return bool(t.is_binary(kind) or t.is_large_binary(kind) or t.is_binary_view(kind))


def _strings(column: pa.ChunkedArray) -> list[str | None]:
    """The texts of a column; a byte that is no UTF-8 becomes a lone surrogate."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    values = column.cast(pa.large_binary()).to_pylist()
    return [None if value is None else decode(value) for value in values]


def _column(values: Sequence[str | None], kind: pa.DataType) -> pa.Array:
    """The inverse of `_strings`."""
    import pyarrow as pa

    data = [None if value is None else encode(value) for value in values]
    array = pa.array(data, type=pa.large_binary())
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    if _is_string(value):
        # Seen as strings without a look at the bytes: what came in as no UTF-8 goes out as such.
        array = array.view(pa.large_string())
    array = array.cast(value)
    return array.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else array


def _explained_fields(text: pa.DataType) -> list[pa.Field]:
    import pyarrow as pa

    from cleaner.formats.parquet import explanation_fields

    value = text.value_type if pa.types.is_dictionary(text) else text
    return explanation_fields(pa.binary() if _is_binary(value) else pa.string())


def _explained_columns(
    results: Sequence[CleanResult | None], schema: pa.Schema
) -> tuple[pa.Array, ...]:
    """The columns of an explanation, in the order of `EXPLAINED`."""
    import pyarrow as pa

    return (
        _removed_column(results, schema.field("removed").type),
        pa.array([None if r is None else r.judged for r in results], pa.bool_()),
        pa.array([None if r is None else r.why or None for r in results], pa.string()),
    )


def _removed_column(results: Sequence[CleanResult | None], kind: pa.DataType) -> pa.Array:
    """The findings of each row as a list: built by hand, for a text may be no UTF-8."""
    import pyarrow as pa

    rows: list[list[dict[str, Any]] | None] = []
    texts: list[str] = []
    for result in results:
        if result is None:
            rows.append(None)
            continue
        texts += [finding.text for finding in result.findings]
        rows.append([_finding(finding.to_dict()) for finding in result.findings])
    array = pa.array(rows, kind)
    struct = array.values
    index = kind.value_type.get_field_index("text")
    fields = [struct.field(i) for i in range(kind.value_type.num_fields)]
    fields[index] = _column(texts, kind.value_type.field(index).type)
    values = pa.StructArray.from_arrays(fields, fields=list(kind.value_type))
    nulls = pa.array([row is None for row in rows], pa.bool_())
    return pa.ListArray.from_arrays(array.offsets, values, type=kind, mask=nulls)


def _finding(record: dict[str, Any]) -> dict[str, Any]:
    from cleaner.formats.parquet import pairs_of

    return {**record, "text": None, "evidence": pairs_of(record["evidence"])}
