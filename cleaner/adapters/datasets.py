"""Hugging Face datasets: a function for ``Dataset.map(..., batched=True)``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cleaner
from cleaner.adapters.options import missing_host

try:
    import pyarrow as pa
except ImportError as error:
    raise missing_host(__name__, extra="datasets", cause=error) from error

from cleaner.adapters.arrow import TableCleaner
from cleaner.adapters.texts import check_column, has_titles, string_or_none
from cleaner.errors import InputError

_AS_ARROW = 'call map on dataset.with_format("arrow")'


class ArticleCleaner(TableCleaner):
    """A function for ``map(..., batched=True)`` that cleans the text column of a batch.

    Parameters are those of `cleaner.adapters.arrow.TableCleaner`.

    Notes
    -----
    It takes a batch in the format of the dataset: Arrow tables (``with_format("arrow")``, nothing
    is converted that is not text) or the dictionary of lists that `map` gives by itself. With
    ``num_proc`` each process loads the model once. What it is pickled to, and so the fingerprint
    that the cache goes by, depends on the options, on the version of cleaner, and on the
    ``manifest.json`` of a model folder, which training writes anew; on nothing else.

    Examples
    --------
    >>> ArticleCleaner()({"text": ["Too short to be judged.", None]})
    {'text': ['Too short to be judged.', None]}
    """

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled; with version and models, for others give other texts."""
        return {
            **self.__dict__,
            "_version": cleaner.__version__,
            "_manifests": self.options.manifests(),
        }

    def __call__(self, batch: pa.Table | Mapping[str, Sequence[Any]]) -> Any:
        """Clean a batch: a table comes out as a table, a dictionary as the column that changes.

        Raises
        ------
        InputError
            If a column is missing or holds something else than text, if an explanation is asked
            for in a dictionary, if the batch is a single row (`map` without ``batched=True``), or
            if it is neither table nor dictionary (the formats pandas and polars).
        """
        if isinstance(batch, pa.Table):
            return self.clean(batch)
        if not isinstance(batch, Mapping):
            # Of a DataFrame, map would keep the columns that it is given back, and no other.
            raise InputError(
                f"the batch is of type {type(batch).__name__}, not an Arrow table or a dictionary",
                next_step=_AS_ARROW,
            )
        if self.explain:
            # Where a first batch has nothing removed, datasets would take the lists for empty ones.
            raise InputError(
                "an explanation needs the column types of Arrow, and the batch is a dictionary",
                next_step=_AS_ARROW,
            )
        return {self.text_column: self._cleaned(batch)}

    def _cleaned(self, batch: Mapping[str, Sequence[Any]]) -> Any:
        names = [self.text_column]
        if has_titles(self.title_column, [*batch]):
            names.append(str(self.title_column))
        for name in names:
            check_column(name, [*batch])
        table = pa.table({name: _strings(batch[name], name) for name in names})
        return self.clean(table).column(self.text_column).to_pylist()


def _strings(values: Any, name: str) -> pa.Array:
    if values is None or isinstance(values, str | bytes):
        # Letter by letter, a text would pass for a column.
        raise InputError(
            f"the column {name!r} holds one value, not a batch",
            next_step="call map with batched=True",
        )
    if any(isinstance(value, bytes) for value in values):
        raise InputError(f"the column {name!r} holds bytes in lists", next_step=_AS_ARROW)
    place = f"column {name!r}, row "
    texts = [string_or_none(value, place=f"{place}{row}") for row, value in enumerate(values)]
    return pa.array(texts, pa.large_string())
