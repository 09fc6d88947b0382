"""The documents that a fit learns from, out of a folder of data.

The folder holds gzipped JSON Lines, a document a line: ``news_clean``, ``news_injected``,
``news_noisy``, ``pages_wcxb``, ``pages_cleaneval`` (labelled) and ``articles_unlabelled``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cleaner.cleaning import ENCODED
from cleaner.evaluation import Host, Labelled, compose, headline_records, intruder_records
from cleaner.sites import FIFTHS, fold_of, site_of
from cleaner.training.corpora import host_of, is_fixture_site, read_records
from cleaner.training.examples import FOLDS
from cleaner.training.furniture import Headlines, furniture_records, pages_of
from cleaner.training.residue import recurring

if TYPE_CHECKING:
    from cleaner.encoders import Encoder

SUFFIX = ".jsonl.gz"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of the data to learn from.

    Attributes
    ----------
    labelled
        For each labelled set: documents at the most.
    articles
        Clean articles at the most.
    varied
        Clean articles of other sets at the most.
    mixtures
        How many times each article gets other foreign prose.
    rounds
        How many times each article gets other furniture.
    longest
        Lines of a page at the most: the few longer ones would outweigh all others.
    """

    labelled: Mapping[str, int]
    articles: int
    varied: int
    mixtures: int
    rounds: int
    longest: int = 500

    def scaled(self, share: float) -> Sizes:
        """A share of it all."""
        return replace(
            self,
            labelled={name: round(most * share) for name, most in self.labelled.items()},
            articles=round(self.articles * share),
            varied=round(self.varied * share),
        )


ALL = Sizes(
    {
        "news_injected": 1_600,
        "news_noisy": 1_500,
        "pages_wcxb": 2_800,
        "pages_cleaneval": 1_400,
    },
    articles=1_600,
    varied=4_500,
    mixtures=12,
    rounds=2,
)
# Share of the scrapes that keep their title, in tenths, as of the articles that are made: where all
# scrapes have one, a title by itself speaks for furniture, and its absence against.
_TITLED = 7
# Which fifths of the clean news teach what; the fifth behind those is the benchmark's.
OF_ENCODER, OF_DETECTOR, OF_MEMBER = (0, 1), (2, 3), (0, 1, 2, 3)
_LONGEST = 500  # lines of a clean article
_LONGEST_HOST = 120  # sentences
_EVERY = 1_000_000  # articles: more than there are


def hosts(records: Iterable[dict[str, Any]]) -> list[Host]:
    """Clean articles of eight sentences or more, to put intruders into and to take them from."""
    found = (
        host_of(
            record["id"],
            record.get("title") or "",
            record.get("topic") or "",
            record["lines"],
            site=record.get("site", ""),
        )
        for record in records
    )
    return [host for host in found if host is not None]


def labelled(data: Path, sizes: Sizes) -> list[Labelled]:
    """The labelled scrapes, as many as `sizes` allows."""
    documents = []
    for name, record, site in _scrapes(data, sizes):
        source = "/".join(filter(None, (name, record.get("view"), record.get("page_type"))))
        documents.append(compose(_some_untitled(record), site=site, source=source))
    return documents


