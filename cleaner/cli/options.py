"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cleaner.formats.kinds import KINDS
from cleaner.formats.sources import Inputs

if TYPE_CHECKING:
    from cleaner.cleaning import Cleaner
    from cleaner.reading import Reader

_Command = TypeVar("_Command", bound=Callable[..., Any])

_JUDGING = (
    click.option("--title", metavar="TEXT", help="The article's title, where its text has none."),
    click.option(
        "--encoder",
        metavar="NAME",
        help="fast, accurate or the folder of its weights; with --model also the name or folder of "
        "another sentence-transformers model.  [default: the model's own, else fast]",
    ),
    click.option(
        "--model", metavar="FOLDER", help="Topic model and detector fitted for the encoder."
    ),
    click.option(
        "--threshold",
        metavar="NUMBER",
        type=float,
        help="Probability from which a fragment goes, 0 to 1; higher: less goes.  "
        "[default: the detector's own]",
    ),
    click.option(
        "--keep",
        metavar="PATTERN",
        multiple=True,
        help="Never remove a line or sentence in which this is found. Repeatable.",
    ),
    click.option(
        "--drop",
        metavar="PATTERN",
        multiple=True,
        help="Always remove the whole line, or the sentence of a line of several, in which this is "
        "found, unless --keep is too. Repeatable.",
    ),
    click.option(
        "--only", metavar="REASON", multiple=True, help="Remove for this reason only. Repeatable."
    ),
    click.option(
        "--not",
        "exclude",
        metavar="REASON",
        multiple=True,
        help="Do not remove for this reason. Repeatable.",
    ),
)
_FORMAT = click.option(
    "--format",
    "kind",
    type=click.Choice(list(KINDS)),
    help="What the input is.  [default: by its suffix: .jsonl or .ndjson, .parquet, else text; "
    ".gz and .zst around them]",
)
_FIELDS = (
    click.option(
        "--text-field",
        metavar="NAME",
        default="text",
        show_default=True,
        help="Field of a record that holds the text.",
    ),
    click.option(
        "--title-field",
        metavar="NAME",
        default="title",
        show_default=True,
        help="Field of a record that holds the title.",
    ),
)
_ON_ERROR = click.option(
    "--on-error",
    type=click.Choice(["fail", "skip"]),
    default="fail",
    show_default=True,
    help="What to do with a record that cannot be used.",
)
FAILED = 1  # status of a command whose answer is no
_OF_CLEANER = ("encoder", "threshold", "keep", "drop", "only", "exclude", "model")


def judging(command: _Command) -> _Command:
    """Add the options that say how documents are judged."""
    return _with(command, *_JUDGING)


def input_format(command: _Command) -> _Command:
    """Add the option that says what the input is."""
    return _with(command, _FORMAT)


def fields(command: _Command) -> _Command:
    """Add the options that say where text and title stand."""
    return _with(command, *_FIELDS)


def looking(command: _Command) -> _Command:
    """Add all options of a command that looks at documents and leaves them as they are."""
    return _with(command, *_JUDGING, _FORMAT, *_FIELDS, _ON_ERROR)


def _with(command: _Command, *options: Callable[[_Command], _Command]) -> _Command:
    for option in reversed(options):
        command = option(command)
    return command


def inputs_of(files: Sequence[str], options: Mapping[str, Any]) -> Inputs:
    """What the user named, seen to be there before any of it is read."""
    inputs = Inputs(tuple(files or ["-"]), options["kind"])
    inputs.check(title=options["title"])
    return inputs


def options_of_cleaner(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the options that are parameters of `cleaner.cleaning.Cleaner`."""
    return {name: options[name] for name in _OF_CLEANER}


def cleaner_of(options: Mapping[str, Any]) -> Cleaner:
    """The `Cleaner` that the options ask for."""
    # Loaded here and not above: --help and usage errors wait for no model.
    from cleaner.cleaning import Cleaner

    return Cleaner(**options_of_cleaner(options))


def reader_of(options: Mapping[str, Any]) -> Reader:
    """How the options say that documents are read."""
    from cleaner.progress import tell
    from cleaner.reading import Reader

    names = ("title", "text_field", "title_field", "on_error")
    return Reader(
        **{name: options[name] for name in names},
        log=tell,
    )
