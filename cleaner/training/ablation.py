"""What each part brings: refit without it, and measure on sites apart.

Run as ``python -m cleaner.training.ablation --data FOLDER --json OUT.json``, FOLDER as for
`cleaner.training.fit`. Left out, one at a time: each group of evidence, the networks, the second
pass, calibration, and each data set. A share of the data, fewer trees and fewer batches keep it to
an hour; so figures are to be compared with those of the whole in the same run, and with no others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
import numpy.typing as npt

from cleaner.command import ModuleCommand, Say, stopwatch
from cleaner.encoders import load_encoder
from cleaner.evaluation import Figures, figures
from cleaner.evaluation.tables import console, show_figures
from cleaner.formats import AtomicFile
from cleaner.scores import sigmoid
from cleaner.training.corpora import articles_of
from cleaner.training.datasets import (
    ALL,
    OF_DETECTOR,
    furniture,
    labelled,
    news_articles,
    unlabelled,
)
from cleaner.training.detector import LONE, RARITY, Fitted, fit
from cleaner.training.examples import NO_FURNITURE, Example, prepare
from cleaner.training.forked import side_by_side
from cleaner.training.knowledge import fit_topic, inverse_document_frequency
from cleaner.training.lessons import Steps
from cleaner.training.made import by_fold, intruders, made
from cleaner.words import Terms

if TYPE_CHECKING:
    from cleaner.evidence import Observed
    from cleaner.topic import Floats, TopicModel

THRESHOLD = 0.5
_MIXTURES = range(4, 7)

# Evidence by the names of its columns. A column can be in several: the neighbour's topic is topic
# and neighbourhood. What no pattern names is form.
GROUPS: Mapping[str, str] = {
    "topic": r"topic|title_|nearest_",
    "rare words": r"rare_",
    "wording": r"wording",
    "repetition": r"^(repeated|same_opening)$",
    "position": r"^(position|from_start|from_end|words_before|blank_.*|in_line|line_size)$",
    "neighbours": r"^(previous|next|line)_|^(?!first).*_within_|^running_text_",
    "document": r"^document_|^topic_document$",
    "verdicts around": r"^first_.|^suspected_|trusted|^families_ratio$|^closest_suspect$",
    "furniture around": r"^furniture_.+",
}
_VERDICTS = r"^(first|furniture)$"  # of the fragment itself
VECTORS = "vectors beside each other"  # as the networks see them, and families


def group_of(name: str) -> set[str]:
    """The groups of evidence that the column `name` is in."""
    found = {group for group, pattern in GROUPS.items() if re.search(pattern, name)}
    return found or (set() if re.search(_VERDICTS, name) else {"form"})


def without(group: str) -> Callable[[Observed], Observed]:
    """What hides a group of evidence: a constant says nothing."""

    def shown(observed: Observed) -> Observed:
        columns = {
            name: np.zeros_like(values) if group in group_of(name) else values
            for name, values in observed.columns.items()
        }
        hidden = replace(observed, columns=columns)
        if group == "wording":
            return replace(hidden, terms=_wordless(len(observed.weights)))
        if group == VECTORS:
            vectors, points = np.zeros_like(observed.vectors), np.zeros_like(observed.points)
            return replace(hidden, vectors=vectors, points=points)
        return hidden

    return shown


def _wordless(count: int) -> Terms:
    """The terms of `count` fragments without words: of each a pair of nothing with nothing."""
    nothing = np.zeros(count, dtype=np.uint32)
    return Terms(nothing[:0], nothing, nothing.astype(np.int64))


@dataclass(frozen=True, slots=True)
class Material:
    """What all variants learn from.

    Attributes
    ----------
    examples
        Documents that trees learn from, and that are measured.
    foreign, furnished
        Lots of documents for the networks alone.
    topic, frequency
        As for `cleaner.training.detector.fit`.
    """

    examples: Sequence[Example]
    foreign: Sequence[Sequence[Example]]
    furnished: Sequence[Sequence[Example]]
    topic: TopicModel
    frequency: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Size:
    """How long the trees of either pass and the networks learn."""

    trees: tuple[int, int]
    steps: int


def set_of(example: Example) -> str:
    """The data set of a document: its source up to the first stroke."""
    return example.document.source.split("/")[0]


def _untold(example: Example) -> Example:
    return replace(example, labels=np.full_like(example.labels, -1))


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


def measured(name: str, examples: Sequence[Example], scores: Sequence[Floats]) -> Variant:
    """The figures of a variant's scores, at the default threshold."""
    labels = [example.labels for example in examples]
    lengths = [example.segments.ends - example.segments.starts for example in examples]
    by_set = {}
    for source in sorted({set_of(example) for example in examples}):
        own = [i for i, example in enumerate(examples) if set_of(example) == source]
        by_set[source] = figures(
            np.concatenate([labels[i] for i in own]),
            np.concatenate([scores[i] for i in own]),
            np.concatenate([lengths[i] for i in own]),
            THRESHOLD,
        )
    truth, given = np.concatenate(labels), np.concatenate(scores)
    use = truth >= 0
    return Variant(name, by_set, float(np.mean((given[use] - truth[use]) ** 2)))