def _scrapes(data: Path, sizes: Sizes) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The labelled records, as many as `sizes` allows: their set, themselves, and their site."""
    for name, most in sizes.labelled.items():
        for record in _records(data, name, sizes)[:most]:
            # CleanEval's pages are of nearly as many sites: each counts as one of its own.
            yield name, record, record["id"] if name == "pages_cleaneval" else site_of(record)


def _some_untitled(record: dict[str, Any]) -> dict[str, Any]:
    tenth = fold_of(f"{record['id']} {record.get('view')}", 10)
    return record if tenth < _TITLED else {**record, "title": None}


def _records(data: Path, name: str, sizes: Sizes) -> list[dict[str, Any]]:
    """Records of a set that may be learned from: articles first, and else in no order."""
    records = [
        record
        for record in read_records([data / f"{name}{SUFFIX}"])
        if len(record["lines"]) < sizes.longest and not is_fixture_site(site_of(record))
    ]
    records.sort(key=lambda r: (r.get("page_type", "article") != "article", _shuffled(r)))
    return records


def _shuffled(record: Mapping[str, Any]) -> int:
    return fold_of(record["id"], 1 << 32)


def furniture(
    data: Path, articles: Sequence[Host], encoder: Encoder, sizes: Sizes
) -> Iterator[list[Labelled]]:
    """Articles with furniture of pages and headlines of other articles put in, round by round."""
    scrapes = _scrapes(data, sizes)
    pages = pages_of((r, site) for _, r, site in scrapes if r.get("view") != "extracted")
    titles = list(dict.fromkeys(a.title.strip() for a in articles if a.title.strip()))
    headlines = Headlines(titles, encoder.encode([title[:ENCODED] for title in titles]))
    for seed in range(11, 11 + sizes.rounds):
        records = furniture_records(articles, pages, headlines, folds=FOLDS, seed=seed)
        yield [compose(record, site=record["site"], source="furniture") for record in records]


def digests(articles: Sequence[Host], count: int, *, seed: int = 5) -> list[Labelled]:
    """Pieces of many articles strung together: no topic rules them, and nothing is to go."""
    generator = np.random.default_rng(seed)
    made = []
    for number in range(count):
        lines: list[str] = []
        parts = generator.choice(len(articles), int(generator.integers(5, 12)), replace=False)
        for part in parts:
            sentences = articles[part].sentences
            at = int(generator.integers(0, max(1, len(sentences) - 6)))
            lines += sentences[at : at + int(generator.integers(2, 6))]
        record = {"id": f"digest-{number}", "lines": lines, "source": f"digest-{number}"}
        made.append(compose(record, source="digest"))
    return made


def news_articles(data: Path, *, fifths: Collection[int] = OF_DETECTOR) -> list[Host]:
    """Clean news of some fifths of the articles, by default what the encoder has not learned."""
    return hosts(
        record
        for record in read_records([data / f"news_clean{SUFFIX}"])
        if fold_of(record["id"], FIFTHS) in fifths
    )


def unlabelled(data: Path) -> Iterator[dict[str, Any]]:
    """Clean articles of many kinds, with the `site` where one is a page's; none of fixtures."""
    # The clean text of a page goes by the page's number.
    pages = {r["id"]: site_of(r) for r in read_records([data / f"pages_wcxb{SUFFIX}"])}
    for record in read_records([data / f"articles_unlabelled{SUFFIX}"]):
        identity = record["id"]
        own = identity if record["source"] == "cleaneval" else ""
        if not is_fixture_site(pages.get(identity, identity)):
            yield {**record, "site": pages.get(identity, own)}


def varied_articles(data: Path, most: int) -> list[Host]:
    """Articles of the `unlabelled` ones, to put intruders into and to take them from."""
    records = [record for record in unlabelled(data) if len(record["lines"]) < _LONGEST]
    found = [host for host in hosts(records) if len(host.sentences) < _LONGEST_HOST]
    return found[:: max(1, len(found) // most)][:most]  # of every set its share


def residue(data: Path) -> frozenset[str]:
    """Sentences that stand in several of the clean articles, none of them of the benchmark's."""
    articles = (*news_articles(data, fifths=OF_MEMBER), *varied_articles(data, _EVERY))
    return recurring(article.sentences for article in articles)


def made(articles: Sequence[Host], share: float) -> list[Labelled]:
    """Documents made of clean articles: intruders, headlines and digests."""
    headlines = headline_records(articles[: round(900 * share)], seed=3)
    return [
        *intruders(articles, 1),
        *(compose(record, source="headlines") for record in headlines),
        *digests(articles, round(120 * share)),
    ]


def intruders(articles: Sequence[Host], seed: int) -> list[Labelled]:
    """Articles with sentences of others put in."""
    return [
        compose(record, site=record["site"], source="intruders")
        for record in intruder_records(articles, seed=seed)
    ]
