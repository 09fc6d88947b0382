"""Fit a detector for an encoder from a folder of data, and say how well it does on other sites.

Run as ``python -m cleaner.training.fit --encoder fast --data FOLDER -o OUT``. FOLDER holds gzipped
JSON Lines, a document a line: ``news_clean``, ``news_injected``, ``news_noisy``, ``pages_wcxb``,
``pages_cleaneval`` (labelled) and ``articles_unlabelled``.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from cleaner.cleaning import ENCODED
from cleaner.encoders import Encoder, load_encoder
from cleaner.encoders.joint import JointEncoder
from cleaner.encoders.transformer import TransformerEncoder
from cleaner.evaluation import (
    Figures,
    Host,
    Labelled,
    compose,
    figures,
    headline_records,
    intruder_records,
)
from cleaner.topic import TopicModel
from cleaner.training.cache import CachedEncoder
from cleaner.training.corpora import (
    fold_of,
    is_fixture_site,
    read_articles,
    read_records,
    site_of,
    split_sentences,
)
from cleaner.training.detector import (
    Example,
    fit,
    inverse_frequency,
    prepare,
    save,
)

_SUFFIX = ".jsonl.gz"
_LABELLED = {"news_injected": 1600, "news_noisy": 1445, "pages_wcxb": 1000, "pages_cleaneval": 350}
_LONGEST = 500  # lines; the few longer pages would outweigh all others
_SHORTEST_HOST = 8  # sentences
_LONGEST_HOST = 120  # sentences
_TOPIC_SENTENCES = 60  # of an article


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


Chosen = frozenset[tuple[str, str, str]] | None


def _is_chosen(chosen: Chosen, name: str, record: dict[str, Any]) -> bool:
    return chosen is None or (name, record["id"], record.get("view") or "") in chosen


def labelled(data: Path, share: float, chosen: Chosen) -> list[Labelled]:
    """The labelled scrapes, at most `share` of each set's cap, of those in `chosen`."""
    documents = []
    for name, most in _LABELLED.items():
        records = [
            r
            for r in read_records([data / f"{name}{_SUFFIX}"])
            if len(r["lines"]) < _LONGEST
            and _is_chosen(chosen, name, r)
            and not is_fixture_site(site_of(r))
        ]
        records.sort(key=lambda record: fold_of(record["id"], 1 << 32))
        for record in records[: round(most * share)]:
            # CleanEval's pages carry no address: each counts as a site of its own.
            site = record["id"] if name == "pages_cleaneval" else site_of(record)
            kinds = (name, record.get("view"), record.get("page_type"))
            documents.append(compose(record, site=site, source="/".join(filter(None, kinds))))
    return documents


def digests(articles: Sequence[Host], count: int) -> list[Labelled]:
    """Pieces of many articles strung together: no topic rules them, and nothing is to go."""
    generator = np.random.default_rng(5)
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


