"""What every adapter is made with, and the one `Cleaner` that a process loads for it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypedDict, Unpack

from cleaner.errors import CleanerError, OptionError
from cleaner.options import LISTS, check_options, check_type, is_number, strings

if TYPE_CHECKING:
    from cleaner.cleaning import Cleaner


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

    encoder: str | None
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
        ``fast``, ``accurate``, a model folder, or a model's name. None: the one that `model` was
        fitted for, ``fast`` without it.
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
        If a threshold, pattern or reason is not one, or an option is of a wrong type.
    ModelError
        If no detector has been fitted for the encoder, and no `model` is given.

    Notes
    -----
    Both are raised where the options are written, not on a worker. What is in the folders, and
    whether all is installed that an encoder needs, is told by the process that loads them: where
    the options are written they need not be.
    """

    encoder: str | None = None
    threshold: float | None = None
    keep: Sequence[str] = ()
    drop: Sequence[str] = ()
    only: Sequence[str] = ()
    exclude: Sequence[str] = ()
    model: str | Path | None = None

    def __post_init__(self) -> None:
        from cleaner.encoders import detector_folder

        for name in LISTS:
            object.__setattr__(self, name, strings(name, getattr(self, name)))
        if self.encoder is not None:
            which = "give a name or a folder, which a worker loads"
            check_type("encoder", self.encoder, str | os.PathLike, which)
            object.__setattr__(self, "encoder", os.fspath(self.encoder))
        if self.model is not None:
            check_type("model", self.model, str | os.PathLike, "give the folder of a detector")
            object.__setattr__(self, "model", os.fspath(self.model))
        check_options(
            threshold=self.threshold,
            keep=self.keep,
            drop=self.drop,
            only=self.only,
            exclude=self.exclude,
        )
        if self.model is None:
            detector_folder(self.encoder or "fast")

    @classmethod
    def of(cls, **options: Unpack[CleanerKeywords]) -> Self:
        """Make them of what an adapter was called with.

        Raises
        ------
        OptionError, ModelError
            As for the class, or if there is no option of a name.
        """
        known = cls.__dataclass_fields__
        for name in options:
            if name not in known:
                raise OptionError(
                    f"there is no option {name!r}",
                    next_step=f"use {', '.join(known)}, or a parameter of the adapter itself",
                )
        return cls(**options)

    def cleaner(self) -> Cleaner:
        """Return the `Cleaner` with these options: loaded on the first call in a process.

        Raises
        ------
        ModelError
            If the encoder or its detector cannot be had.
        """
        from cleaner.cleaning import kept_cleaner

        return kept_cleaner(**{name: getattr(self, name) for name in self.__slots__})

    def manifests(self) -> tuple[bytes | None, ...]:
        """Return the manifests of the model's folders: see `cleaner.detector_files.manifests`."""
        from cleaner.detector_files import manifests

        return manifests(self.encoder, self.model)


def is_share(value: object) -> bool:
    """Whether `value` is a number from 0 to 1."""
    return isinstance(value, Real) and is_number(value) and 0.0 <= float(value) <= 1.0
