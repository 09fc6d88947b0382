"""Read training data: articles without labels, and documents with a label for every line."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_SHORTEST = 20  # code points of a sentence that says something


@dataclass(frozen=True, slots=True)
class Article:
    """A clean article: its title and its sentences, in order."""

    identity: str
    title: str
    sentences: tuple[str, ...]


def read_records(paths: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Every record of JSON Lines files, gzipped or not."""
    for path in paths:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8") as stream:
            for line in stream:
                if line.strip():
                    yield json.loads(line)


def read_articles(
    paths: Iterable[Path], *, split: Callable[[str], Sequence[str]]
) -> Iterator[Article]:
    """Articles of `paths` with their lines split into sentences of 20 characters or more."""
    for record in read_records(paths):
        sentences = tuple(
            sentence
            for line in record["lines"]
            for sentence in split(line)
            if len(sentence) >= _SHORTEST
        )
        yield Article(record["id"], record.get("title") or "", sentences)


def split_sentences(line: str) -> list[str]:
    """The sentences of a line, stripped."""
    import sentencex  # type: ignore[import-untyped]

    return [part.strip() for part in sentencex.segment("en", line) if part.strip()]


def site_of(record: dict[str, Any]) -> str:
    """The host that a record came from, or its source where it has no address.

    Documents of one site share their furniture, so a site is never on both sides of a split.
    """
    host = urlsplit(record.get("url") or "").hostname
    if not host:
        return str(record.get("source") or record["id"])
    labels = host.removeprefix("www.").split(".")
    # "bbc.co.uk": the last two labels are no site of their own.
    keep = 3 if len(labels) > 2 and len(labels[-2]) <= 3 else 2  # noqa: PLR2004
    return ".".join(labels[-keep:])


def fold_of(key: str, folds: int) -> int:
    """A stable number from 0 to `folds` - 1 for `key`."""
    data = key.encode("utf-8", "surrogatepass")  # JSON can hold a half of a code point
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big") % folds


def is_fixture_site(site: str) -> bool:
    """Whether the pages of `site` (see `site_of`) are kept for the fixtures: one site in nine.

    What is fitted for the package leaves these sites out, so that the floors are held on pages
    that no shipped model has seen. The rule is a hash, so it holds for sites yet to come.

    >>> is_fixture_site("glossier.com"), is_fixture_site("substack.com")
    (True, False)
    """
    return fold_of(f"fixture:{site}", 9) == 0
