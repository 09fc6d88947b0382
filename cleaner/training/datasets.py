"""The documents that a fit learns from, out of a folder of data.

The folder holds gzipped JSON Lines, a document a line: ``news_clean``, ``news_injected``,
``news_noisy``, ``pages_wcxb``, ``pages_cleaneval`` (labelled) and ``articles_unlabelled``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleaner.cleaning import ENCODED
from cleaner.evaluation import Host, Labelled, compose
from cleaner.sites import FIFTHS, fold_of, site_of
from cleaner.training.corpora import host_of, is_fixture_site, read_records
from cleaner.training.furniture import Headlines, furniture_records, pages_of
from cleaner.training.made import by_fold
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
_SENTENCE = 15  # words; a longer line is a paragraph
# Which fifths of the clean news teach what; the fifth behind those is the benchmark's.
OF_ENCODER, OF_DETECTOR, OF_MEMBER = (0, 1), (2, 3), (0, 1, 2, 3)
_NEWS = ("news_clean", "news_injected", "news_noisy")
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
    if tenth < _TITLED:
        return record
    return {**record, "title": None, "labels": _headline_kept(record)}


def _headline_kept(record: Mapping[str, Any]) -> list[int]:
    """The labels, but the headline belongs to its article.

    Gold texts of pages begin below the headline as often as with it, and what calls it furniture
    now and then teaches that whatever stands below a menu is some. Of the lines that are the title,
    the last one before the first paragraph is the headline; of the others nothing is said.
    """
    lines, labels = record["lines"], list(record["labels"])
    title = _words(record.get("title") or "")
    same = [at for at, line in enumerate(lines) if title and _words(line) == title]
    body = next(
        (
            at
            for at, line in enumerate(lines)
            if labels[at] == 0 and at not in same and len(line.split()) > _SENTENCE
        ),
        len(lines),
    )
    headline = max((at for at in same if at < body), default=None)
    for at in same:
        labels[at] = 0 if at == headline else -1
    return labels


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


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
    data: Path, articles: Sequence[Host], encoder: Encoder, sizes: Sizes, **options: Any
) -> Iterator[list[Labelled]]:
    """Articles with furniture of pages and headlines of other articles put in, round by round.

    `options` are those of `cleaner.training.furniture.furniture_records`.
    """
    scrapes = _scrapes(data, sizes)
    pages = pages_of((r, site) for _, r, site in scrapes if r.get("view") != "extracted")
    lots = [
        (own, _headlines(own, encoder), beside)
        for own, beside in zip(by_fold(articles), by_fold(pages), strict=True)
        if own and beside
    ]
    for seed in range(11, 11 + sizes.rounds):
        yield [
            compose(record, site=record["site"], source="furniture")
            for own, headlines, beside in lots
            for record in furniture_records(own, beside, headlines, seed=seed, **options)
        ]


def _headlines(articles: Sequence[Host], encoder: Encoder) -> Headlines:
    titles = list(dict.fromkeys(a.title.strip() for a in articles if a.title.strip()))
    return Headlines(titles, encoder.encode([title[:ENCODED] for title in titles]))


def news(data: Path, fifths: Collection[int]) -> Iterator[dict[str, Any]]:
    """Clean news of some fifths of the articles, each with its `site`."""
    for record in read_records([data / f"news_clean{SUFFIX}"]):
        if fold_of(record["id"], FIFTHS) in fifths:
            yield {**record, "site": site_of(record)}


def news_articles(data: Path, fifths: Collection[int]) -> list[Host]:
    """Articles of the `news`, to put intruders into and to take them from."""
    return hosts(news(data, fifths))


def unlabelled(data: Path) -> Iterator[dict[str, Any]]:
    """Clean articles of many kinds, each with its `site`; none of fixtures."""
    # The clean text of a page goes by the page's number, and news by who publishes it.
    pages = {r["id"]: site_of(r) for r in read_records([data / f"pages_wcxb{SUFFIX}"])}
    publishers = _publishers(data)
    for record in read_records([data / f"articles_unlabelled{SUFFIX}"]):
        identity = record["id"]
        site = pages.get(identity) or publishers.get(record["source"], identity)
        if not is_fixture_site(pages.get(identity, identity)):
            yield {**record, "site": site}


def _publishers(data: Path) -> dict[str, str]:
    """Of each source of news the site that most of its articles are of."""
    sites: dict[str, Counter[str]] = {}
    for record in read_records(data / f"{name}{SUFFIX}" for name in _NEWS):
        sites.setdefault(record["source"], Counter())[site_of(record)] += 1
    return {source: counted.most_common(1)[0][0] for source, counted in sites.items()}


def varied_articles(data: Path, most: int) -> list[Host]:
    """Articles of the `unlabelled` ones, to put intruders into and to take them from."""
    if not most:
        return []
    records = [record for record in unlabelled(data) if len(record["lines"]) < _LONGEST]
    found = [host for host in hosts(records) if len(host.sentences) < _LONGEST_HOST]
    return found[:: max(1, len(found) // most)][:most]  # of every set its share


def residue(data: Path) -> frozenset[str]:
    """Sentences that stand in several of the clean articles, none of them of the benchmark's."""
    articles = (*news_articles(data, OF_MEMBER), *varied_articles(data, _EVERY))
    return recurring(article.sentences for article in articles)