def for_network(
    data: Path, articles: Sequence[Host], share: float, *, slow: bool
) -> list[Labelled]:
    """More documents with intruders: the same articles again, and, unless `slow`, more articles."""
    documents = [
        compose(record, source="intruders")
        for seed in (4, 5, 6)
        for record in intruder_records(articles, seed=seed)
    ]
    if slow:
        return documents
    # The clean text of a page goes by the page's number: what is kept for the fixtures stays out.
    sites = {r["id"]: site_of(r) for r in read_records([data / f"pages_wcxb{_SUFFIX}"])}
    unlabelled = [
        record
        for record in read_records([data / f"articles_unlabelled{_SUFFIX}"])
        if len(record["lines"]) < _LONGEST
        and not is_fixture_site(sites.get(record["id"], record["id"]))
    ]
    others = [host for host in hosts(unlabelled) if len(host.sentences) < _LONGEST_HOST]
    others = others[: round(len(others) * share)]
    records = [*intruder_records(others, seed=7), *intruder_records(others, seed=8)]
    return documents + [
        compose(record, site=sites.get(record["id"], ""), source="intruders") for record in records
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


def report(
    examples: Sequence[Example], scores: Sequence[npt.NDArray[np.float64]], threshold: float
) -> dict[str, Figures]:
    """Figures by set, on documents of sites that the scoring model did not see."""
    groups: dict[str, list[int]] = defaultdict(list)
    for index, example in enumerate(examples):
        groups[example.document.source].append(index)
    return {
        source: figures(
            np.concatenate([examples[i].labels for i in indices]),
            np.concatenate([scores[i] for i in indices]),
            np.concatenate(
                [examples[i].segments.ends - examples[i].segments.starts for i in indices]
            ),
            threshold,
        )
        for source, indices in sorted(groups.items())
    }


@click.command()
@click.option("--encoder", "name", default="fast", show_default=True, help="As for `cleaner`.")
@click.option("--data", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path))
@click.option("--share", default=1.0, show_default=True, help="Share of the data to use.")
@click.option(
    "--only",
    type=click.Path(exists=True, path_type=Path),
    help="JSON list of [set, id, view]: use these documents alone.",
)
@click.option(
    "--vectors",
    type=click.Path(exists=True, path_type=Path),
    help="Folder of vectors of the transformer that were kept.",
)
@click.option("--axes", default=64, show_default=True, help="Axes of the topic model.")
@click.option(
    "--steps",
    type=(int, int),
    default=(2_600, 8_000),
    show_default=True,
    help="Batches that the networks of the folds learn from, and the one that is kept.",
)
@click.option("--threshold", default=0.8, show_default=True, help="Default threshold to store.")
def main(  # noqa: PLR0913, PLR0917  # one for each option
    name: str,
    data: Path,
    output: Path,
    share: float,
    only: Path | None,
    vectors: Path | None,
    axes: int,
    steps: tuple[int, int],
    threshold: float,
) -> None:
    """Fit a detector for an encoder and write its folder."""
    started = time.perf_counter()

    def say(what: str) -> None:
        click.echo(f"{time.perf_counter() - started:6.0f} s  {what}", err=True)

    encoder = load_encoder(name)
    if vectors is not None:
        slow = CachedEncoder(TransformerEncoder.accurate(), vectors)
        encoder = JointEncoder((slow, load_encoder("fast")), name=name)
    chosen: Chosen = None
    if only is not None:
        chosen = frozenset((s, i, v) for s, i, v in json.loads(only.read_text(encoding="utf-8")))
    # Two fifths of the clean articles taught the static encoder, one fifth is for the benchmark.
    clean = [
        record
        for record in read_records([data / f"news_clean{_SUFFIX}"])
        if fold_of(record["id"], 5) in (2, 3) and _is_chosen(chosen, "news_clean", record)
    ]
    articles = hosts(clean)[: round(1600 * share)]
    documents = [
        compose(record, source="intruders")
        for seed in (1, 2)
        for record in intruder_records(articles, seed=seed)
    ]
    documents += [
        compose(record, source="headlines") for record in headline_records(articles[:900], seed=3)
    ]
    documents += digests(articles, round(120 * share))
    documents += labelled(data, share, chosen)
    say(f"{len(documents)} documents")
    examples = prepare(documents, encoder)
    say(f"{sum(len(e.labels) for e in examples)} fragments encoded")
    unlabelled = [data / f"articles_unlabelled{_SUFFIX}"]
    varied = []
    if vectors is None:  # a slow encoder makes do with the articles it has encoded anyway
        more = read_articles(unlabelled, split=split_sentences)
        varied = [a.sentences for a in more if fold_of(a.identity, 3) == 0]
    topic = fit_topic([*(a.sentences for a in articles), *varied], encoder, axes=axes)
    words = read_articles(unlabelled, split=lambda line: [line])
    frequency = inverse_frequency([a.sentences for a in words])
    repeated = prepare(for_network(data, articles, share, slow=vectors is not None), encoder)
    say(f"{len(repeated)} more documents for the network")
    fitted = fit(examples, topic, frequency, network_steps=steps, more=repeated, say=say)
    found = report(examples, fitted.held_out, threshold)
    for source, row in found.items():
        click.echo(f"{source:32s} {row}")
    manifest = {
        "encoder": name,
        "licence": "Apache-2.0",
        "made_by": "python -m cleaner.training.fit",
        "network_steps": list(steps),
        "data": sorted([*_LABELLED, "news_clean", "articles_unlabelled"]),
        "origins": [
            "ramybaly/Article-Bias-Prediction (Apache-2.0)",
            "Murrough-Foley/web-content-extraction-benchmark (CC BY 4.0)",
            "CleanEval, through j-szulc/html-cleaning-dataset-merged",
        ],
        f"held_out_figures_at_{threshold}": {
            source: row.to_dict() for source, row in found.items()
        },
    }
    save(fitted, output, manifest, threshold=threshold)
    say(f"written to {output}")


if __name__ == "__main__":
    main()
