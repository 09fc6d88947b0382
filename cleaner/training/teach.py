"""Teach the furniture network of a fitted detector more formulas, and leave all else as it was.

Run as ``python -m cleaner.training.teach --data FOLDER -o OUT``, FOLDER as for
`cleaner.training.fit`. The network learns, from articles in which it finds no furniture, what
`cleaner.training.formulas` says sites put between paragraphs, and that short headings and figures
of an article's own are none. Of all other documents it learns to say what it says already, so that
the trees that were fitted beside it still know it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from cleaner.command import ModuleCommand, stopwatch
from cleaner.detector import Detector
from cleaner.detector_files import FURNITURE_FILE, encoder_of, read_network
from cleaner.encoders import detector_folder, load_encoder
from cleaner.errors import InputError
from cleaner.evaluation import compose
from cleaner.scores import sigmoid
from cleaner.training.datasets import (
    ALL,
    OF_DETECTOR,
    furniture,
    labelled,
    news_articles,
    varied_articles,
)
from cleaner.training.examples import FOLDS, Example, prepare
from cleaner.training.folder import check_folder, checksums, whole_folder, write_manifest
from cleaner.training.furniture import article_record
from cleaner.training.knowledge import observe_apart
from cleaner.training.lessons import lessons_of
from cleaner.training.made import made
from cleaner.training.network import teach_network

if TYPE_CHECKING:
    from cleaner.encoders import Encoder
    from cleaner.evaluation import Host
    from cleaner.evidence import Knowledge
    from cleaner.network import Network
    from cleaner.training.network import Lesson

_KINDS = {"formulas": 0.65, "related": 0.25, "form": 0.1}
_HEADED = 0.4  # articles with headings or figures of their own
_FREE = 0.0  # log-odds below which all fragments of an article without furniture are
_GOES, _STAYS = 0.98, 0.02  # what is taught of furniture at the least, and of the rest at the most


def as_before(lessons: Sequence[Lesson], network: Network) -> Iterator[Lesson]:
    """Lessons whose labels are what `network` says, 0 to 1."""
    for lesson in lessons:
        yield replace(lesson, labels=sigmoid(network.log_odds(lesson.fragments)))


def as_taught(lessons: Sequence[Lesson], network: Network) -> Iterator[Lesson]:
    """Lessons labelled by `network`, but surer: of furniture that was put in, and of the rest."""
    for lesson in lessons:
        said = sigmoid(network.log_odds(lesson.fragments))
        taught = np.where(lesson.labels == 1, np.maximum(said, _GOES), np.minimum(said, _STAYS))
        yield replace(lesson, labels=np.where(lesson.labels < 0, -1.0, taught))


def without_furniture(
    articles: Sequence[Host], encoder: Encoder, knowledge: Knowledge, network: Network
) -> list[Host]:
    """The articles in which `network` finds nothing: clean ones hold some furniture, too."""
    own = {article.identity: article for article in articles}
    examples = prepare([compose(article_record(a), site=a.site) for a in articles], encoder)
    lessons = _lessons(examples, knowledge)
    return [
        own[example.document.identity]
        for example, lesson in zip(examples, lessons, strict=True)
        if network.log_odds(lesson.fragments).max() < _FREE
    ]


def _lessons(examples: Sequence[Example], knowledge: Knowledge) -> list[Lesson]:
    return lessons_of(examples, observe_apart(examples, [knowledge] * FOLDS))


@click.command(cls=ModuleCommand)
@click.option("--data", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path))
@click.option(
    "--detector",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the detector; the fast one that ships if not given.",
)
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    default=6_000,
    show_default=True,
    help="Batches to learn from.",
)
def main(data: Path, output: Path, detector: Path | None, steps: int) -> None:
    """Teach a detector's network for furniture more formulas, and write the detector's folder."""
    say = stopwatch()
    check_folder(output)
    folder = detector or detector_folder("fast")
    base, network = Detector.load(folder), read_network(folder / FURNITURE_FILE)
    if network is None:
        raise click.BadParameter(f"{folder} has no network for furniture")
    encoder = load_encoder(encoder_of(folder, base.manifest))
    base.check(encoder)
    knowledge = base.knowledge
    news = news_articles(data, OF_DETECTOR)[: ALL.articles]
    clean = [*news, *varied_articles(data, ALL.varied)]
    hosts = without_furniture(clean, encoder, knowledge, network)
    say(f"{len(hosts)} of {len(clean)} articles are without furniture")
    kept = _lessons(prepare(labelled(data, ALL) + made(news, 1.0), encoder), knowledge)
    say(f"{len(kept)} documents to be judged as before")
    taught = [
        lesson
        for documents in furniture(data, hosts, encoder, ALL, kinds=_KINDS, headed=_HEADED)
        for lesson in _lessons(prepare(documents, encoder), knowledge)
    ]
    say(f"{len(taught)} documents with formulas")
    if not kept or not taught:
        raise InputError(
            "there is nothing to learn from",
            place=str(data),
            next_step="give articles without furniture, and pages with labels",
        )
    learned = teach_network(
        network,
        list(as_before(kept, network)),
        list(as_taught(taught, network)),
        steps=steps,
        say=say,
    )
    with whole_folder(output) as new:
        _save(learned, base, folder, new, taught={"documents": len(taught), "steps": steps})
    say(f"written to {output}")


def _save(
    network: Network, base: Detector, folder: Path, output: Path, *, taught: dict[str, int]
) -> None:
    for name in base.manifest["sha256"]:
        shutil.copyfile(folder / name, output / name)
    np.savez(output / FURNITURE_FILE, **network.to_arrays())  # type: ignore[arg-type]
    manifest = {
        **base.manifest,
        "sha256": checksums(output, base.manifest["sha256"]),
        "taught": [
            *base.manifest.get("taught", []),
            {"made_by": "python -m cleaner.training.teach", **taught},
        ],
    }
    write_manifest(output, manifest)


if __name__ == "__main__":
    main()
