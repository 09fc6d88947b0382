"""Texts as Python values, some of them missing, through a `Cleaner`."""

from __future__ import annotations

import sys
import textwrap
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeVar

from cleaner.document import Document
from cleaner.errors import InputError
from cleaner.formats.jsonl import OURS

if TYPE_CHECKING:
    from cleaner.cleaning import Cleaner
    from cleaner.results import CleanResult

EXPLAINED = OURS  # what an explanation adds, as in a record of JSONL

HostDocument = TypeVar("HostDocument")


def is_missing(value: object) -> bool:
    """Whether `value` stands for no value: None, NaN, or what pandas has for it."""
    pandas = sys.modules.get("pandas")
    return (
        value is None
        or (isinstance(value, Real) and value != value)  # noqa: PLR0124  # of all numbers NaN alone
        or (pandas is not None and (value is pandas.NA or value is pandas.NaT))
    )


def clean_texts(
    cleaner: Cleaner, texts: Iterable[str | None], titles: Iterable[str | None]
) -> Iterator[CleanResult | None]:
    """Results in the order of `texts`, lazily; None where the text is None.

    Only as many documents are held as the cleaner encodes at a time.
    """
    present: deque[bool] = deque()

    def documents() -> Iterator[Document]:
        for text, title in zip(texts, titles, strict=True):
            present.append(text is not None)
            if text is not None:
                yield Document(text, title=title)

    for result in cleaner.clean_many(documents()):
        while not present.popleft():
            yield None
        yield result
    yield from (None for _ in present)


def string_or_none(value: object, *, place: str) -> str | None:
    """Return `value` where it is a string, None where it is missing.

    Raises
    ------
    InputError
        If it is anything else.
    """
    if isinstance(value, str):
        return str(value)
    if is_missing(value):
        return None
    raise InputError(
        f"{_shortened(value)} is of type {type(value).__name__}, not a string",
        place=place,
        next_step="convert it, or give None where there is no text",
    )


def check_column(name: object, names: Sequence[object]) -> None:
    """Refuse a column that is not among `names`, or there twice.

    Raises
    ------
    InputError
        With all of `names` in it.
    """
    count = sum(other == name for other in names)
    if count != 1:
        problem = f"there are {count} columns" if count else "there is no column"
        raise InputError(
            f"{problem} {name!r} among {', '.join(map(repr, names)) or 'none'}",
            next_step="name the column of the text and that of the title (None: no titles)",
        )


def has_titles(title: object, names: Sequence[object]) -> bool:
    """Whether titles are taken from the column `title` of `names`.

    One called ``title`` may be missing. Any other is taken from, so that `check_column` refuses it
    where it is not there.
    """
    return title is not None and (title in names or title != "title")


def listed(documents: Iterable[Any], kind: type[HostDocument], called: str) -> list[HostDocument]:
    """Return `documents`, which may come from a generator, as a list.

    Parameters
    ----------
    documents
        All of them of the class `kind`.
    kind
        The class of the host's documents.
    called
        Where its users import it from.

    Raises
    ------
    InputError
        If it is one document, or something in it is none.
    """
    if isinstance(documents, kind) or not isinstance(documents, Iterable):
        raise InputError(
            f"documents is of type {type(documents).__name__}", next_step=f"give a list of {called}"
        )
    given = list(documents)
    for row, document in enumerate(given):
        if not isinstance(document, kind):
            raise InputError(
                f"this is of type {type(document).__name__}",
                place=f"documents[{row}]",
                next_step=f"give {called}",
            )
    return given


def title_in(metadata: Mapping[Any, Any], key: str | None) -> str | None:
    """Return the title in `metadata`, which may hold anything: one that is no string is none."""
    title = None if key is None else metadata.get(key)
    return title if isinstance(title, str) else None


def explanation(result: CleanResult | None) -> dict[str, Any]:
    """``removed``, ``judged`` and ``why`` as JSON types; None each where there was no text."""
    if result is None:
        return dict.fromkeys(EXPLAINED)
    record = result.to_dict()
    return {name: record.get(name) for name in EXPLAINED}


def _shortened(value: object) -> str:
    return textwrap.shorten(repr(value), 60, placeholder="...")
