"""What each part brings: refit without it, and measure on sites apart.

Run as ``python -m cleaner.training.ablation --encoder fast --data FOLDER --json OUT.json``, FOLDER
as for `cleaner.training.fit`. Left out, one at a time: each group of evidence, each data set, the
second pass, and calibration. Smaller ensembles and a share of the data keep it to minutes; so
figures are to be compared with those of the whole in the same run, and with no others.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from cleaner.encoders import load_encoder
from cleaner.evaluation import Figures, compose, figures, headline_records, intruder_records
from cleaner.evaluation.sites import fold_of
from cleaner.evaluation.tables import console, show_figures
from cleaner.evidence import Knowledge, Observed, observe, review
from cleaner.formats import AtomicFile
from cleaner.scores import sigmoid
from cleaner.training.command import TrainingCommand
from cleaner.training.corpora import read_articles, read_records
from cleaner.training.detector import (
    FOLDS,
    Example,
    boost,
    fit_wording,
    inverse_frequency,
    prepare,
)
from cleaner.training.fit import ALL, digests, fit_topic, hosts, labelled
from cleaner.words import Lexicon

if TYPE_CHECKING:
    from cleaner.topic import TopicModel

Say = Callable[[str], None]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Matrix = npt.NDArray[np.float32]
THRESHOLD = 0.8
_SUFFIX = ".jsonl.gz"
_HOSTS = 1600  # at a share of 1

# Evidence by the names of its columns. A column can be in several: the neighbour's topic is topic
# and neighbourhood. What no pattern names is form.
GROUPS: Mapping[str, str] = {
    "topic": r"topic|title_|nearest_",
    "rare words": r"rare_",
    "wording": r"wording",
    "repetition": r"^(repeated|same_opening)$",
    "position": r"^(position|from_start|from_end|words_before|blank_.*|in_line|line_size)$",
    "neighbours": r"^(previous|next|line)_|_within_|^running_text_",
    "document": r"^document_|^topic_document$",
}


def group_of(names: Sequence[str]) -> dict[str, list[int]]:
    """Indices of the columns `names` by group of evidence."""
    found = {
        group: [i for i, name in enumerate(names) if re.search(pattern, name)]
        for group, pattern in GROUPS.items()
    }
    named = {index for indices in found.values() for index in indices}
    return {"form": [i for i in range(len(names)) if i not in named], **found}


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that the variants share.

    Attributes
    ----------
    observed
        First-pass evidence of each document, wording fitted on other sites.
    names
        Of the columns of the first pass.
    labels, weights, folds, sources, lengths
        Of every fragment, shape (n,).
    """

    observed: Sequence[Observed]
    knowledge: Knowledge
    names: tuple[str, ...]
    labels: Ints
    weights: Floats
    folds: Ints
    sources: npt.NDArray[np.str_]
    lengths: Ints


def prepared(
    examples: Sequence[Example], topic: TopicModel, frequency: npt.NDArray[np.float32]
) -> Prepared:
    """Evidence of all documents, each with wording that was not fitted on its own site."""
    lexicon = Lexicon()
    apart = {
        fold: Knowledge(topic, frequency, *fit_wording([e for e in examples if e.fold != fold]))
        for fold in range(FOLDS)
    }
    observed = [
        observe(
            example.segments,
            example.vectors,
            example.title,
            knowledge=apart[example.fold],
            lexicon=lexicon,
            title=example.document.title or "",
        )
        for example in examples
    ]
    sizes = [len(example.labels) for example in examples]
    weights = np.repeat(1 / np.sqrt(np.array(sizes, dtype=np.float64)), sizes)
    return Prepared(
        observed=observed,
        knowledge=Knowledge(topic, frequency, *fit_wording(examples)),
        names=tuple(observed[0].columns),
        labels=np.concatenate([example.labels for example in examples]),
        weights=weights / weights.mean(),
        folds=np.repeat([example.fold for example in examples], sizes),
        sources=np.repeat([set_of(example) for example in examples], sizes),
        lengths=np.concatenate([e.segments.ends - e.segments.starts for e in examples]),
    )


def set_of(example: Example) -> str:
    """The data set of a document: its source up to the first stroke."""
    return example.document.source.split("/")[0]


def scores(
    parts: Prepared, *, without: str = "", leave_out: str = "", trees: tuple[int, int]
) -> tuple[Floats, Floats]:
    """Scores on sites apart, before and after calibration, 0 to 1, shape (n,).

    Parameters
    ----------
    without
        A group of evidence, or "second pass".
    leave_out
        A data set that is not learned from; it is measured all the same.
    """
    labels = np.where(parts.sources == leave_out, -1, parts.labels)
    dropped = group_of(parts.names).get(without, [])
    sizes = [len(o.weights) for o in parts.observed]
    ends = np.cumsum(sizes)[:-1]
    first = _stacked(parts.observed, dropped)
    odds = _apart(first, labels, parts, trees[0])
    if without != "second pass":
        reviewed = [
            review(o, p, knowledge=parts.knowledge)
            for o, p in zip(parts.observed, np.split(sigmoid(odds), ends), strict=True)
        ]
        names = tuple(reviewed[0].columns)
        second = _stacked(reviewed, group_of(names).get(without, []))
        odds = _apart(second, labels, parts, trees[1])
    return sigmoid(odds), _calibrated(odds, labels, parts)


def _stacked(observed: Sequence[Observed], dropped: Sequence[int]) -> Matrix:
    matrix = np.concatenate([o.matrix().astype(np.float32) for o in observed])
    matrix[:, list(dropped)] = 0.0  # a constant says nothing
    return matrix


