"""The intruder benchmark: sentences of other articles put into clean ones, found or not.

Run as ``python -m cleaner.benchmark --encoder fast ARTICLES...``; ARTICLES are JSON Lines of
clean articles as for `cleaner train`: ``id``, ``title``, ``lines`` and, if known, ``topic``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
import numpy as np

from cleaner.cleaning import Cleaner
from cleaner.command import ModuleCommand
from cleaner.document import Document
from cleaner.errors import InputError
from cleaner.evaluation import (
    PASSAGE,
    Figures,
    Host,
    Labelled,
    box_records,
    compose,
    figures,
    intruder_records,
    removed_share,
)
from cleaner.evaluation.reader import read_lines
from cleaner.sites import FIFTHS, fold_of
from cleaner.training.sources import article_of, hosts_of

if TYPE_CHECKING:
    from cleaner.results import CleanResult

_GONE = 0.5  # share of a fragment from which it counts as removed
_TEST_FOLD = 4  # of the fifths; neither encoder nor detector was trained on it


def measure(documents: Sequence[Labelled], results: Sequence[CleanResult]) -> Figures:
    """Figures over the labelled spans: the highest score in a span, and what was removed of it."""
    labels = np.concatenate([np.array(d.labels) for d in documents])
    lengths = np.concatenate([[s.end - s.start for s in d.spans] for d in documents])
    scores = np.concatenate([_span_scores(d, r) for d, r in zip(documents, results, strict=True)])
    gone = np.concatenate(
        [removed_share(r, d.spans) for d, r in zip(documents, results, strict=True)]
    )
    ranked = figures(labels, scores, lengths, 1.1)
    decided = figures(labels, (gone >= _GONE).astype(np.float64), lengths, _GONE)
    return Figures(
        average_precision=ranked.average_precision,
        precision=decided.precision,
        recall=decided.recall,
        f1=decided.f1,
        lost=decided.lost,
        left=decided.left,
    )


def _span_scores(document: Labelled, result: CleanResult) -> np.ndarray:
    starts = np.array([span.start for span in document.spans])
    scores = np.zeros(len(starts))
    for fragment in result.fragments:
        owner = int(np.searchsorted(starts, fragment.start, side="right")) - 1
        scores[owner] = max(scores[owner], fragment.score)
    return scores


@click.command(cls=ModuleCommand)
@click.option("--encoder", default="fast", show_default=True, help="As for `cleaner`.")
@click.option("--threshold", type=float, help="Default: the detector's own.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many articles.")
@click.option("--all-articles", is_flag=True, help="Not only the fifth kept apart from training.")
@click.argument("articles", nargs=-1, required=True, type=click.Path(readable=False))
def main(
    encoder: str,
    threshold: float | None,
    limit: int | None,
    all_articles: bool,
    articles: tuple[str, ...],
) -> None:
    """Put intruders into clean ARTICLES and say how many are found."""
    cleaner = Cleaner(encoder=encoder, threshold=threshold)
    own = _hosts(articles, all_articles=all_articles)[:limit]
    documents = [compose(record, source=record["kind"]) for record in intruder_records(own, seed=9)]
    results = _results(cleaner, documents)
    groups: dict[str, list[int]] = defaultdict(list)
    for index, document in enumerate(documents):
        groups[document.source].append(index)
    click.echo(f"{len(documents)} documents, threshold {cleaner.threshold}")
    for kind, indices in (("all", range(len(documents))), *sorted(groups.items())):
        row = measure([documents[i] for i in indices], [results[i] for i in indices])
        click.echo(f"{kind:12s} {row}")
    clean = [i for i in groups["clean"] for _ in documents[i].spans]
    gone = sum(
        int((removed_share(results[i], documents[i].spans) >= _GONE).sum()) for i in groups["clean"]
    )
    click.echo(f"clean documents: {gone} of {len(clean)} sentences removed")
    passages = intruder_records(own, seed=7, kinds=[PASSAGE])
    for what, records in (
        ("a fact box on another subject", box_records(own, seed=7)),
        ("a passage of another article", (r for r in passages if r["kind"] == PASSAGE)),
    ):
        if made := [compose(record, source=record["kind"]) for record in records]:
            row = measure(made, _results(cleaner, made))
            click.echo(f"{what}, in {len(made)} documents\n{'':12s} {row}")


def _hosts(names: Sequence[str], *, all_articles: bool) -> list[Host]:
    read = [article_of(r, place=place) for name in names for place, r in read_lines(name)]
    own = [a for a in read if all_articles or fold_of(a.identity, FIFTHS) == _TEST_FOLD]
    found = hosts_of(own, language="en")
    if not found:
        raise InputError(
            f"of {len(own)} articles none has eight sentences or more",
            next_step="give more articles, or take those of all folds with --all-articles",
        )
    return found


def _results(cleaner: Cleaner, documents: Sequence[Labelled]) -> list[CleanResult]:
    return list(cleaner.clean_many(Document(d.text, title=d.title) for d in documents))


if __name__ == "__main__":
    main()
