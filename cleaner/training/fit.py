"""Fit a detector for an encoder from a folder of data, and say how well it does on other sites.

Run as ``python -m cleaner.training.fit --encoder fast --data FOLDER -o OUT``. FOLDER holds gzipped
JSON Lines, a document a line: ``news_clean``, ``news_injected``, ``news_noisy``, ``pages_wcxb``,
``pages_cleaneval`` (labelled) and ``articles_unlabelled``.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import click
import numpy as np

from cleaner.cleaning import ENCODED
from cleaner.command import ModuleCommand
from cleaner.detector import NETWORK, read_network
from cleaner.encoders import Encoder, load_encoder
from cleaner.evaluation import (
    Figures,
    Host,
    Labelled,
    compose,
    headline_records,
    intruder_records,
)
from cleaner.sites import fold_of, site_of
from cleaner.topic import TopicModel
from cleaner.training.corpora import (
    is_fixture_site,
    read_articles,
    read_records,
    split_sentences,
)
from cleaner.training.detector import (
    FOLDS,
    MADE,
    Example,
    Steps,
    figures_by,
    fit,
    inverse_frequency,
    prepare,
    save,
)
from cleaner.training.furniture import Headlines, furniture_records, pages_of
from cleaner.training.residue import recurring, unsaid

if TYPE_CHECKING:
    from cleaner.network import Network

_SUFFIX = ".jsonl.gz"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of the data to learn from.

    Attributes
    ----------
    labelled
        For each labelled set: documents at the most, and of one site at the most.
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

    labelled: Mapping[str, tuple[int, int]]
    articles: int
    varied: int
    mixtures: int
    rounds: int
    longest: int = 500

    def scaled(self, share: float) -> Sizes:
        """A share of it all."""
        return replace(
            self,
            labelled={
                name: (round(most * share), round(of_a_site * share))
                for name, (most, of_a_site) in self.labelled.items()
            },
            articles=round(self.articles * share),
            varied=round(self.varied * share),
        )


ALL = Sizes(
    {
        "news_injected": (1_600, 1_600),
        "news_noisy": (1_500, 1_500),
        "pages_wcxb": (2_800, 2_800),
        "pages_cleaneval": (1_400, 1_400),
    },
    articles=1_600,
    varied=4_500,
    mixtures=12,
    rounds=2,
)
RARITY, LONE = 2.4, 3.0  # see `cleaner.scores.Calibration`
# Of the clean news two fifths taught the static encoder, and the last is the benchmark's.
_FIFTHS, NEWS_FOLDS, _ALL_BUT_THE_LAST = 5, (2, 3), (0, 1, 2, 3)
_LONGEST = 500  # lines of a clean article
_SHORTEST_HOST = 8  # sentences
_LONGEST_HOST = 120  # sentences
_TOPIC_SENTENCES = 60  # of an article
_EVERY = 1_000_000  # articles: more than there are


def hosts(records: Iterable[dict[str, Any]]) -> list[Host]:
    """Clean articles of eight sentences or more, to put intruders into and to take them from."""
    made = []
    for record in records:
        pairs = [
            (sentence, number)
            for number, line in enumerate(record["lines"])
            for sentence in split_sentences(line)
        ]
        if len(pairs) >= _SHORTEST_HOST:
            made.append(
                Host(
                    record["id"],
                    record.get("title") or "",
                    record.get("topic") or "",
                    tuple(sentence for sentence, _ in pairs),
                    tuple(number for _, number in pairs),
                )
            )
    return made


def labelled(data: Path, sizes: Sizes) -> list[Labelled]:
    """The labelled scrapes, as many as `sizes` allows."""
    documents = []
    for name, (most, of_a_site) in sizes.labelled.items():
        taken: Counter[str] = Counter()
        for record in _records(data, name, sizes):
            # CleanEval's pages are of nearly as many sites: each counts as one of its own.
            site = record["id"] if name == "pages_cleaneval" else site_of(record)
            if taken.total() == most or taken[site] == of_a_site:
                continue
            taken[site] += 1
            kinds = (name, record.get("view"), record.get("page_type"))
            documents.append(compose(record, site=site, source="/".join(filter(None, kinds))))
    return documents


def _records(data: Path, name: str, sizes: Sizes) -> list[dict[str, Any]]:
    """Records of a set that may be learned from: articles first, and else in no order."""
    records = [
        record
        for record in read_records([data / f"{name}{_SUFFIX}"])
        if len(record["lines"]) < sizes.longest and not is_fixture_site(site_of(record))
    ]
    records.sort(key=lambda r: (r.get("page_type", "article") != "article", _shuffled(r)))
    return records


def _shuffled(record: Mapping[str, Any]) -> int:
    return fold_of(record["id"], 1 << 32)


def furniture(
    data: Path, articles: Sequence[Host], sites: Sequence[str], encoder: Encoder, sizes: Sizes
) -> Iterator[list[Labelled]]:
    """Articles with furniture of pages and headlines of other articles put in, round by round."""
    scrapes = [
        (record, record["id"] if name == "pages_cleaneval" else site_of(record))
        for name, (most, _) in sizes.labelled.items()
        for record in _records(data, name, sizes)[:most]
        if record.get("view") != "extracted"
    ]
    pages = pages_of(scrapes)
    titles = list(dict.fromkeys(a.title.strip() for a in articles if a.title.strip()))
    headlines = Headlines(titles, encoder.encode([title[:ENCODED] for title in titles]))
    for seed in range(11, 11 + sizes.rounds):
        records = furniture_records(articles, sites, pages, headlines, folds=FOLDS, seed=seed)
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


def news_articles(data: Path, *, folds: Collection[int] = NEWS_FOLDS) -> list[Host]:
    """Clean news of some fifths of the articles, by default what the encoder has not learned."""
    return hosts(
        record
        for record in read_records([data / f"news_clean{_SUFFIX}"])
        if fold_of(record["id"], _FIFTHS) in folds
    )


def varied_articles(data: Path, most: int) -> tuple[list[Host], list[str]]:
    """Clean articles of many kinds, and the site of each where it is a page's; none of fixtures."""
    # The clean text of a page goes by the page's number.
    pages = {r["id"]: site_of(r) for r in read_records([data / f"pages_wcxb{_SUFFIX}"])}
    records = [
        record
        for record in read_records([data / f"articles_unlabelled{_SUFFIX}"])
        if len(record["lines"]) < _LONGEST
        and not is_fixture_site(pages.get(record["id"], record["id"]))
    ]
    pages |= {r["id"]: r["id"] for r in records if r["source"] == "cleaneval"}
    found = [host for host in hosts(records) if len(host.sentences) < _LONGEST_HOST]
    found = found[:: max(1, len(found) // most)][:most]  # of every set its share
    return found, [pages.get(host.identity, "") for host in found]


def residue(data: Path) -> frozenset[str]:
    """Sentences that stand in several of the clean articles, none of them of the benchmark's."""
    varied, _ = varied_articles(data, _EVERY)
    articles = (*news_articles(data, folds=_ALL_BUT_THE_LAST), *varied)
    return recurring(article.sentences for article in articles)


def made(articles: Sequence[Host], share: float) -> list[Labelled]:
    """Documents made of clean articles: intruders, headlines and digests."""
    headlines = headline_records(articles[: round(900 * share)], seed=3)
    return [
        *intruders(articles, [""] * len(articles), 1),
        *(compose(record, source="headlines") for record in headlines),
        *digests(articles, round(120 * share)),
    ]


def intruders(articles: Sequence[Host], sites: Sequence[str], seed: int) -> list[Labelled]:
    """Articles with sentences of others put in; `sites` are theirs, where that matters."""
    known = {article.identity: site for article, site in zip(articles, sites, strict=False)}
    return [
        compose(record, site=known[record["id"]], source="intruders")
        for record in intruder_records(articles, seed=seed)
    ]


def fit_topic(articles: Iterable[Sequence[str]], encoder: Encoder, *, axes: int) -> TopicModel:
    """The two-covariance model of `encoder` on the sentences of `articles`."""
    vectors, numbers = [], []
    for number, sentences in enumerate(articles):
        own = encoder.encode([s[:ENCODED] for s in sentences[:_TOPIC_SENTENCES]])
        own = own[np.linalg.norm(own, axis=1) > 0]
        vectors.append(own)
        numbers.append(np.full(len(own), number))
    _, compact = np.unique(np.concatenate(numbers), return_inverse=True)
    return TopicModel.fit(np.concatenate(vectors), compact.astype(np.int64), axes=axes)


@click.command(cls=ModuleCommand)
@click.option("--encoder", "name", default="fast", show_default=True, help="As for `cleaner`.")
@click.option("--data", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path))
@click.option("--share", default=1.0, show_default=True, help="Share of the data to use.")
@click.option("--axes", default=64, show_default=True, help="Axes of the topic model.")
@click.option(
    "--foreign-steps",
    type=(int, int),
    default=(5_000, 18_000),
    show_default=True,
    help="Batches that the networks for foreign prose learn from: of the folds, and the last one.",
)
@click.option(
    "--furniture-steps",
    type=(int, int),
    default=(4_000, 8_000),
    show_default=True,
    help="The same of the networks for furniture.",
)
@click.option(
    "--rarity",
    default=RARITY,
    show_default=True,
    help="By how much foreign prose is rarer in the world than in the made articles, of which seven"
    " in ten have some, in log-odds; 2.4: one in six has some.",
)
@click.option(
    "--lone",
    default=LONE,
    show_default=True,
    help="By how much furniture that is not sure to be some is rarer, in log-odds, in a document "
    "that holds no other.",
)
@click.option(
    "--foreign-network",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"{NETWORK} of an earlier fit, to keep; only those of the folds are fitted.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Networks, or lots of trees, that learn at a time.",
)
@click.option("--threshold", default=0.5, show_default=True, help="Default threshold to store.")
def main(  # noqa: PLR0913, PLR0917  # one for each option
    name: str,
    data: Path,
    output: Path,
    share: float,
    axes: int,
    foreign_steps: tuple[int, int],
    furniture_steps: tuple[int, int],
    rarity: float,
    lone: float,
    foreign_network: Path | None,
    jobs: int,
    threshold: float,
) -> None:
    """Fit a detector for an encoder and write its folder."""
    started = time.perf_counter()

    def say(what: str) -> None:
        click.echo(f"{time.perf_counter() - started:6.0f} s  {what}", err=True)

    encoder = load_encoder(name)
    kept = _kept(foreign_network)
    sizes = ALL.scaled(share)
    articles = news_articles(data)[: sizes.articles]
    varied, sites = varied_articles(data, sizes.varied)
    topic = fit_topic([a.sentences for a in (*articles, *varied[::3])], encoder, axes=axes)
    words = read_articles([data / f"articles_unlabelled{_SUFFIX}"], split=lambda line: [line])
    frequency = inverse_frequency([a.sentences for a in words])
    clean, sites = [*articles, *varied], [*[""] * len(articles), *sites]
    documents = labelled(data, sizes) + made(articles, share) + intruders(clean, sites, 99)
    left = residue(data)

    def prepared(lot: Sequence[Labelled]) -> list[Example]:
        return unsaid(prepare(lot, encoder), left, MADE)

    examples = prepared(documents)
    say(f"{len(examples)} documents; {len(left)} sentences recur in clean articles")
    mixtures = range(4, 4 + sizes.mixtures)
    put_in = furniture(data, clean, sites, encoder, sizes)
    fitted = fit(
        examples,
        topic,
        frequency,
        steps=Steps(foreign_steps, furniture_steps),
        jobs=jobs,
        rarity=rarity,
        lone=lone,
        foreign=(prepared(intruders(clean, sites, seed)) for seed in mixtures),
        furnished=map(prepared, put_in),
        kept=kept,
        say=say,
    )
    found = figures_by(examples, fitted.scores, threshold, lambda document: document.source)
    for source, row in found.items():
        click.echo(f"{source:32s} {row}")
    save(
        fitted,
        output,
        _manifest(name, (foreign_steps, furniture_steps), sizes, threshold, found)
        | ({} if kept is None else {"kept": {NETWORK: "of an earlier fit"}}),
        threshold=threshold,
        encoder=encoder,
    )
    say(f"written to {output}")


def _kept(path: Path | None) -> Network | None:
    """The network for foreign prose in a file; of that for furniture it knows by its words."""
    if path is None:
        return None
    try:
        network = read_network(path)
    except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise click.BadParameter(f"{path} holds no network ({error})") from error
    if network is None or len(network.phrases.known):
        raise click.BadParameter(f"{path} is no network for foreign prose: give a {NETWORK}")
    return network


def _manifest(
    name: str,
    steps: tuple[tuple[int, int], tuple[int, int]],
    sizes: Sizes,
    threshold: float,
    found: Mapping[str, Figures],
) -> dict[str, Any]:
    return {
        "encoder": name,
        "licence": "Apache-2.0",
        "made_by": "python -m cleaner.training.fit",
        "foreign_steps": list(steps[0]),
        "furniture_steps": list(steps[1]),
        "sizes": asdict(sizes),
        "data": sorted([*sizes.labelled, "news_clean", "articles_unlabelled"]),
        "origins": [
            "ramybaly/Article-Bias-Prediction (Apache-2.0)",
            "Murrough-Foley/web-content-extraction-benchmark (CC BY 4.0)",
            "CleanEval, through j-szulc/html-cleaning-dataset-merged",
        ],
        f"held_out_figures_at_{threshold}": {
            source: row.to_dict() for source, row in found.items()
        },
    }


if __name__ == "__main__":
    main()
