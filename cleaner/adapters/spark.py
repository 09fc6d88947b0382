"""Spark: a function over the partitions of a DataFrame, through Arrow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Unpack

from cleaner.adapters.options import CleanerKeywords, missing_host

try:
    import pyarrow as pa
    from pyspark.sql import types
    from pyspark.sql.pandas.types import from_arrow_schema
except ImportError as error:
    raise missing_host(__name__, extra="spark", cause=error) from error

from cleaner.adapters.arrow import TableCleaner
from cleaner.adapters.texts import EXPLAINED, check_column, has_titles
from cleaner.errors import InputError
from cleaner.formats.parquet import explanation_fields

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_RENAME = "rename it: df.withColumnRenamed"
_TEXTS = (types.StringType, types.VarcharType, types.CharType, types.BinaryType, types.NullType)


def spark_clean(
    df: DataFrame,
    *,
    text: str = "text",
    title: str | None = "title",
    explain: bool = False,
    **options: Unpack[CleanerKeywords],
) -> DataFrame:
    """Return `df` with the column `text` cleaned; lazily, partition by partition, with no shuffle.

    Parameters
    ----------
    df
        Any DataFrame with no dot or backtick in the names of its columns; its other columns stay as
        they are.
    text
        The column that is cleaned: strings or binary. Here, unlike elsewhere in Spark, it matters
        whether a name is written with capitals.
    title
        The column with the titles. None: there is none. A `df` without a column called ``title`` is
        taken as it is; any other name must be there.
    explain
        Whether to add the columns ``removed``, ``judged`` and ``why``, in the place of those there
        are of these names.
    **options
        The parameters of `cleaner.Cleaner`, the encoder by its name or folder. A folder must be
        found under the same path by every executor.

    Returns
    -------
    pyspark.sql.DataFrame
        In a job, each Python worker loads the model once, and keeps it from task to task.

    Raises
    ------
    OptionError
        If an option is out of its range or of a wrong type.
    ModelError
        If no detector has been fitted for the encoder, and no `model` is given.
    InputError
        If a column is missing, there twice, or of a type that holds no text; if any has a dot or a
        backtick in its name; or if one differs from one that `explain` adds in capitals alone,
        which to Spark is the same name.
    """
    cleaner = ArticleCleaner(text_column=text, title_column=title, explain=explain, **options)
    return df.mapInArrow(cleaner, cleaner.spark_schema(df.schema))


class ArticleCleaner(TableCleaner):
    """The function that `spark_clean` gives to ``DataFrame.mapInArrow``.

    Parameters are those of `cleaner.adapters.arrow.TableCleaner`.
    """

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Clean the batches of a partition, one after the other.

        Raises
        ------
        InputError
            If a column is missing or holds something else than text.
        """
        for batch in batches:
            for table in self.slices(pa.Table.from_batches([batch])):
                yield from table.to_batches()

    def spark_schema(self, schema: types.StructType) -> types.StructType:
        """Return what a DataFrame of `schema` comes out as.

        Raises
        ------
        InputError
            As in `spark_clean`.
        """
        _check_names(schema.names)
        text = _field(schema, self.text_column).dataType
        if has_titles(self.title_column, schema.names):
            _field(schema, str(self.title_column))
        if not self.explain:
            return schema
        kept = [field for field in schema.fields if field.name not in EXPLAINED]
        for field in kept:
            if field.name.lower() in EXPLAINED:
                raise InputError(
                    f"the column {field.name!r} and {field.name.lower()!r}, which an explanation"
                    " adds, are one name to Spark",
                    next_step=_RENAME,
                )
        return types.StructType([*kept, *_explained_fields(text)])


def _check_names(names: Iterable[str]) -> None:
    """Refuse names that ``mapInArrow`` would not take for those of whole columns."""
    for name in names:
        if "." in name or "`" in name:
            raise InputError(
                f"the column {name!r} has a dot or a backtick in its name, with which Spark's"
                " mapInArrow cannot find it",
                next_step=_RENAME,
            )


def _field(schema: types.StructType, name: str) -> types.StructField:
    """The field of a column that holds text."""
    check_column(name, schema.names)
    field = schema[name]
    if not isinstance(field.dataType, _TEXTS):
        raise InputError(
            f"the column {name!r} is of the type {field.dataType.simpleString()}, which holds"
            " no text",
            next_step="cast it to a string, or name another column",
        )
    return field


def _explained_fields(text: types.DataType) -> list[types.StructField]:
    """The columns of an explanation, as `cleaner.adapters.arrow` makes them."""
    kind = pa.binary() if isinstance(text, types.BinaryType) else pa.string()
    schema: types.StructType = from_arrow_schema(pa.schema(explanation_fields(kind)))
    return list(schema.fields)
