"""Fit the accurate tier: a network on the transformer's vectors, beside the fast detector.

Run as ``python -m cleaner.training.member --data FOLDER --vectors CACHE -o OUT``, FOLDER as for
`cleaner.training.fit`. It learns from clean articles alone, with sentences of others put in, from
all but the benchmark's: those from which the transformer's adapter has learned, too.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from cleaner.command import ModuleCommand, stopwatch
from cleaner.detector import Detector
from cleaner.detector_files import MEMBER_FILE, NETWORK_FILE, read_manifest, read_member
from cleaner.encoders import detector_folder, load_encoder
from cleaner.encoders.probe import PROBE, write_probe
from cleaner.encoders.transformer import TransformerEncoder
from cleaner.member import Member, knowledge_of
from cleaner.training.cache import CachedEncoder
from cleaner.training.datasets import ALL, OF_MEMBER, news_articles, varied_articles
from cleaner.training.examples import FOLDS, prepare
from cleaner.training.folder import check_folder, checksums, whole_folder, write_manifest
from cleaner.training.knowledge import fit_topic, observe_apart
from cleaner.training.lessons import lessons_of
from cleaner.training.made import digests, headlined, intruders
from cleaner.training.network import fit_network

if TYPE_CHECKING:
    from cleaner.encoders import Encoder
    from cleaner.evaluation import Host, Labelled
    from cleaner.training.network import Lesson

_FIRST_SEED = 4
# Beside the transformer even a larger network costs next to nothing.
_WIDTH, _HEADS, _LAYERS = 128, 8, 3
_SHARED = ("format", "evidence", "licence", "origins", "threshold", "calibration")  # of manifests
_MADE = ("data", "articles", "mixtures", "steps", "axes")  # of manifests, of the network itself
_BESIDE = (NETWORK_FILE, "knowledge.npz")  # files of the base that the network was fitted for
_HEADLINED, _DIGESTS = 6, 60  # one document of each kind for so many articles


def fit_member(
    articles: Sequence[Host],
    encoder: Encoder,
    base: Detector,
    *,
    mixtures: int,
    steps: int,
    axes: int,
    say: Callable[[str], object] = print,
) -> Member:
    """A network for foreign prose on the vectors of `encoder`.

    Parameters
    ----------
    articles
        Clean articles.
    base
        The detector beside which it is to stand.
    mixtures
        How many times each article gets sentences of others.
    steps
        Batches that the network learns from.
    axes
        Of the topic model.
    """
    topic = fit_topic([article.sentences for article in articles], encoder, axes=axes)
    knowledge = knowledge_of(topic, base.knowledge)
    lessons: list[Lesson] = []
    for seed in range(_FIRST_SEED, _FIRST_SEED + mixtures):
        examples = prepare(_mixture(articles, seed), encoder)
        lessons += lessons_of(examples, observe_apart(examples, [knowledge] * FOLDS))
        say(f"{len(lessons)} documents")
    known = np.zeros(0, dtype=np.uint32)  # no words: by them it would know the articles
    network = fit_network(
        lessons, steps=steps, known=known, width=_WIDTH, heads=_HEADS, layers=_LAYERS, say=say
    )
    return Member(topic, network)


def _mixture(articles: Sequence[Host], seed: int) -> list[Labelled]:
    """Articles with sentences of others put in, some with headlines, and digests."""
    order = np.random.default_rng(seed).permutation(len(articles))
    few = [articles[index] for index in order[: len(articles) // _HEADLINED]]
    return [
        *intruders([articles], seed),
        *headlined([few], seed),
        *digests([articles], len(articles) // _DIGESTS, seed=seed),
    ]


def save(
    member: Member,
    base: Detector,
    output: Path,
    *,
    encoder: Encoder,
    made: dict[str, object],
) -> None:
    """Write all files of `base`, the network and a manifest into a folder as for a detector."""
    output.mkdir(parents=True, exist_ok=True)
    for name in base.manifest["sha256"]:
        shutil.copyfile(base.folder / name, output / name)
    np.savez(output / MEMBER_FILE, **member.to_arrays())
    write_probe(encoder, output)
    manifest = {
        **{name: base.manifest[name] for name in _SHARED if name in base.manifest},
        "encoder": "accurate",
        "sha256": checksums(output, {*base.manifest["sha256"], MEMBER_FILE, PROBE}),
        "made_by": "python -m cleaner.training.member",
        **made,
        "base": {name: base.manifest[name] for name in base.manifest if name not in _SHARED},
    }
    write_manifest(output, manifest)


@click.command(cls=ModuleCommand)
@click.option("--data", type=click.Path(exists=True, path_type=Path), help="Folder of articles.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path))
@click.option(
    "--vectors",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder in which the transformer's vectors are kept: those that it holds are not made.",
)
@click.option(
    "--articles",
    type=click.IntRange(min=0),
    default=ALL.varied,
    show_default=True,
    help="Of other sets than news.",
)
@click.option(
    "--mixtures",
    type=click.IntRange(min=1),
    default=6,
    show_default=True,
    help="Times each gets other sentences.",
)
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    default=12_000,
    show_default=True,
    help="Batches to learn from.",
)
@click.option(
    "--axes",
    type=click.IntRange(min=1),
    default=96,
    show_default=True,
    help="Axes of the topic model.",
)
@click.option(
    "--kept",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of an accurate detector, whose network is kept: only the fast one's files beside "
    "it are new. Needs no data and no vectors.",
)
def main(  # one for each option
    data: Path | None,
    output: Path,
    vectors: Path | None,
    articles: int,
    mixtures: int,
    steps: int,
    axes: int,
    kept: Path | None,
) -> None:
    """Fit the network of the accurate tier, and write its detector's folder."""
    say = stopwatch()
    check_folder(output)
    base = Detector.load(detector_folder("fast"))
    if kept is not None:
        if data is not None or vectors is not None:
            raise click.UsageError("--kept takes no --data and no --vectors: nothing is fitted")
        member, made = _kept(kept, base)
        with whole_folder(output) as folder:
            save(member, base, folder, encoder=load_encoder("accurate"), made=made)
        say(f"written to {output}")
        return
    if data is None or vectors is None:
        raise click.UsageError("give --data and --vectors, or --kept")
    encoder = CachedEncoder(TransformerEncoder.accurate(), vectors)
    clean = [*news_articles(data, OF_MEMBER), *varied_articles(data, articles)]
    member = fit_member(
        clean,
        encoder,
        base,
        mixtures=mixtures,
        steps=steps,
        axes=axes,
        say=say,
    )
    encoder.flush()
    made = {
        "data": ["articles_unlabelled", "news_clean"],
        "articles": len(clean),
        "mixtures": mixtures,
        "steps": steps,
        "axes": axes,
    }
    with whole_folder(output) as folder:
        save(member, base, folder, encoder=load_encoder("accurate"), made=made)
    say(f"written to {output}")


def _kept(folder: Path, base: Detector) -> tuple[Member, dict[str, object]]:
    """The network of an accurate detector, and what its manifest says that it was made from."""
    manifest = read_manifest(folder)
    member = read_member(folder, manifest["evidence"])
    if member is None:
        raise click.BadParameter(f"{folder} is no accurate detector: it has no {MEMBER_FILE}")
    for name in _BESIDE:
        if manifest["sha256"][name] != base.manifest["sha256"][name]:
            raise click.BadParameter(
                f"the {name} of {folder} is not the fast detector's: its network was fitted beside "
                "another, so fit a new one"
            )
    return member, {name: manifest[name] for name in _MADE if name in manifest}


if __name__ == "__main__":
    main()
