"""Fragments of several documents in one array: sums, neighbours and windows of each document alone.

Evidence is computed for many documents at once, because most of the time on a short one goes into
calling numpy. Nothing here crosses from one document into the next, and no sum's order depends on
what else is in the array: a document gets the same numbers, to the last bit, whatever stands
beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_FAR = 6.0  # what a distance is where there is nothing: that of four hundred fragments


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the fragments of d documents lie, n fragments in all, at least one a document.

    Attributes
    ----------
    bounds
        Shape (d + 1,): where each document begins, and n.
    owner
        Shape (n,): the document of each fragment.
    place
        Shape (n,): the fragment's number in its document.
    sizes
        Shape (d,): fragments of each document.
    lines
        Shape (n,): the fragment's line, numbered from 0 without gaps through all documents.
    """

    bounds: Ints
    owner: Ints
    place: Ints
    sizes: Ints
    lines: Ints

    @classmethod
    def of(cls, lines: Sequence[Ints]) -> Self:
        """The layout of documents, given the line of each of their fragments, ascending."""
        sizes = np.array([len(numbers) for numbers in lines], dtype=np.int64)
        bounds = np.concatenate([[0], np.cumsum(sizes)])
        owner = np.repeat(np.arange(len(sizes)), sizes)
        numbers = np.concatenate(lines)
        begins = np.diff(numbers, prepend=-1) != 0
        begins[bounds[:-1]] = True
        return cls(
            bounds=bounds,
            owner=owner,
            place=np.arange(len(owner)) - bounds[owner],
            sizes=sizes,
            lines=np.cumsum(begins) - 1,
        )

    def __len__(self) -> int:
        return len(self.owner)

    def __iter__(self) -> Iterator[slice]:
        """The extent of each document."""
        return (slice(a, b) for a, b in pairwise(self.bounds.tolist()))

    def total(self, values: npt.NDArray[np.number | np.bool_]) -> Floats:
        """Sum over each document of `values`, (n,): shape (d,)."""
        return np.asarray(np.add.reduceat(values, self.bounds[:-1], dtype=np.float64))

    def mean(self, values: npt.NDArray[np.number | np.bool_]) -> Floats:
        """Mean over each document of `values`, (n,): shape (d,)."""
        return self.total(values) / self.sizes

    def shifted(self, values: Floats, by: int) -> Floats:
        """`values`, (n, ...), of the neighbour `by` places before; its own at the edges."""
        place = self.place - by
        outside = (place < 0) | (place >= self.sizes[self.owner])
        index = np.arange(len(self)) - by
        index[outside] += by
        return values[index]

    def windows(self, values: Floats, radii: Sequence[int]) -> list[Floats]:
        """For each radius the means of `values`, (n, ...), over the neighbours within it.

        The fragment itself is left out; 0 where it has no neighbours.
        """
        documents = len(self.sizes)
        sums = np.zeros((len(self) + documents, *values.shape[1:]))
        for number, extent in enumerate(self):
            # From nought in each document: a sum through all of them would depend on them all.
            part = sums[extent.start + number + 1 : extent.stop + number + 1]
            np.cumsum(values[extent], axis=0, out=part)
        first = (self.bounds[:-1] + np.arange(documents))[self.owner]
        size = self.sizes[self.owner]
        means = []
        for radius in radii:
            low = np.maximum(self.place - radius, 0)
            high = np.minimum(self.place + radius + 1, size)
            others = np.maximum(high - low - 1, 1).reshape(-1, *[1] * (values.ndim - 1))
            means.append((sums[first + high] - sums[first + low] - values) / others)
        return means

    def distances(self, mark: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Logarithm of the steps to the nearest marked fragment before, and after: shapes (n,)."""
        count = len(self)
        index = np.arange(count)
        last = np.maximum.accumulate(np.where(mark, index, -1))
        before = np.concatenate([[-1], last[:-1]])
        reverse = np.minimum.accumulate(np.where(mark, index, count)[::-1])[::-1]
        after = np.concatenate([reverse[1:], [count]])
        return (
            np.where(before < self.bounds[self.owner], _FAR, _bounded_log(index - before)),
            np.where(after >= self.bounds[self.owner + 1], _FAR, _bounded_log(after - index)),
        )

    def rest_of_line(self, values: Floats, mass: Floats) -> Floats:
        """Mean of `values`, (n,), over the line's other fragments; its own where it is alone.

        `mass` says how much each counts.
        """
        totals = np.bincount(self.lines, values * mass)[self.lines] - values * mass
        masses = np.bincount(self.lines, mass)[self.lines] - mass
        alone = np.bincount(self.lines)[self.lines] == 1
        return np.where(alone, values, totals / np.maximum(masses, 1e-9))


def _bounded_log(steps: Ints) -> Floats:
    return np.minimum(np.log(np.maximum(steps, 1)), _FAR)
