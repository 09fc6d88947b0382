"""The words of fragments as numbers: stable hashes, inverse document frequency, simple classes."""

# ruff: noqa: RUF001  # the characters are meant as they stand

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BUCKETS = 1 << 17  # hashed vocabulary of the frequency table and of the wording model
_CACHE_LIMIT = 200_000  # distinct words kept
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

    def terms(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Hashed words and pairs of neighbouring words, fragment edges counted as words.

        Returns
        -------
        buckets, owner
            int64, shape (2 W + n,): 0 to BUCKETS - 1, and the fragment each term is of.
        """
        n = len(self.counts)
        padded = np.full(len(self.keys) + n, _LAST, dtype=np.uint32)
        positions = np.arange(len(self.keys)) + self.owner
        padded[positions] = self.keys
        before = np.empty_like(padded)
        before[1:] = padded[:-1]
        edges = np.cumsum(self.counts) + np.arange(n)  # the closing mark of each fragment
        begins = edges - self.counts
        before[begins] = _FIRST
        pairs = (before * _NUMBER_MULTIPLIER + padded) >> np.uint32(15)
        owner = np.repeat(np.arange(n), self.counts + 1)
        buckets = np.concatenate([self.keys % np.uint32(BUCKETS), pairs]).astype(np.int64)
        return buckets, np.concatenate([self.owner, owner])


class Lexicon:
    """Cuts fragments into words and remembers what it computed for each distinct word."""

    def __init__(self) -> None:
        self._cache: dict[str, int] = {}
        self._keys: npt.NDArray[np.uint32] = np.zeros(1024, dtype=np.uint32)
        self._flags: npt.NDArray[np.uint8] = np.zeros(1024, dtype=np.uint8)

    def words(self, texts: Sequence[str]) -> Words:
        """The words of `texts`, split at white space."""
        split = [text.split() for text in texts]
        counts = np.array([len(words) for words in split], dtype=np.int64)
        rows = self._rows([word for words in split for word in words])
        owner = np.repeat(np.arange(len(texts)), counts)
        return Words(self._keys[rows], self._flags[rows], owner, counts)

    def _rows(self, words: list[str]) -> npt.NDArray[np.int64]:
        if len(self._cache) > _CACHE_LIMIT:
            self._forget()
        cache = self._cache
        rows = list(map(cache.get, words))
        if None in rows:
            new = dict.fromkeys(w for w, row in zip(words, rows, strict=True) if row is None)
            self._learn(list(new))
            rows = list(map(cache.get, words))
        return np.array(rows, dtype=np.int64)

    def _learn(self, new: list[str]) -> None:
        at = len(self._cache)
        described = [_describe(word) for word in new]
        keys = np.array([key for key, _ in described], dtype=np.uint32)
        flags = np.array([flag for _, flag in described], dtype=np.uint8)
        self._reserve(at + len(new))
        self._keys[at : at + len(new)] = keys
        self._flags[at : at + len(new)] = flags
        self._cache.update(zip(new, range(at, at + len(new)), strict=True))

    def _reserve(self, size: int) -> None:
        if size > len(self._keys):
            capacity = max(size, 2 * len(self._keys))
            more = capacity - len(self._keys)
            self._keys = np.concatenate([self._keys, np.zeros(more, np.uint32)])
            self._flags = np.concatenate([self._flags, np.zeros(more, np.uint8)])

    def _forget(self) -> None:
        self._cache = {}
        self._keys = np.zeros(1024, dtype=np.uint32)
        self._flags = np.zeros(1024, dtype=np.uint8)


def _describe(word: str) -> tuple[int, int]:
    """Hash and flags of one word."""
    core = word.strip(_EDGE) or word
    lowered = _DIGIT.sub("0", core.lower().replace("\u2019", "'"))
    key = zlib.crc32(lowered.encode("utf-8", "surrogatepass"))
    flags = 0
    if lowered in STOP_WORDS:
        flags |= STOP
    elif len(core) >= _SHORTEST_CONTENT and any(map(str.isalnum, core)):
        flags |= CONTENT
    if core[0].isupper():
        flags |= CAPITAL
    if len(core) > 1 and core.isupper():
        flags |= UPPER
    if "0" in lowered:
        flags |= NUMBER
    return key, flags
