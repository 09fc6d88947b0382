"""`cleaner clean`, the default command: options to settings, and nothing else."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from cleaner import __version__
from cleaner.cli.options import FAILED, fields, input_format, judging, options_of_cleaner
from cleaner.errors import OptionError
from cleaner.filtering import Settings, Show
from cleaner.formats.encoding import STDIN
from cleaner.formats.jsonl import OURS
from cleaner.formats.kinds import KINDS
from cleaner.formats.sinks import descriptor_of
from cleaner.options import BATCH_DOCUMENTS


@click.command()
@click.argument("files", nargs=-1, type=click.Path(readable=False))
@click.option(
    "-o",
    "--output",
    metavar="FILE-OR-FOLDER",
    help="Write to a file instead of standard output, or to a folder, a file for each input; each "
    "whole, or not at all.",
)
@click.option("-i", "--in-place", is_flag=True, help="Change the files themselves.")
@click.option("--diff", is_flag=True, help="Show what would go as a unified diff.")
@click.option("--check", is_flag=True, help="Write nothing; status 1 if anything would be removed.")
@click.option(
    "--explain",
    is_flag=True,
    help='Say what was removed, and why: lines on standard error, or "removed" in a JSONL record.',
)
@click.option(
    "--removed",
    metavar="FILE",
    help="Write what was removed to FILE, as JSONL; with --in-place, add it to what is there.",
)
@judging
@input_format
@click.option(
    "--output-format",
    "output_kind",
    type=click.Choice(list(KINDS)),
    help="What the output is.  [default: by the suffix of --output, else as the input, but not "
    "compressed]",
)
@fields
@click.option(
    "--on-error",
    type=click.Choice(["fail", "skip", "keep"]),
    default="fail",
    show_default=True,
    help="What to do with a record that cannot be used, or, where the output is a folder, a file: "
    "end, leave it out, or write it as it is.",
)
@click.option(
    "-j",
    "--jobs",
    metavar="NUMBER",
    type=click.IntRange(min=1),
    help="Worker processes, at most four a core; 1: this process alone.  [default: as many as "
    "there are cores, 1 for little input]",
)
@click.option(
    "--batch-size",
    "batch_documents",
    metavar="NUMBER",
    type=click.IntRange(min=1),
    default=BATCH_DOCUMENTS,
    show_default=True,
    help="Documents judged at once in each process, at most those of a block of 256 kB; it changes "
    "the pace alone.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on where the same command was ended before: the result is that of an unbroken run.",
)
@click.option(
    "--stats",
    metavar="FILE",
    help="Write the figures of the run to FILE, as JSON, however it ends once it has begun.",
)
@click.option(
    "-q",
    "--quiet",
    is_flag=True,
    help="No progress bar, and no summary: not even of what was not judged.",
)
@click.version_option(__version__, "-V", "--version", prog_name="cleaner")
def clean(files: Sequence[str], **options: Any) -> None:
    """Clean articles (the default command).

    Reads FILES, or standard input where there are none or where a file is called "-". A folder
    stands for the files below it that are text, JSONL or Parquet by their names; so does a pattern
    in quotes.
    """
    _check(options)
    if _run(files or ["-"], options) and options["check"]:
        click.get_current_context().exit(FAILED)


def _check(options: dict[str, Any]) -> None:
    """Refuse options that do not go together."""
    modes = [name for name in ("check", "diff", "in_place") if options[name]]
    outputs = [name for name in ("output", "removed", "output_kind") if options[name]]
    _refuse(len(modes) > 1, " and ".join(map(_flag, modes)), "use one of them")
    for mode, output in (
        ("check", "output"),
        ("check", "removed"),
        ("check", "output_kind"),
        ("diff", "output_kind"),
        ("in_place", "output"),
        ("in_place", "output_kind"),
    ):
        both = mode in modes and output in outputs
        _refuse(both, f"{_flag(mode)} and {_flag(output)}", "use one of them")
    both = options["in_place"] and options["on_error"] == "skip"
    step = "use --on-error keep: a record that is left out would be lost"
    _refuse(both, "--in-place and --on-error skip", step)
    for mode in modes:
        _refuse(options["resume"], f"{_flag(mode)} and --resume", "use --output")
    for name in ("text_field", "title_field"):
        both = options["explain"] and options[name] in OURS  # which an explained record has anew
        _refuse(both, f"--explain and {_flag(name)} {options[name]}", "rename the field first")
    for output in ("removed", "stats"):
        name = options[output]
        if name == "":
            raise OptionError(f"{_flag(output)} is empty", next_step="name a file")
        both = name is not None and (name == STDIN or descriptor_of(name) == 1)
        _refuse(both, f"{_flag(output)} and standard output", "name a file")


def _refuse(wrong: bool, what: str, step: str) -> None:
    if wrong:
        raise OptionError(f"{what} do not go together", next_step=step)


def _flag(name: str) -> str:
    return "--" + {"output_kind": "output-format"}.get(name, name.replace("_", "-"))


def _run(files: Sequence[str], options: dict[str, Any]) -> bool:
    # Loaded here and not above: --help waits for nothing.
    from cleaner.corpus import Job, run
    from cleaner.formats.sources import Inputs
    from cleaner.interruption import endable

    of_job = ("output", "output_kind", "in_place", "removed", "stats", "jobs", "resume", "quiet")
    job = Job(
        inputs=Inputs(tuple(files), options["kind"]),
        settings=_settings(options),
        options=options_of_cleaner(options),
        **{name: options[name] for name in of_job},
    )
    with endable():
        return run(job).changed


def _settings(options: dict[str, Any]) -> Settings:
    names = ("explain", "title", "text_field", "title_field", "on_error", "batch_documents")
    show: Show = "diff" if options["diff"] else "nothing" if options["check"] else "text"
    return Settings(show=show, colour=_colour(options), **{name: options[name] for name in names})


def _colour(options: dict[str, Any]) -> bool:
    if options["output"] or os.environ.get("NO_COLOR"):
        return False
    return sys.stdout is not None and sys.stdout.isatty()
