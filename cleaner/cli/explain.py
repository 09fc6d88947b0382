"""`cleaner explain`: options to settings, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from cleaner.cli.options import cleaner_of, inputs_of, looking, reader_of
from cleaner.errors import OptionError
from cleaner.formats import StandardOutput, dump_json, standard_text
from cleaner.formats.sinks import OPEN_IT


@click.command()
@click.argument("files", nargs=-1, type=click.Path(readable=False))
@click.option("--json", "as_json", is_flag=True, help="Write a JSON line for each document.")
@click.option(
    "--top",
    metavar="N",
    type=click.IntRange(min=1),
    help="Explain the N fragments with the highest scores, highest first.",
)
@click.option("--all", "every", is_flag=True, help="Explain what is kept as well.")
@looking
def explain(files: Sequence[str], **options: Any) -> None:
    """Show each fragment with its score, and what decided it.

    What would be removed is struck through and followed by its evidence: in words, and as what
    each kind of evidence adds to the log-odds of the score. Nothing is changed.
    """
    if options["top"] is not None and options["every"]:
        raise OptionError("--top and --all do not go together", next_step="use one of them")
    inputs = inputs_of(files, options)
    from rich.console import Console

    from cleaner.terminal import Explained, show

    # Opened first: an output that is closed is told before the work is done.
    sink = StandardOutput(next_step=OPEN_IT)
    console = Console(file=standard_text(), highlight=False, markup=False, emoji=False)
    cleaner = cleaner_of(options)
    for read in reader_of(options).read(inputs):
        explained = Explained.of(read.place, cleaner.inspect(read.document), cleaner)
        if options["as_json"]:
            chosen = explained.chosen(top=options["top"], every=options["every"])
            sink.write(dump_json(explained.to_dict(chosen)) + b"\n")
            sink.flush()
        else:
            show(console, explained, top=options["top"], every=options["every"])
