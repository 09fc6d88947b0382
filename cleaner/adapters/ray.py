"""Ray Data: a class for ``Dataset.map_batches`` with a pool of actors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cleaner.adapters.options import missing_host

try:
    import pyarrow as pa
except ImportError as error:
    raise missing_host(__name__, extra="ray", cause=error) from error

from cleaner.adapters.arrow import TableCleaner
from cleaner.errors import InputError


class ArticleCleaner(TableCleaner):
    """A class for ``map_batches`` that cleans the text column of a batch.

    Parameters are those of `cleaner.adapters.arrow.TableCleaner`; Ray takes them as
    ``fn_constructor_kwargs``.

    Notes
    -----
    Each actor loads the model once, before its first batch. Batches are Arrow tables
    (``batch_format="pyarrow"``); a large one comes out in several. The ``accurate`` tier uses the
    GPU of an actor that has one (``num_gpus=1``).

    Examples
    --------
    >>> cleaner = ArticleCleaner(title_column=None)
    >>> [table.to_pydict() for table in cleaner(pa.table({"text": ["Too short."]}))]
    [{'text': ['Too short.']}]
    """

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.options.cleaner()  # an actor is ready when its model is loaded

    def __call__(self, batch: pa.Table) -> Iterator[pa.Table]:
        """Clean a batch, a thousand rows at a time.

        Raises
        ------
        InputError
            If the batch is no Arrow table, or a column is missing or holds no text.
        """
        if not isinstance(batch, pa.Table):
            raise InputError(
                f"the batch is of type {type(batch).__name__}, not an Arrow table",
                next_step='call map_batches with batch_format="pyarrow"',
            )
        yield from self.slices(batch)
