"""Fit a detector for an encoder from a folder of data, and say how well it does on other sites.

Run as ``python -m cleaner.training.fit --encoder fast --data FOLDER -o OUT``. FOLDER holds what
`cleaner.training.datasets` reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import click

from cleaner.command import ModuleCommand, stopwatch
from cleaner.detector_files import NETWORK_FILE, read_network
from cleaner.encoders import load_encoder
from cleaner.training.corpora import articles_of
from cleaner.training.datasets import (
    ALL,
    OF_DETECTOR,
    Sizes,
    furniture,
    labelled,
    news_articles,
    residue,
    unlabelled,
    varied_articles,
)
from cleaner.training.detector import LONE, RARITY, figures_by, fit, save
from cleaner.training.examples import MADE, Example, prepare
from cleaner.training.folder import check_folder, whole_folder
from cleaner.training.knowledge import fit_topic, inverse_document_frequency
from cleaner.training.lessons import Steps
from cleaner.training.made import by_fold, intruders, made
from cleaner.training.residue import unsaid

if TYPE_CHECKING:
    from cleaner.evaluation import Figures, Labelled
    from cleaner.network import Network


@click.command(cls=ModuleCommand)
@click.option("--encoder", "name", default="fast", show_default=True, help="As for `cleaner`.")
@click.option("--data", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path))
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Share of the data to use.",
)
@click.option(
    "--axes",
    type=click.IntRange(min=1),
    default=64,
    show_default=True,
    help="Axes of the topic model.",
)
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
    help=f"{NETWORK_FILE} of an earlier fit, to keep; only those of the folds are fitted.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Networks, or lots of trees, that learn at a time.",
)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Default threshold to store.",
)
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
    say = stopwatch()
    check_folder(output)
    encoder = load_encoder(name)
    kept = _kept(foreign_network)
    sizes = ALL.scaled(share)
    articles = news_articles(data, OF_DETECTOR)[: sizes.articles]
    varied = varied_articles(data, sizes.varied)
    topic = fit_topic([a.sentences for a in (*articles, *varied[::3])], encoder, axes=axes)
    words = articles_of(unlabelled(data), split=lambda line: [line])
    frequency = inverse_document_frequency([a.sentences for a in words])
    clean = [*articles, *varied]
    documents = labelled(data, sizes) + made(articles, share) + intruders(by_fold(clean), 99)
    left = residue(data)

    def prepared(lot: Sequence[Labelled]) -> list[Example]:
        return unsaid(prepare(lot, encoder), left, MADE)

    examples = prepared(documents)
    say(f"{len(examples)} documents; {len(left)} sentences recur in clean articles")
    mixtures = range(4, 4 + sizes.mixtures)
    put_in = furniture(data, clean, encoder, sizes)
    fitted = fit(
        examples,
        topic,
        frequency,
        steps=Steps(foreign_steps, furniture_steps),
        jobs=jobs,
        rarity=rarity,
        lone=lone,
        foreign=(prepared(intruders(by_fold(clean), seed)) for seed in mixtures),
        furnished=map(prepared, put_in),
        kept=kept,
        say=say,
    )
    found = figures_by(examples, fitted.scores, threshold, lambda document: document.source)
    for source, row in found.items():
        click.echo(f"{source:32s} {row}")
    manifest = _manifest(name, (foreign_steps, furniture_steps), sizes, threshold, found)
    if kept is not None:
        manifest["kept"] = {NETWORK_FILE: "of an earlier fit"}
    with whole_folder(output) as folder:
        save(fitted, folder, manifest, threshold=threshold, encoder=encoder)
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
        raise click.BadParameter(f"{path} is no network for foreign prose: give a {NETWORK_FILE}")
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