def refitted(
    material: Material,
    size: Size,
    *,
    hidden: str = "",
    unlearned: str = "",
    networks: bool = True,
) -> Fitted:
    """The detector, fitted in small.

    Parameters
    ----------
    hidden
        A group of evidence that nothing is told of.
    unlearned
        A data set that is not learned from; it is measured all the same. With one of labelled
        pages goes all furniture put into articles, with "intruders" all that the networks get of
        them, and "furniture" is what is put into articles alone.
    networks
        Whether the first pass is networks; else it is trees.
    """
    examples = [_untold(e) if set_of(e) == unlearned else e for e in material.examples]
    return fit(
        examples,
        material.topic,
        material.frequency,
        trees=size.trees,
        # Of the last networks, which learned from all sites, no figure is taken.
        steps=Steps((size.steps, 1), (size.steps, 1)) if networks else None,
        rarity=RARITY if networks else 0.0,
        lone=LONE if networks else 0.0,
        foreign=() if unlearned == "intruders" else material.foreign,
        # Furniture that is put into articles is of the pages of all labelled sets.
        furnished=() if unlearned and unlearned not in NO_FURNITURE else material.furnished,
        shown=without(hidden) if hidden else None,
        say=lambda _: None,
    )


def _whole(material: Material, size: Size) -> list[Variant]:
    """The whole, and what needs no other fit: without calibration, and without the second pass."""
    examples, found = material.examples, refitted(material, size).held_out
    raw = [sigmoid(own.trees) for own in found]
    surer = [
        sigmoid(np.maximum(own.first - RARITY, own.furniture))
        for own in found
        if own.furniture is not None
    ]
    return [
        measured("the whole", examples, [own.scores for own in found]),
        measured("without calibration", examples, raw),
        measured("without the second pass", examples, surer),
    ]


def variants(material: Material, size: Size, *, jobs: int, say: Say) -> list[Variant]:
    """The whole, and the whole without each part; `jobs` of them at a time."""
    sources = sorted({set_of(example) for example in material.examples})

    def one(name: str, **left_out: object) -> list[Variant]:
        scores = refitted(material, size, **left_out).scores  # type: ignore[arg-type]
        return [measured(name, material.examples, scores)]

    def said(task: Callable[[], list[Variant]]) -> list[Variant]:
        found = task()
        for variant in found:
            say(f"{variant.name}: {variant.mean}")
        return found

    tasks: list[Callable[[], list[Variant]]] = [
        partial(_whole, material, size),
        partial(one, "without the networks", networks=False),
        *(partial(one, f"without {group}", hidden=group) for group in ("form", *GROUPS, VECTORS)),
        *(
            partial(one, f"not trained on {source}", unlearned=source)
            for source in (*sources, "furniture")
        ),
    ]
    done = side_by_side([partial(said, task) for task in tasks], jobs=jobs)
    return [variant for found in done for variant in found]


def material_of(data: Path, share: float, name: str, say: Say) -> Material:
    """Documents as for `cleaner.training.fit`, a share of them."""
    encoder, sizes = load_encoder(name), ALL.scaled(share)
    articles = news_articles(data, OF_DETECTOR)[: sizes.articles]
    examples = prepare([*labelled(data, sizes), *made(articles, share)], encoder)
    say(f"{len(examples)} documents, {sum(len(e.labels) for e in examples)} fragments")
    put_in = furniture(data, articles, encoder, sizes)
    texts = articles_of(unlabelled(data), split=lambda line: [line])
    material = Material(
        examples,
        [prepare(intruders(by_fold(articles), seed), encoder) for seed in _MIXTURES],
        [prepare(lot, encoder) for lot in put_in],
        fit_topic([article.sentences for article in articles], encoder, axes=64),
        inverse_document_frequency([article.sentences for article in texts]),
    )
    say("encoded")
    return material


@click.command(cls=ModuleCommand)
@click.option("--encoder", "name", default="fast", show_default=True, help="As for `cleaner`.")
@click.option("--data", required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.1,
    show_default=True,
    help="Share of the data to use.",
)
@click.option("--trees", nargs=2, type=int, default=(60, 100), show_default=True, help="Per pass.")
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    default=500,
    show_default=True,
    help="Batches that a network learns from.",
)
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="At a time.")
@click.option("--json", "target", type=click.Path(path_type=Path), help="Write all figures there.")
def main(
    name: str,
    data: Path,
    share: float,
    trees: tuple[int, int],
    steps: int,
    jobs: int,
    target: Path | None,
) -> None:
    """Refit without each part and say what that costs, on sites apart."""
    say = stopwatch()
    material = material_of(data, share, name, say)
    found = variants(material, Size(trees, steps), jobs=jobs, say=say)
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
