"""`cleaner report`: options to settings, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from itertools import islice
from typing import Any

import click

from cleaner.cli.options import cleaner_of, inputs_of, looking, reader_of
from cleaner.formats import (
    STDIN,
    AtomicFile,
    Inputs,
    StandardOutput,
    check_standard_output,
    check_target,
    shown,
)
from cleaner.render import plural
from cleaner.report import PAGES, make_report

_NAMED = 3  # inputs in the title of the page


@click.command()
@click.argument("files", nargs=-1, type=click.Path(readable=False))
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    required=True,
    help="Write the page to FILE, an HTML file; - is standard output.",
)
@click.option(
    "--pages",
    metavar="N",
    type=click.IntRange(min=0),
    default=PAGES,
    show_default=True,
    help="Documents of a corpus that get a page of their own.",
)
@click.option(
    "--source-field",
    metavar="NAME",
    help="Field of a record to group documents by: a name, or an address, which counts as "
    "its site.  [default: the file]",
)
@looking
def report(files: Sequence[str], **options: Any) -> None:
    """Make a page that shows what would go, and why: of one article, or of a corpus.

    The page is one file that needs no network. It shows every score with its evidence, lets one
    try another threshold, and exports one's own verdicts as labelled JSONL for `cleaner evaluate`
    and `cleaner train`.
    """
    inputs = inputs_of(files, options)
    if options["output"] == STDIN:
        check_standard_output(inputs)
    else:
        check_target(options["output"], inputs, option="--output")
    reader = replace(reader_of(options), source_field=options["source_field"])
    # Opened first: an output that cannot be written is told before the work is done.
    is_standard = options["output"] == STDIN
    output = nullcontext(StandardOutput()) if is_standard else AtomicFile(options["output"])
    with output as file:
        made = make_report(
            reader.read(inputs),
            cleaner_of(options),
            pages=options["pages"],
            name=_named(inputs),
        )
        file.write(made.html)
        file.flush()
    name = "standard output" if is_standard else options["output"]
    click.echo(f"{name}: {plural(made.documents, 'document')}, {made.pages} with a page", err=True)


def _named(inputs: Inputs) -> str:
    """The first few inputs, for the page's title."""
    names = [shown(item.name) for item in islice(inputs, _NAMED + 1)]
    return ", ".join([*names[:_NAMED], *(["..."] if names[_NAMED:] else [])])
