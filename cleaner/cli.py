"""The command: options to settings, and nothing else."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import click
from click_default_group import DefaultGroup

from cleaner import __version__
from cleaner.errors import CleanerError, OptionError
from cleaner.filtering import Filter, Settings, Show
from cleaner.formats import (
    AtomicFile,
    Sink,
    Source,
    StandardOutput,
    check_in_place,
    check_sources,
    check_standard_output,
    check_target,
    source,
)

_FAILED = 1
_USAGE = 2


class _Failure(click.ClickException):
    """A `CleanerError` on its way to the user."""

    exit_code = _FAILED


class _Misuse(click.ClickException):
    """An `OptionError` on its way to the user."""

    exit_code = _USAGE


class _Group(DefaultGroup):
    """A group whose help shows the options of its default command, and whose errors are short."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CleanerError as error:
            kind = _Misuse if isinstance(error, OptionError) else _Failure
            raise kind(str(error)) from error
        except BrokenPipeError:
            # Who read us has what they wanted (`| head`).
            ctx.exit(_FAILED)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        default = self.get_command(ctx, "clean")
        shared = {option.name for option in self.get_params(ctx)}
        options = (
            [option for option in default.params if option.name not in shared] if default else []
        )
        records = [
            option.get_help_record(ctx)
            for option in [*options, *self.get_params(ctx)]
            if isinstance(option, click.Option)
        ]
        rows = [record for record in records if record]
        with formatter.section("Options"):
            formatter.write_dl(rows)
        self.format_commands(ctx, formatter)


@click.group(
    cls=_Group,
    default="clean",
    default_if_no_args=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    subcommand_metavar="[clean] [OPTIONS] [FILES]...",
    options_metavar="",
)
@click.version_option(__version__, "-V", "--version", prog_name="cleaner")
def main() -> None:
    r"""Take out of articles what does not belong to them: a filter for text and JSONL.

    Reads FILES, or standard input where there are none or where a file is called "-", and writes
    what is left to standard output, byte for byte; several files one after the other.

    \b
      cleaner article.txt > clean.txt
      cleaner --explain articles.jsonl > clean.jsonl
      cleaner --diff article.txt

    A file that has the name of a command is named with its folder: ./clean
    """


@main.command()
@click.argument("files", nargs=-1, type=click.Path())
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Write to FILE instead of standard output: whole, or not at all.",
)
@click.option("-i", "--in-place", is_flag=True, help="Change the files themselves.")
@click.option("--diff", is_flag=True, help="Show what would go as a unified diff.")
@click.option("--check", is_flag=True, help="Write nothing; status 1 if anything would be removed.")
@click.option(
    "--explain",
    is_flag=True,
    help='Say what was removed, and why: lines on standard error, or "removed" in a JSONL record.',
)
@click.option("--removed", metavar="FILE", help="Write what was removed to FILE, as JSONL.")
@click.option("--title", metavar="TEXT", help="The article's title, where its text has none.")
@click.option(
    "--encoder",
    metavar="NAME",
    default="fast",
    show_default=True,
    help="fast, accurate, or the name or folder of a sentence-transformers model.",
)
@click.option("--model", metavar="FOLDER", help="Topic model and detector fitted for the encoder.")
@click.option(
    "--threshold",
    metavar="NUMBER",
    type=float,
    help="Probability from which a fragment goes, 0 to 1; higher: less goes.  "
    "[default: the encoder's own]",
)
@click.option(
    "--keep", metavar="PATTERN", multiple=True, help="Never remove what matches. Repeatable."
)
@click.option(
    "--drop",
    metavar="PATTERN",
    multiple=True,
    help="Always remove what matches, unless --keep does too. Repeatable.",
)
@click.option(
    "--only", metavar="REASON", multiple=True, help="Remove for this reason only. Repeatable."
)
@click.option(
    "--not",
    "exclude",
    metavar="REASON",
    multiple=True,
    help="Do not remove for this reason. Repeatable.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["text", "jsonl"]),
    help="What the input is.  [default: jsonl for .jsonl and .ndjson, else text]",
)
@click.option(
    "--text-field",
    metavar="NAME",
    default="text",
    show_default=True,
    help="Field of a JSONL record that holds the text.",
)
@click.option(
    "--title-field",
    metavar="NAME",
    default="title",
    show_default=True,
    help="Field of a JSONL record that holds the title.",
)
@click.option(
    "--on-error",
    type=click.Choice(["fail", "skip", "keep"]),
    default="fail",
    show_default=True,
    help="What to do with a JSONL record that cannot be used.",
)
def clean(files: Sequence[str], **options: Any) -> None:
    """Clean articles (the default command).

    Reads FILES, or standard input where there are none or where a file is called "-".
    """
    sources = [source(name, options["kind"]) for name in files or ["-"]]
    _check(sources, options)
    changed = _run(sources, options)
    if changed and options["check"]:
        click.get_current_context().exit(_FAILED)


def _check(sources: Sequence[Source], options: dict[str, Any]) -> None:
    """Refuse what does not go together before anything is read or loaded."""
    modes = [name for name in ("check", "diff", "in_place") if options[name]]
    outputs = [name for name in ("output", "removed") if options[name]]
    _refuse(len(modes) > 1, " and ".join(map(_flag, modes)), "use one of them")
    for mode, output in (("check", "output"), ("check", "removed"), ("in_place", "output")):
        both = mode in modes and output in outputs
        _refuse(both, f"{_flag(mode)} and {_flag(output)}", "use one of them")
    one_text = len(sources) == 1 and sources[0].format == "text"
    _refuse(
        options["title"] is not None and not one_text,
        "--title and anything but one text document",
        "name a field with --title-field",
    )
    _refuse(options["removed"] == "-", "--removed and standard output", "name a file")
    check_sources(sources)
    if options["in_place"]:
        check_in_place(sources)
    for name in outputs:
        check_target(options[name], sources, option=_flag(name))
    if len({os.path.realpath(options[name]) for name in outputs}) < len(outputs):
        raise OptionError("--output and --removed are one file", next_step="name two")
    if not (modes or options["output"]):
        check_standard_output(sources)


def _refuse(wrong: bool, what: str, step: str) -> None:
    if wrong:
        raise OptionError(f"{what} do not go together", next_step=step)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _run(sources: Sequence[Source], options: dict[str, Any]) -> bool:
    # Loaded here and not above: --help and usage errors wait for no model.
    from cleaner.cleaning import Cleaner

    names = ("encoder", "threshold", "keep", "drop", "only", "exclude", "model")
    cleaner = Cleaner(**{name: options[name] for name in names})
    with _removed(options["removed"]) as removed, _output(options) as sink:
        work = Filter(cleaner, _settings(options), _log, removed)
        if options["in_place"]:
            changes = [work.run_in_place(item) for item in sources]
        else:
            changes = [work.run(item, sink) for item in sources]
    return any(changes)


def _settings(options: dict[str, Any]) -> Settings:
    names = ("explain", "title", "text_field", "title_field", "on_error")
    show: Show = "diff" if options["diff"] else "nothing" if options["check"] else "text"
    return Settings(show=show, colour=_colour(options), **{name: options[name] for name in names})


def _colour(options: dict[str, Any]) -> bool:
    return not options["output"] and sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _output(options: dict[str, Any]) -> AbstractContextManager[Sink]:
    name = options["output"]
    return AtomicFile(name) if name and name != "-" else nullcontext(StandardOutput())


def _removed(name: str | None) -> AbstractContextManager[Sink | None]:
    return AtomicFile(name) if name else nullcontext(None)


def _log(line: str) -> None:
    click.echo(line, err=True)