def _apart(matrix: Matrix, labels: Ints, parts: Prepared, trees: int) -> Floats:
    odds = np.zeros(len(matrix))
    for fold in range(FOLDS):
        inside = parts.folds == fold
        model = boost(matrix[~inside], labels[~inside], parts.weights[~inside], trees=trees)
        odds[inside] = model.decision_function(matrix[inside])
    return odds


def _calibrated(odds: Floats, labels: Ints, parts: Prepared) -> Floats:
    """Platt's calibration, each fold by the others."""
    found = np.zeros(len(odds))
    for fold in range(FOLDS):
        inside = parts.folds == fold
        use = (labels >= 0) & ~inside
        platt = LogisticRegression(C=1e3)
        platt.fit(odds[use][:, None], labels[use], sample_weight=parts.weights[use])
        found[inside] = platt.predict_proba(odds[inside][:, None])[:, 1]
    return found


@dataclass(frozen=True, slots=True)
class Variant:
    """Figures of one variant: by data set, and the Brier score over all fragments."""

    name: str
    by_set: dict[str, Figures]
    brier: float

    @property
    def mean(self) -> Figures:
        """Mean of the figures over the data sets in which something is to be removed."""
        rows = [row for row in self.by_set.values() if row.average_precision is not None]
        names = Figures.__slots__
        known = {name: [v for r in rows if (v := getattr(r, name)) is not None] for name in names}
        return Figures(**{n: float(np.mean(v)) if v else None for n, v in known.items()})


def measured(name: str, parts: Prepared, found: Floats) -> Variant:
    """The figures of `found`, shape (n,), at the default threshold."""
    use = parts.labels >= 0
    by_set = {}
    for source in sorted(set(parts.sources.tolist())):
        own = parts.sources == source
        by_set[source] = figures(parts.labels[own], found[own], parts.lengths[own], THRESHOLD)
    brier = float(np.mean((found[use] - parts.labels[use]) ** 2))
    return Variant(name, by_set, brier)


def variants(parts: Prepared, *, trees: tuple[int, int], say: Say) -> list[Variant]:
    """The whole, and the whole without each part."""
    raw, whole = scores(parts, trees=trees)
    found = [measured("the whole", parts, whole), measured("without calibration", parts, raw)]
    say("the whole")
    for group in ("second pass", *group_of(parts.names)):
        found.append(
            measured(f"without {group}", parts, scores(parts, without=group, trees=trees)[1])
        )
        say(f"without {group}")
    for source in sorted(set(parts.sources.tolist())):
        _, own = scores(parts, leave_out=source, trees=trees)
        found.append(measured(f"not trained on {source}", parts, own))
        say(f"not trained on {source}")
    return found


def examples_of(data: Path, share: float, name: str, say: Say) -> Prepared:
    """Documents as for `cleaner.training.fit`, a share of them, with their evidence."""
    encoder = load_encoder(name)
    clean = [r for r in read_records([data / f"news_clean{_SUFFIX}"]) if fold_of(r["id"], 5) == 2]  # noqa: PLR2004  # a fifth that did not teach the encoder
    articles = hosts(clean)[: round(_HOSTS * share)]
    documents = [
        *(compose(record, source="intruders") for record in intruder_records(articles, seed=1)),
        *(compose(record, source="headlines") for record in headline_records(articles, seed=3)),
        *digests(articles, max(3, round(len(articles) / 13))),
        *labelled(data, ALL.scaled(share)),
    ]
    examples = prepare(documents, encoder)
    say(f"{len(examples)} documents, {sum(len(e.labels) for e in examples)} fragments")
    topic = fit_topic([article.sentences for article in articles], encoder, axes=64)
    texts = read_articles([data / f"articles_unlabelled{_SUFFIX}"], split=lambda line: [line])
    frequency = inverse_frequency([article.sentences for article in texts])
    parts = prepared(examples, topic, frequency)
    say("evidence")
    return parts


@click.command(cls=TrainingCommand)
@click.option("--encoder", "name", default="fast", show_default=True, help="As for `cleaner`.")
@click.option("--data", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--share", default=0.1, show_default=True, help="Share of the data to use.")
@click.option("--trees", nargs=2, type=int, default=(60, 100), show_default=True, help="Per pass.")
@click.option("--json", "target", type=click.Path(path_type=Path), help="Write all figures there.")
def main(name: str, data: Path, share: float, trees: tuple[int, int], target: Path | None) -> None:
    """Refit without each part and say what that costs, on sites apart."""
    started = time.perf_counter()

    def say(what: str) -> None:
        click.echo(f"{time.perf_counter() - started:6.0f} s  {what}", err=True)

    found = variants(examples_of(data, share, name, say), trees=trees, say=say)
    title = f"mean over the data sets, threshold {THRESHOLD:g}, share {share:g}"
    show_figures(title, {variant.name: variant.mean for variant in found}, console())
    for source in found[0].by_set:
        rows = {variant.name: variant.by_set[source] for variant in found}
        show_figures(source, rows, console())
    if target is not None:
        value = {
            variant.name: {
                "brier": round(variant.brier, 6),
                **{source: row.to_dict() for source, row in variant.by_set.items()},
            }
            for variant in found
        }
        with AtomicFile(target) as sink:
            sink.write(json.dumps(value, indent=2).encode() + b"\n")


if __name__ == "__main__":
    main()
