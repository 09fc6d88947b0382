"""What a cleaner is told, checked before a model is loaded."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from cleaner.errors import OptionError
from cleaner.reasons import REASONS

if TYPE_CHECKING:
    from cleaner.encoders import Encoder

LISTS = ("keep", "drop", "only", "exclude")
BATCH_DOCUMENTS = 32  # encoded together


def check_options(
    *,
    encoder: str | Encoder | None = None,
    threshold: float | None = None,
    keep: Sequence[str] = (),
    drop: Sequence[str] = (),
    only: Sequence[str] = (),
    exclude: Sequence[str] = (),
    model: str | Path | None = None,
) -> None:
    """Raise `OptionError` where `cleaner.Cleaner` would, without loading a model."""
    check_model(encoder, model)
    patterns("keep", keep)
    patterns("drop", drop)
    reasons(only, exclude, drop=drop)
    if threshold is not None:
        check_threshold(threshold)


def as_name(encoder: str | os.PathLike[str] | Encoder | None) -> str | Encoder | None:
    """An encoder as it is, or the name of its folder."""
    return os.fspath(encoder) if isinstance(encoder, os.PathLike) else encoder


def check_model(encoder: object, model: object) -> None:
    """Refuse what names no model, and is none."""
    from cleaner.encoders import Encoder  # numpy comes with it

    if encoder is not None:
        step = "give a name, a folder, or what has the methods of cleaner.encoders.Encoder"
        check_type("encoder", encoder, str | Encoder, step)
        if isinstance(encoder, type):
            raise OptionError(f"encoder is the class {encoder.__name__}", next_step=step)
        if encoder == "":
            raise OptionError("the name of the encoder is empty", next_step="use fast or accurate")
    if model is not None:
        check_type("model", model, str | os.PathLike, "give the folder of a detector")
        if model == "":
            raise OptionError("the name of the model is empty", next_step="give a folder")


def check_threshold(threshold: float) -> None:
    """Refuse what is no probability."""
    step = "use a probability from 0 to 1"
    if not is_number(threshold):
        raise OptionError(f"threshold is {threshold!r}, of {_type(threshold)}", next_step=step)
    if not 0.0 <= threshold <= 1.0:
        raise OptionError(f"the threshold is {threshold}", next_step=step)


def patterns(name: str, expressions: Sequence[str]) -> tuple[re.Pattern[str], ...]:
    """The regular expressions that the option called `name` was given, compiled."""
    compiled = []
    for expression in strings(name, expressions):
        try:
            compiled.append(re.compile(expression))
        except re.error as error:
            raise OptionError(
                f"{expression!r} is no regular expression ({error})",
                place=name,
                next_step="see the syntax of Python's re",
            ) from error
    return tuple(compiled)


def reasons(
    only: Sequence[str], exclude: Sequence[str], *, drop: Sequence[str] = ()
) -> frozenset[str]:
    """The reasons for which something may be removed."""
    chosen, excluded = strings("only", only), strings("exclude", exclude)
    for reason in (*chosen, *excluded):
        if reason not in REASONS:
            raise OptionError(
                f"{reason!r} is no reason", next_step=f"use one of {', '.join(REASONS)}"
            )
    for reason in chosen:
        if reason in excluded:
            raise OptionError(
                f"{reason!r} is both a reason to remove for and one not to remove for",
                next_step="name it once",
            )
    if drop and "pattern" in excluded:
        raise OptionError(
            "patterns to drop, and 'pattern' as a reason not to remove for, do not go together",
            next_step="leave one of the two out",
        )
    return frozenset(chosen or REASONS) - frozenset(excluded)


def strings(name: str, values: object) -> tuple[str, ...]:
    """The strings in `values`, refused where it is a single one: its letters are not meant."""
    if isinstance(values, str):
        raise OptionError(f"{name} is the string {values!r}", next_step="give a list of them")
    check_type(name, values, Iterable, "give a list of strings")
    found = tuple(cast("Iterable[str]", values))
    for value in found:
        check_type(f"{value!r} in {name}", value, str, "give a list of strings")
    return found


def check_type(name: str, value: object, kind: Any, next_step: str) -> None:
    """Refuse a `value` that is not of a `kind`, which is whatever `isinstance` takes."""
    if not isinstance(value, kind):
        raise OptionError(f"{name} is of {_type(value)}", next_step=next_step)


def is_number(value: object) -> bool:
    """Whether `value` is a number, of numpy perhaps; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def is_count(value: object) -> bool:
    """Whether `value` is a whole number, and 1 or more."""
    return isinstance(value, Integral) and is_number(value) and int(value) >= 1


def _type(value: object) -> str:
    return f"type {type(value).__name__}"
