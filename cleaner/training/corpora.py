"""Read training data: articles without labels, and documents with a label for every line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cleaner.evaluation import Host
from cleaner.evaluation.reader import read_lines
from cleaner.sites import fold_of

_SHORTEST = 20  # code points of a sentence that says something
_SHORTEST_HOST = 8  # sentences


@dataclass(frozen=True, slots=True)
class Article:
    """A clean article: its title and its sentences, in order."""

    identity: str
    title: str
    sentences: tuple[str, ...]


def read_records(paths: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Every record of JSON Lines files, compressed or not.

    Raises
    ------
    InputError
        If a file cannot be read, or a line is no JSON object.
    """
    for path in paths:
        for _, record in read_lines(path):
            yield record


def articles_of(
    records: Iterable[Mapping[str, Any]], *, split: Callable[[str], Sequence[str]]
) -> Iterator[Article]:
    """Articles with their lines split into sentences of 20 characters or more."""
    for record in records:
        sentences = tuple(
            sentence
            for line in record["lines"]
            for sentence in split(line)
            if len(sentence) >= _SHORTEST
        )
        yield Article(record["id"], record.get("title") or "", sentences)


def split_sentences(line: str, *, language: str = "en") -> list[str]:
    """The sentences of a line, stripped."""
    import sentencex  # type: ignore[import-untyped]

    return [part.strip() for part in sentencex.segment(language, line) if part.strip()]


def host_of(
    identity: str,
    title: str,
    subject: str,
    lines: Iterable[str],
    *,
    language: str = "en",
    site: str = "",
) -> Host | None:
    """A clean article as host and donor of intruders; None where it is too short for either."""
    pairs = [
        (sentence, number)
        for number, line in enumerate(lines)
        for sentence in split_sentences(line, language=language)
    ]
    if len(pairs) < _SHORTEST_HOST:
        return None
    sentences, paragraphs = zip(*pairs, strict=True)
    return Host(identity, title, subject, sentences, paragraphs, site or identity)


def is_fixture_site(site: str) -> bool:
    """Whether the pages of `site` (see `site_of`) are kept for the fixtures: one site in nine.

    What is fitted for the package leaves out the pages of these sites, on which the floors are
    held, and their clean text. The rule is a hash, so it holds for sites yet to come.

    >>> is_fixture_site("glossier.com"), is_fixture_site("substack.com")
    (True, False)
    """
    return fold_of(f"fixture:{site}", 9) == 0
