"""Floors: figures that an encoder must not fall below, by data set, held in a JSON file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from cleaner.errors import InputError
from cleaner.formats import AtomicFile

if TYPE_CHECKING:
    from cleaner.evaluation.measure import Evaluation

FORMAT = 1
# Which way is up; of these alone a floor is held.
_HIGHER = ("precision", "recall", "f1", "average_precision")
_LOWER = ("lost", "left", "clean_removed")
FIGURES = (*_HIGHER, *_LOWER)
COUNT = "documents"  # how many documents the floors were measured on
_ORDER = (COUNT, *FIGURES)
TOLERANCE = 0.002  # what may differ between processors: the last digits of a transformer's vectors
_DIGITS = 4

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Check:
    """A figure held against its floor.

    Attributes
    ----------
    found
        None where it was not measured, or is undefined.
    """

    dataset: str
    figure: str
    floor: float
    found: float | None
    tolerance: float

    @property
    def gain(self) -> float:
        """How much better than the floor; negative where it is worse or there is no figure."""
        if self.found is None:
            return float("-inf")
        if self.figure == COUNT:  # floors hold for the documents that they were measured on
            return -abs(self.found - self.floor)
        return (self.found - self.floor) * (1 if self.figure in _HIGHER else -1)

    @property
    def dropped(self) -> bool:
        """Whether it is worse than the floor by more than the tolerance."""
        return self.gain < -self.tolerance

    @property
    def verdict(self) -> str:
        """One word for the table."""
        if self.found is None:
            return "not measured"
        if self.figure == COUNT:
            return "other documents" if self.dropped else "holds"
        return "dropped" if self.dropped else "better" if self.gain > self.tolerance else "holds"


@dataclass(frozen=True, slots=True)
class Floors:
    """The floors of a file: by encoder, by data set, by figure.

    Attributes
    ----------
    tolerance
        By how much a figure may be worse than its floor.
    """

    encoders: dict[str, dict[str, Figures]] = field(default_factory=dict)
    tolerance: float = TOLERANCE

    @classmethod
    def read(cls, path: Path) -> Self:
        """The floors in `path`.

        Raises
        ------
        InputError
            If it cannot be read, or holds no floors.
        """
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if found["format"] != FORMAT:
                raise ValueError(f"format {found['format']}, this version reads {FORMAT}")
            encoders = {
                str(encoder): {
                    str(dataset): {_known(name): _number(floor) for name, floor in floors.items()}
                    for dataset, floors in datasets.items()
                }
                for encoder, datasets in found["floors"].items()
            }
            return cls(encoders, _number(found["tolerance"]))
        except (
            OSError,
            ValueError,
            LookupError,
            TypeError,
            AttributeError,
            RecursionError,
        ) as error:
            raise InputError(
                f"no file of floors ({error})",
                place=str(path),
                next_step="make one with --raise-floors",
            ) from error

    def write(self, path: Path) -> None:
        """Write the floors, whole or not at all.

        Raises
        ------
        OutputError
            If they cannot be written.
        """
        value = {"format": FORMAT, "tolerance": self.tolerance, "floors": self.encoders}
        text = json.dumps(value, indent=2, sort_keys=True) + "\n"
        with AtomicFile(path) as sink:
            sink.write(text.encode())

    def check(self, evaluation: Evaluation) -> tuple[Check, ...]:
        """Every floor of the evaluation's encoder, held against what was found."""
        found = figures_of(evaluation)
        return tuple(
            Check(dataset, name, floor, found.get(dataset, {}).get(name), self.tolerance)
            for dataset, floors in sorted(self.encoders.get(evaluation.encoder, {}).items())
            for name, floor in sorted(floors.items(), key=lambda item: _ORDER.index(item[0]))
        )

    def moved(self, evaluation: Evaluation, *, up: bool, down: bool) -> Floors:
        """The floors with what was found in their place.

        Parameters
        ----------
        up
            Where it is better, or where there was no floor.
        down
            Where it is worse; both are needed where the documents are others.
        """
        old = self.encoders.get(evaluation.encoder, {})
        new = {dataset: dict(floors) for dataset, floors in old.items()}
        for dataset, found in figures_of(evaluation).items():
            floors = new.setdefault(dataset, {})
            if floors and floors.get(COUNT) != found[COUNT]:  # other documents, other floors
                if not (up and down):
                    continue
                floors.clear()
            for name, value in found.items():
                floor = floors.get(name)
                better = floor is None or Check(dataset, name, floor, value, 0.0).gain > 0
                if (better and up) or (not better and down):
                    floors[name] = round(value, _DIGITS)
        new = {dataset: floors for dataset, floors in new.items() if floors}
        return type(self)({**self.encoders, evaluation.encoder: new}, self.tolerance)


def figures_of(evaluation: Evaluation) -> dict[str, Figures]:
    """The figures that floors are held of, and the number of documents, by data set.

    Undefined figures are left out. Where nothing is to be removed, there is nothing to find:
    what is lost is all that counts.
    """
    found: dict[str, Figures] = {}
    for dataset, summary in evaluation.by["set"].items():
        names = FIGURES if summary.to_remove else ("lost", "clean_removed")
        values = {name: getattr(summary, name) for name in names}
        known = {name: float(value) for name, value in values.items() if value is not None}
        found[dataset] = {COUNT: summary.documents, **known}
    return found


def amiss(checks: Iterable[Check]) -> Sequence[Check]:
    """Those that dropped or were not measured."""
    return [check for check in checks if check.dropped]


def _number(floor: Any) -> float:
    if not isinstance(floor, int | float) or isinstance(floor, bool):  # to Python, True is an int
        raise TypeError(f"{floor!r} is no number")
    return floor  # a number of documents stays whole


def _known(name: Any) -> str:
    if name not in _ORDER:
        raise ValueError(f"{name!r} is no figure; there are {', '.join(_ORDER)}")
    return str(name)
