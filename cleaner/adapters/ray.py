"""Ray Data: a class for ``Dataset.map_batches``, and a function that gives it a pool of actors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Unpack

from cleaner.adapters.options import CleanerKeywords, missing_host

try:
    import pyarrow as pa
except ImportError as error:
    raise missing_host(__name__, extra="ray", cause=error) from error

from cleaner.adapters.arrow import TableCleaner
from cleaner.errors import InputError, OptionError
from cleaner.options import is_count

if TYPE_CHECKING:
    from ray.data import Dataset

# What Ray counts for an actor, not what it uses: with all processors taken by actors, none would be
# left to read and to write with, and a pool of fixed size would wait for its input for ever.
_COUNTED = 0.5

# Rows that an actor is handed at a time, at most. Ray gives a block to one actor whole, and 2.60
# reads Parquet by 128 MB, some 30,000 articles, whatever number of blocks it is asked for: of a
# smaller dataset, in one file or in many, it makes one block, and all actors but one would be idle.
# Either number is of some seconds of work, up to a minute.
_PIECE = 1_000
_PIECE_OF_TRANSFORMER = 100


def ray_clean(
    dataset: Dataset,
    *,
    size: int,
    text: str = "text",
    title: str | None = "title",
    explain: bool = False,
    num_gpus: float = 0,
    **options: Unpack[CleanerKeywords],
) -> Dataset:
    """Return `dataset` with the column `text` cleaned by a pool of actors; lazily, with no shuffle.

    Parameters
    ----------
    dataset
        Any dataset; its other columns stay as they are.
    size
        How many actors: as many as there are processors, or GPUs. Ray counts half a processor for
        each, and needs a whole one beside them to read and to write with: where they leave less,
        they wait for their input for ever.
    text
        The column that is cleaned: strings or binary.
    title
        The column with the titles. None: there is none. A `dataset` without a column called
        ``title`` is taken as it is; any other name must be there.
    explain
        Whether to add the columns ``removed``, ``judged`` and ``why``, in the place of those there
        are of these names.
    num_gpus
        GPUs of each actor, for ``encoder="accurate"``.
    **options
        The parameters of `cleaner.Cleaner`, the encoder by its name or folder. A folder must be
        found under the same path by every actor.

    Returns
    -------
    ray.data.Dataset
        When it is run, each actor loads the model once. A block of more than 1,000 rows (100 with
        any encoder but ``fast``) is divided, so that the actors share it, and comes out as several;
        rows keep their order within a block.

    Raises
    ------
    OptionError
        If an option is out of its range or of a wrong type.
    ModelError
        If no detector has been fitted for the encoder, and no `model` is given.
    InputError
        If a column is missing, there twice, or of a type that holds no text. It is raised before
        the job where Ray can tell the columns: from files of Parquet or from Arrow tables.
    """
    from ray.data import ActorPoolStrategy

    if not is_count(size):
        raise OptionError(f"size is {size!r}", next_step="use 1 or more")
    cleaner = TableCleaner(text_column=text, title_column=title, explain=explain, **options)
    schema = dataset.schema(fetch_if_missing=False)
    if schema is not None and isinstance(schema.base_schema, pa.Schema):
        cleaner.schema(schema.base_schema)
    told = cleaner.options
    is_fast = told.encoder == "fast" or (told.encoder is None and told.model is None)
    piece = _PIECE if is_fast else _PIECE_OF_TRANSFORMER
    return dataset.repartition(target_num_rows_per_block=piece).map_batches(
        ArticleCleaner,
        fn_constructor_kwargs={
            "text_column": text,
            "title_column": title,
            "explain": explain,
            **options,
        },
        batch_format="pyarrow",
        # A piece as it comes; none is held back until there are more rows, but where GPUs are asked
        # for, for which Ray wants a number.
        batch_size=piece if num_gpus else None,
        compute=ActorPoolStrategy(size=size),
        num_cpus=_COUNTED,
        num_gpus=num_gpus,
    )


class ArticleCleaner(TableCleaner):
    """The class that `ray_clean` gives to ``Dataset.map_batches``: cleans the text of a batch.

    Parameters are those of `cleaner.adapters.arrow.TableCleaner`; Ray takes them as
    ``fn_constructor_kwargs``, and hands them to the actors unseen: a wrong one fails there.

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

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**parameters)
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
