r"""Takes out of an article what does not belong to it, and gives back the rest byte for byte.

>>> import cleaner
>>> cleaner.clean("Too short to be judged.\n")
'Too short to be judged.\n'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

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


def clean(  # noqa: PLR0913  # a text, and the parameters of `Cleaner`
    text: str,
    *,
    title: str | None = None,
    encoder: str | Path | Encoder | None = None,
    threshold: float | None = None,
    keep: Sequence[str] = (),
    drop: Sequence[str] = (),
    only: Sequence[str] = (),
    exclude: Sequence[str] = (),
    model: str | Path | None = None,
) -> str:
    r"""Return `text` less what does not belong to it.

    Parameters
    ----------
    text
        The article, with or without its header. Nothing in it is normalised.
    title
        The title, where the caller knows it and `text` does not open with it.
    encoder
        ``"fast"``, ``"accurate"`` or the folder of its weights; with `model` also another model's
        name or folder, or an `Encoder`. None: the one that `model` was fitted for, ``"fast"``
        without it.
    threshold
        Probability from which a fragment goes, 0 to 1, higher: less is removed. None: the
        encoder's own.
    keep, drop
        Regular expressions searched for in each fragment; one that is kept is never removed.
    only, exclude
        Reasons (see `cleaner.reasons.REASONS`): remove for these alone; do not remove for these.
    model
        Folder of a detector that ``cleaner train`` wrote.

    Returns
    -------
    str
        The input less some spans; the same string where nothing was to be removed.

    Raises
    ------
    OptionError
        If a threshold, pattern or reason is not one, or a value is of a wrong type.
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
    cleaner = _cleaner(
        encoder=encoder,
        threshold=threshold,
        keep=keep,
        drop=drop,
        only=only,
        exclude=exclude,
        model=model,
    )
    return cleaner.clean(text, title=title)


def clean_and_explain(  # noqa: PLR0913  # as for `clean`
    text: str,
    *,
    title: str | None = None,
    encoder: str | Path | Encoder | None = None,
    threshold: float | None = None,
    keep: Sequence[str] = (),
    drop: Sequence[str] = (),
    only: Sequence[str] = (),
    exclude: Sequence[str] = (),
    model: str | Path | None = None,
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
    cleaner = _cleaner(
        encoder=encoder,
        threshold=threshold,
        keep=keep,
        drop=drop,
        only=only,
        exclude=exclude,
        model=model,
    )
    return cleaner.clean_and_explain(text, title=title)


def _cleaner(**options: Any) -> Cleaner:
    from cleaner.cleaning import Cleaner, kept_cleaner
    from cleaner.options import LISTS, as_name, check_options, strings

    options |= {name: strings(name, options[name]) for name in LISTS}
    options["encoder"] = as_name(options["encoder"])
    check_options(**options)
    if isinstance(options["encoder"], str | None):
        return kept_cleaner(**options)
    # An encoder of the caller's own need not be hashable, and is loaded already.
    return Cleaner(**options)


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
