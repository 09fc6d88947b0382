"""The words of fragments as numbers: stable hashes, inverse document frequency, simple classes."""

# ruff: noqa: RUF001  # the characters are meant as they stand

from __future__ import annotations

import os
import re
import threading
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np
import numpy.typing as npt

Columns = tuple[npt.NDArray[Any], ...]

# One for all tables, so that a fork can wait for it: in a child of a process that was in the middle
# of a table nobody would ever give the lock back.
_LOCK = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release
    )

BUCKETS = 1 << 17  # hashed vocabulary of the frequency table and of the wording model
_CACHE_LIMIT = 200_000  # distinct words kept
_LETTERS = 16  # code points of a word that is kept, on average at the most
_SHORTEST_CONTENT = 3  # letters from which a word can carry content
_DIGIT = re.compile(r"\d")
_EDGE = "\"'`.,;:!?()[]{}<>«»‹›“”‘’„…*_~-–—|•·#"
_NUMBER_MULTIPLIER = np.uint32(0x9E3779B1)
_FIRST, _LAST = np.uint32(0x5BD1E995), np.uint32(0x1B873593)

# Words that carry syntax, not subject; they mark running text.
_STOP_WORDS = """
    a about after all also an and any are as at be because been before but by can could did do
    does during for from had has have he her his how if in into is it its just like may me
    might more most my no not of on one or other our out over own said she should since so
    some such than that the their them then there these they this those through to too under
    until up upon was we were what when where which while who whom whose why will with within
    without would you your i am
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())

STOP, CAPITAL, UPPER, NUMBER, CONTENT = 1, 2, 4, 8, 16


@dataclass(frozen=True, slots=True)
class Words:
    """The words of n fragments, W in all, one after the other.

    Attributes
    ----------
    keys
        uint32, shape (W,): hash of the word without case, edge punctuation and digits.
    flags
        uint8, shape (W,): sum of STOP, CAPITAL, UPPER, NUMBER, CONTENT.
    owner
        int64, shape (W,): the fragment each belongs to, 0 to n - 1, ascending.
    counts
        int64, shape (n,): words in each fragment.
    """

    keys: npt.NDArray[np.uint32]
    flags: npt.NDArray[np.uint8]
    owner: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]

    def share(self, flag: int) -> npt.NDArray[np.float64]:
        """Share of each fragment's words that carry `flag`: 0 to 1, shape (n,)."""
        carried = np.bincount(self.owner, (self.flags & flag) > 0, minlength=len(self.counts))
        return np.asarray(carried / np.maximum(self.counts, 1))

    def terms(self) -> Terms:
        """Words and pairs of neighbouring words, fragment edges counted as words."""
        n = len(self.counts)
        padded = np.full(len(self.keys) + n, _LAST, dtype=np.uint32)
        positions = np.arange(len(self.keys)) + self.owner
        padded[positions] = self.keys
        before = np.empty_like(padded)
        before[1:] = padded[:-1]
        edges = np.cumsum(self.counts) + np.arange(n)  # the closing mark of each fragment
        begins = edges - self.counts
        before[begins] = _FIRST
        return Terms(self.keys, before * _NUMBER_MULTIPLIER + padded, self.counts)


