"""Documents made of clean articles: with what others say put in, with headlines, and digests.

They are made from pools: what a document is made of is of one pool as a whole. Where the pools are
folds, a model that did not learn from a document's site has not seen its parts either.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np

from cleaner.evaluation import Host, Labelled, compose, headline_records, intruder_records
from cleaner.sites import fold_of
from cleaner.training.examples import FOLDS

_HEADLINED, _DIGESTS = 900, 120  # documents at the most
_PARTS = (5, 12)  # articles of a digest
Pools = Sequence[Sequence[Host]]


class _OfSite(Protocol):
    @property
    def site(self) -> str: ...


_Piece = TypeVar("_Piece", bound=_OfSite)


def by_fold(pieces: Sequence[_Piece]) -> list[list[_Piece]]:
    """For each fold the pieces of its sites."""
    folds: list[list[_Piece]] = [[] for _ in range(FOLDS)]
    for piece in pieces:
        folds[fold_of(piece.site, FOLDS)].append(piece)
    return folds


def made(articles: Sequence[Host], share: float) -> list[Labelled]:
    """What a detector learns from beside scrapes, but for furniture put in: a share of it."""
    return [
        *intruders(by_fold(articles), 1),
        *headlined(by_fold(articles[: round(_HEADLINED * share)]), 3),
        *digests(by_fold(articles), round(_DIGESTS * share)),
    ]


def intruders(pools: Pools, seed: int) -> list[Labelled]:
    """Articles with sentences of others put in."""
    return [
        compose(record, site=record["site"], source="intruders")
        for own in pools
        for record in intruder_records(own, seed=seed)
    ]


def headlined(pools: Pools, seed: int, *, leads: Sequence[str] | None = None) -> list[Labelled]:
    """Articles with headlines of others put in; `leads` as for `headline_records`."""
    return [
        compose(record, site=record["site"], source="headlines")
        for own in pools
        for record in headline_records(own, seed=seed, leads=leads)
    ]


def digests(pools: Pools, count: int, *, seed: int = 5) -> list[Labelled]:
    """Pieces of many articles strung together: no topic rules them, and nothing is to go.

    There are none where no pool has articles enough for one.
    """
    generator = np.random.default_rng(seed)
    large = [pool for pool in pools if len(pool) >= _PARTS[1]]
    return [
        _digest(large[number % len(large)], f"digest-{number}", generator)
        for number in range(count if large else 0)
    ]


def _digest(articles: Sequence[Host], identity: str, generator: np.random.Generator) -> Labelled:
    lines: list[str] = []
    parts = generator.choice(len(articles), int(generator.integers(*_PARTS)), replace=False)
    for part in parts:
        sentences = articles[part].sentences
        at = int(generator.integers(0, max(1, len(sentences) - 6)))
        lines += sentences[at : at + int(generator.integers(2, 6))]
    record = {"id": identity, "lines": lines}
    return compose(record, site=articles[parts[0]].site, source="digest")
