"""`cleaner train`: options to settings, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cleaner.command import stopwatch
from cleaner.errors import ModelError, OptionError

if TYPE_CHECKING:
    from cleaner.command import Say
    from cleaner.evaluation import Figures

_INSTALL = "pip install 'article-cleaner[train]'"


@click.command()
@click.argument("data", nargs=-1, required=True, type=click.Path(readable=False))
@click.option(
    "--encoder",
    metavar="NAME",
    help="Fit a detector for this encoder: fast, accurate, or the name or folder of a "
    "sentence-transformers model.",
)
@click.option(
    "--base",
    metavar="NAME",
    help="Go on from this detector with labelled DATA: fast, accurate, or the folder of one.",
)
@click.option(
    "-o",
    "--output",
    metavar="FOLDER",
    required=True,
    type=click.Path(path_type=Path),
    help="Write the detector to FOLDER, for --model: whole, or not at all.",
)
@click.option(
    "--threshold",
    metavar="NUMBER",
    type=click.FloatRange(0, 1),
    help="Default threshold of the detector.  [default: 0.8, or the base's]",
)
@click.option(
    "--axes",
    metavar="NUMBER",
    type=click.IntRange(1),
    help="Axes of the topic model.  [default: 64]",
)
@click.option(
    "--limit",
    metavar="NUMBER",
    type=click.IntRange(1),
    help="Learn from so many articles at most.  [default: 1000]",
)
def train(data: Sequence[str], **options: Any) -> None:
    """Fit a detector from DATA.

    DATA are text files, each a clean article, or JSON Lines (.jsonl, .ndjson, - for standard
    input): clean articles of "text" or "lines", or labelled documents as for `cleaner evaluate`.
    Both may be .gz or .zst. Without labels it learns from pieces of articles put into other
    articles.

    \b
      cleaner train --encoder MODEL articles.jsonl -o detector
      cleaner train --base fast labelled.jsonl -o detector
      cleaner --model detector article.txt
    """  # noqa: D301  # the mark that keeps lines apart is a real backspace
    if (options["encoder"] is None) == (options["base"] is None):
        raise OptionError(
            "one of --encoder and --base is needed, and not both",
            next_step="say what to fit a detector for, or on top of",
        )
    for name in ("axes", "limit"):
        if options["base"] is not None and options[name] is not None:
            raise OptionError(
                f"--base and --{name} do not go together",
                next_step="a base keeps its topic model, and learns from all labels",
            )
    _need_libraries()
    from cleaner.evaluation.tables import console, show_figures
    from cleaner.training.folder import check_folder

    # Told before the work is done: that a folder, or the figures, cannot be written.
    check_folder(options["output"])
    out = console()
    make = _adapt if options["encoder"] is None else _train
    title, rows = make(data, options, stopwatch())
    show_figures(title, rows, out)
    click.echo(f"written: {options['output']}", err=True)


def _need_libraries() -> None:
    try:
        import onnx  # noqa: F401  # asked whether they are there
        import sklearn  # noqa: F401
    except ImportError as error:
        raise ModelError(f"training needs more libraries ({error})", next_step=_INSTALL) from error


def _train(
    data: Sequence[str], options: dict[str, Any], say: Say
) -> tuple[str, dict[str, Figures]]:
    """Fit a detector and write it; its figures, and what they are called."""
    from cleaner.encoders import load_encoder
    from cleaner.training.sources import read_training_data
    from cleaner.training.train import TrainSettings, train, write

    names = ("encoder", "threshold", "axes", "limit")
    chosen = {name: options[name] for name in names if options[name] is not None}
    settings = TrainSettings(**chosen)
    encoder = load_encoder(settings.encoder)  # one that cannot be had is told before all is read
    trained = train(read_training_data(data), settings, say=say, encoder=encoder)
    write(trained, settings, options["output"], data=data)
    return f"on folds apart, at threshold {settings.threshold:g}", trained.figures


def _adapt(
    data: Sequence[str], options: dict[str, Any], say: Say
) -> tuple[str, dict[str, Figures]]:
    """Go on from a detector and write what came of it; its figures, and what they are called."""
    from cleaner.training.adapt import adapt, write
    from cleaner.training.sources import read_training_data

    adapted = adapt(
        read_training_data(data), options["base"], threshold=options["threshold"], say=say
    )
    write(adapted, options["output"], data=data)
    rows = {"before": adapted.before, "after": adapted.after}
    return f"on documents apart, at threshold {adapted.threshold:g}", rows