@dataclass(frozen=True, slots=True)
class Terms:
    """Words and pairs of neighbouring words of n fragments, W words in all.

    Attributes
    ----------
    words
        uint32, shape (W,): hash of each word, fragment after fragment.
    pairs
        uint32, shape (W + n,): hash of each pair; a fragment's edges count as words.
    counts
        int64, shape (n,): words in each fragment, one less than its pairs.
    """

    words: npt.NDArray[np.uint32]
    pairs: npt.NDArray[np.uint32]
    counts: npt.NDArray[np.int64]

    def buckets(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Every term hashed further, and the fragment it is of.

        Returns
        -------
        buckets, owner
            int64, shape (2 W + n,): 0 to BUCKETS - 1, and 0 to n - 1; words first, then pairs.
        """
        numbers = np.arange(len(self.counts))
        owner = [np.repeat(numbers, self.counts), np.repeat(numbers, self.counts + 1)]
        buckets = [self.words % np.uint32(BUCKETS), self.pairs >> np.uint32(15)]
        return np.concatenate(buckets).astype(np.int64), np.concatenate(owner)

    def part(self, fragments: slice) -> Terms:
        """The terms of some neighbouring fragments."""
        first = int(self.counts[: fragments.start].sum())
        counts = self.counts[fragments]
        last = first + int(counts.sum())
        pairs = self.pairs[first + fragments.start : last + fragments.start + len(counts)]
        return Terms(self.words[first:last], pairs, counts)


class _Numbers(dict[str, int]):
    """Distinct words, numbered from 0 in the order in which they are first met."""

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        return number

    def of(self, words: Sequence[str]) -> npt.NDArray[np.int64]:
        """The number of each of `words`: int64, shape (len(words),)."""
        return np.fromiter(map(self.__getitem__, words), dtype=np.int64, count=len(words))

    def since(self, count: int) -> list[str]:
        """The words numbered `count` and upward, in order."""
        return list(islice(reversed(self), len(self) - count))[::-1]

    def first(self, count: int) -> _Numbers:
        """The first `count` words alone: those met first are mostly the frequent ones."""
        return _Numbers(islice(self.items(), count))


class WordTable:
    """What is computed once for each distinct word: columns, with a row for each.

    Threads may share one: a row that was given to a caller is never written again.

    Parameters
    ----------
    compute
        The columns of n words: arrays of n rows each.
    limit
        Distinct words from which on half of them are forgotten, and before that where they are
        long: addresses, Base64.
    """

    def __init__(self, compute: Callable[[list[str]], Columns], *, limit: int) -> None:
        self._compute = compute
        self._limit = limit
        self._numbers = _Numbers()
        self._columns = compute([])
        self._filled = 0  # rows; a word that is numbered has none yet if computing it failed
        self._letters = 0

    def __len__(self) -> int:
        return len(self._numbers)

    def look_up(self, words: Sequence[str]) -> tuple[npt.NDArray[np.int64], Columns]:
        """The row of each of `words`, shape (len(words),), and the columns."""
        with _LOCK:
            if len(self._numbers) > self._limit or self._letters > _LETTERS * self._limit:
                self._forget()
            rows = self._numbers.of(words)
            if len(self._numbers) > self._filled:
                self._fill(self._numbers.since(self._filled))
            return rows, self._columns

    def _forget(self) -> None:
        self._numbers = self._numbers.first(min(len(self._numbers), self._limit) // 2)
        self._letters = sum(map(len, self._numbers))
        if self._letters > _LETTERS * self._limit:
            self._numbers, self._letters = _Numbers(), 0
        self._filled = min(self._filled, len(self._numbers))
        self._columns = tuple(column[: self._filled].copy() for column in self._columns)

    def _fill(self, new: list[str]) -> None:
        computed = self._compute(new)
        self._letters += sum(map(len, new))
        size = self._filled + len(new)
        if size > len(self._columns[0]):
            self._columns = tuple(_grown(column, size) for column in self._columns)
        for column, values in zip(self._columns, computed, strict=True):
            column[self._filled : size] = values
        self._filled = size


def _grown(column: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    """A copy of `column` with room for `size` rows and more."""
    larger = np.zeros((max(size, 2 * len(column)), *column.shape[1:]), dtype=column.dtype)
    larger[: len(column)] = column
    return larger


class Lexicon:
    """Cuts fragments into words and remembers what it computed for each distinct word."""

    def __init__(self) -> None:
        self._table = WordTable(_described, limit=_CACHE_LIMIT)

    def words(self, texts: Sequence[str]) -> Words:
        """The words of `texts`, split at white space."""
        split = [text.split() for text in texts]
        counts = np.array([len(words) for words in split], dtype=np.int64)
        rows, (keys, flags) = self._table.look_up(list(chain.from_iterable(split)))
        owner = np.repeat(np.arange(len(texts)), counts)
        return Words(keys[rows], flags[rows], owner, counts)


def _described(words: list[str]) -> Columns:
    """Hashes and flags of `words`."""
    described = np.array([_describe(word) for word in words], dtype=np.uint32).reshape(-1, 2)
    return described[:, 0].copy(), described[:, 1].astype(np.uint8)


def _describe(word: str) -> tuple[int, int]:
    """Hash and flags of one word."""
    core = word.strip(_EDGE) or word
    lowered = core.lower().replace("\u2019", "'")
    letters = core.isalpha()
    if not letters:
        lowered = _DIGIT.sub("0", lowered)
    key = zlib.crc32(lowered.encode("utf-8", "surrogatepass"))
    flags = 0
    if lowered in STOP_WORDS:
        flags |= STOP
    elif len(core) >= _SHORTEST_CONTENT and (letters or any(map(str.isalnum, core))):
        flags |= CONTENT
    if core[0].isupper():
        flags |= CAPITAL
    if len(core) > 1 and core.isupper():
        flags |= UPPER
    if "0" in lowered:
        flags |= NUMBER
    return key, flags
