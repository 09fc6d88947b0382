r"""Takes out of an article what does not belong to it, and gives back the rest byte for byte.

>>> import cleaner
>>> cleaner.clean("Too short to be judged.\n")
'Too short to be judged.\n'
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleaner.cleaning import Cleaner
    from cleaner.document import Document
    from cleaner.encoders import Encoder
    from cleaner.errors import (
        CleanerError,
        InputError,
        ModelError,
        OptionError,
        OutputError,
        RestoreError,
    )
    from cleaner.results import CleanResult, Finding

__version__ = "0.1.0"

__all__ = [
    "CleanResult",
    "Cleaner",
    "CleanerError",
    "Document",
    "Finding",
    "InputError",
    "ModelError",
    "OptionError",
    "OutputError",
    "RestoreError",
    "__version__",
    "clean",
    "clean_and_explain",
]

# Loaded on first use: `cleaner --version` and `--help` need none of numpy and the model run times.
_HOMES = {
    "CleanResult": "cleaner.results",
    "Cleaner": "cleaner.cleaning",
    "CleanerError": "cleaner.errors",
    "Document": "cleaner.document",
    "Finding": "cleaner.results",
    "InputError": "cleaner.errors",
    "ModelError": "cleaner.errors",
    "OptionError": "cleaner.errors",
    "OutputError": "cleaner.errors",
    "RestoreError": "cleaner.errors",
}


def clean(
    text: str,
    *,
    title: str | None = None,
    encoder: str | Encoder = "fast",
    threshold: float | None = None,
    keep: Sequence[str] = (),
    drop: Sequence[str] = (),
) -> str:
    r"""Return `text` less what does not belong to it.

    Parameters
    ----------
    text
        The article, with or without its header. Nothing in it is normalised.
    title
        The title, where the caller knows it and `text` does not open with it.
    encoder
        ``"fast"``, ``"accurate"``, a model's name or folder, or an `Encoder`.
    threshold
        Probability from which a fragment goes, 0 to 1, higher: less is removed. None: the
        encoder's own.
    keep, drop
        Regular expressions searched for in each fragment; one that is kept is never removed.

    Returns
    -------
    str
        The input less some spans; the same string where nothing was to be removed.

    Raises
    ------
    OptionError
        If `threshold` is out of range or a pattern is no regular expression.
    ModelError
        If the encoder or its detector cannot be had.

    See Also
    --------
    clean_and_explain : the same, with what was removed, and why.

    Examples
    --------
    >>> clean("One line.\n")
    'One line.\n'
    """
    return _cleaner(encoder, threshold, keep, drop).clean(text, title=title)


def clean_and_explain(
    text: str,
    *,
    title: str | None = None,
    encoder: str | Encoder = "fast",
    threshold: float | None = None,
    keep: Sequence[str] = (),
    drop: Sequence[str] = (),
) -> CleanResult:
    r"""Do as `clean` does, and account for every deletion.

    Parameters and errors are those of `clean`.

    Returns
    -------
    CleanResult
        The clean text, the findings, and the scores of all fragments; it rebuilds the input.

    Examples
    --------
    >>> result = clean_and_explain("One line.\n")
    >>> result.judged, result.findings, result.rebuild()
    (False, (), 'One line.\n')
    """
    return _cleaner(encoder, threshold, keep, drop).clean_and_explain(text, title=title)


def _cleaner(
    encoder: str | Encoder,
    threshold: float | None,
    keep: Sequence[str],
    drop: Sequence[str],
) -> Cleaner:
    if isinstance(encoder, str):
        return _named_cleaner(encoder, threshold, tuple(keep), tuple(drop))
    from cleaner.cleaning import Cleaner

    # An encoder of the caller's own need not be hashable, and is loaded already.
    return Cleaner(encoder=encoder, threshold=threshold, keep=keep, drop=drop)


@lru_cache(maxsize=4)
def _named_cleaner(
    encoder: str, threshold: float | None, keep: tuple[str, ...], drop: tuple[str, ...]
) -> Cleaner:
    """One loaded model for many calls; a `Cleaner` keeps no state between documents."""
    from cleaner.cleaning import Cleaner

    return Cleaner(encoder=encoder, threshold=threshold, keep=keep, drop=drop)


def __getattr__(name: str) -> object:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
