"""What every adapter is made with, and the one `Cleaner` that a process loads for it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from cleaner.errors import CleanerError, OptionError

if TYPE_CHECKING:
    from cleaner.cleaning import Cleaner

_SEQUENCES = ("keep", "drop", "only", "exclude")


class MissingHostError(CleanerError, ModuleNotFoundError):
    """The library that an adapter works in is not installed."""


def missing_host(adapter: str, *, extra: str, cause: ImportError) -> MissingHostError:
    """Return the error that names what `adapter` needs and the `extra` that installs it."""
    return MissingHostError(
        f"{cause.name} cannot be imported ({cause})",
        place=adapter,
        next_step=f"pip install 'article-cleaner[{extra}]'",
    )


class CleanerKeywords(TypedDict, total=False):
    """The parameters of `cleaner.Cleaner`, as an adapter takes them."""

    encoder: str
    threshold: float | None
    keep: Sequence[str]
    drop: Sequence[str]
    only: Sequence[str]
    exclude: Sequence[str]
    model: str | Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanerOptions:
    """The parameters of `cleaner.Cleaner` as plain values: pickled, compared, and hashed.

    A worker is sent these and not the model, which it loads by itself, once.

    Attributes
    ----------
    encoder
        ``fast``, ``accurate``, a model folder, or a model's name.
    threshold
        Probability from which a fragment is removed, 0 to 1. None: the detector's own.
    keep, drop
        Regular expressions, as in `cleaner.Cleaner`.
    only, exclude
        Reasons, as in `cleaner.Cleaner`.
    model
        Folder of a detector, as in `cleaner.Cleaner`; the workers must find it at the same place.

    Raises
    ------
    OptionError
        If a threshold, pattern or reason is not one. It is raised where the options are written,
        not on a worker.
    """

    encoder: str = "fast"
    threshold: float | None = None
    keep: Sequence[str] = ()
    drop: Sequence[str] = ()
    only: Sequence[str] = ()
    exclude: Sequence[str] = ()
    model: str | Path | None = None

    def __post_init__(self) -> None:
        from cleaner.cleaning import check_options

        for name in _SEQUENCES:
            value = getattr(self, name)
            if isinstance(value, str):
                raise OptionError(
                    f"{name} is the string {value!r}", next_step="give a list of them"
                )
            object.__setattr__(self, name, tuple(value))
        if not isinstance(self.encoder, str):
            raise OptionError(
                f"encoder is of type {type(self.encoder).__name__}",
                next_step="give a name or a folder, which every worker loads for itself",
            )
        if self.model is not None:
            object.__setattr__(self, "model", os.fspath(self.model))
        check_options(
            threshold=self.threshold,
            keep=self.keep,
            drop=self.drop,
            only=self.only,
            exclude=self.exclude,
        )

    def cleaner(self) -> Cleaner:
        """Return the `Cleaner` with these options: loaded on the first call in a process.

        Raises
        ------
        ModelError
            If the encoder or its detector cannot be had.
        """
        return _load(self)


@lru_cache(maxsize=4)
def _load(options: CleanerOptions) -> Cleaner:
    from cleaner.cleaning import Cleaner

    return Cleaner(
        encoder=options.encoder,
        threshold=options.threshold,
        keep=options.keep,
        drop=options.drop,
        only=options.only,
        exclude=options.exclude,
        model=options.model,
    )


# A model's threads do not survive a fork: the child loads its own.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_load.cache_clear)
