"""Summaries of streams in bounded memory."""

from __future__ import annotations

import heapq
import itertools
import random
from dataclasses import dataclass, field
from typing import Generic, TypeVar

_Item = TypeVar("_Item")


class Sample(Generic[_Item]):
    """A uniform sample of a stream: the same stream gives the same sample.

    Algorithm R (Vitter, "Random sampling with a reservoir", ACM Transactions on Mathematical
    Software 11, 1985).

    Parameters
    ----------
    size
        How many items are kept.
    """

    def __init__(self, size: int) -> None:
        self.items: list[_Item] = []
        self.seen = 0
        self._size = size
        self._random = random.Random(0)  # noqa: S311  # a sample, not a secret

    def add(self, item: _Item) -> None:
        """See one more item."""
        self.seen += 1
        if len(self.items) < self._size:
            self.items.append(item)
            return
        place = self._random.randrange(self.seen)
        if place < self._size:
            self.items[place] = item


class Smallest(Generic[_Item]):
    """The items of a stream with the smallest keys, the earlier first among equals.

    Parameters
    ----------
    size
        How many items are kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._heap: list[tuple[float, int, _Item]] = []
        self._order = itertools.count()

    def add(self, key: float, item: _Item) -> None:
        """See one more item."""
        entry = (-key, -next(self._order), item)
        if len(self._heap) < self._size:
            heapq.heappush(self._heap, entry)
        elif entry > self._heap[0]:
            heapq.heapreplace(self._heap, entry)

    def items(self) -> list[_Item]:
        """The items, smallest key first."""
        return [item for _, _, item in sorted(self._heap, reverse=True)]


@dataclass(slots=True)
class Count:
    """How often something was seen: at most `count` times, and at least `count - error` times."""

    count: int
    error: int
    example: str


@dataclass(slots=True)
class Frequent:
    """The most frequent items of a stream.

    Space-saving (Metwally, Agrawal and El Abbadi, "Efficient computation of frequent and top-k
    elements in data streams", ICDT 2005), the rarest evicted in batches: a newcomer may have been
    seen as often as the most frequent of those that were evicted, and is counted so.

    Attributes
    ----------
    size
        Counters kept; up to twice as many between two evictions.
    counts
        By key.
    floor
        How often something that is not in `counts` can have been seen at most.
    """

    size: int
    counts: dict[str, Count] = field(default_factory=dict)
    floor: int = 0

    def add(self, key: str, example: str) -> None:
        """See one more item, and remember how the first of its kind was written."""
        known = self.counts.get(key)
        if known is not None:
            known.count += 1
            return
        self.counts[key] = Count(self.floor + 1, self.floor, example)
        if len(self.counts) > 2 * self.size:
            self._evict()

    def _evict(self) -> None:
        ranked = sorted(self.counts.items(), key=lambda entry: -entry[1].count)
        self.counts = dict(ranked[: self.size])
        self.floor = max(self.floor, ranked[self.size][1].count)

    def top(self, count: int) -> list[Count]:
        """The most frequent, by what is certain of them."""
        ranked = sorted(self.counts.values(), key=lambda c: (c.error - c.count, c.example))
        return ranked[:count]
