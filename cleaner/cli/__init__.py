"""The command line: a module for each command, options to settings, and no logic.

A command's module loads no model and no heavy library before the command runs: ``--help`` and
usage errors wait for nothing.
"""

from __future__ import annotations

import errno
import sys
from typing import Any

import click
from click_default_group import DefaultGroup

from cleaner import __version__
from cleaner.cli.clean import clean
from cleaner.cli.evaluate import evaluate
from cleaner.cli.explain import explain
from cleaner.cli.options import FAILED
from cleaner.cli.report import report
from cleaner.cli.restore import restore
from cleaner.cli.train import train
from cleaner.errors import CleanerError, OptionError
from cleaner.formats.encoding import shown
from cleaner.formats.sinks import standard_output_failed
from cleaner.interruption import INTERRUPTED, Terminated
from cleaner.work import LESS_MEMORY

_USAGE = 2
_NO_NAME = (errno.ENAMETOOLONG, errno.EACCES)  # a name too long, or below a folder closed to us
_OF_GROUP = ("-h", "--help", "-V", "--version")


class _Failure(click.ClickException):
    """A `CleanerError` on its way to the user."""

    exit_code = FAILED


class _Misuse(click.ClickException):
    """An `OptionError` on its way to the user."""

    exit_code = _USAGE


def _tell_interrupted() -> None:
    click.echo("Interrupted.", err=True)


class _Group(DefaultGroup):
    """A group whose help shows the options of its default command, and whose errors are short."""

    def main(self, *args: Any, **options: Any) -> Any:
        try:
            return super().main(*args, **options)
        except OSError as error:
            if error.filename is not None:  # it is of a file, and not of what click has printed
                raise
            _Failure(str(standard_output_failed(error))).show()
            sys.exit(FAILED)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # The default command is named, so that its options are read by itself alone: the parser of
        # the group would take the "h" in "-oarchive.txt" for a cry for help.
        if args and args[0] not in self.commands and args[0] not in _OF_GROUP:
            args.insert(0, str(self.default_cmd_name))
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CleanerError as error:
            kind = _Misuse if isinstance(error, OptionError) else _Failure
            raise kind(str(error)) from error
        except MemoryError as error:
            raise _Failure(f"memory ran out; {LESS_MEMORY}") from error
        except KeyboardInterrupt:
            _tell_interrupted()
            ctx.exit(INTERRUPTED)
        except Terminated as end:
            _tell_interrupted()
            ctx.exit(end.exit_status)
        except BrokenPipeError:
            # Who read us has what they wanted (`| head`).
            ctx.exit(FAILED)
        except OSError as error:
            if error.errno not in _NO_NAME or not isinstance(error.filename, str):
                raise
            raise _Failure(f"{shown(error.filename)}: {error.strerror}; check the name") from error

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
    """Take out of articles what does not belong to them: a filter for text, JSONL and Parquet.

    Reads FILES, or standard input where there are none or where a file is called "-", and writes
    what is left to standard output, byte for byte; several files one after the other.

    \b
      cleaner article.txt > clean.txt
      cleaner --explain articles.jsonl > clean.jsonl
      cleaner --diff article.txt

    A file that has the name of a command is named with its folder: ./clean
    """  # noqa: D301  # click takes the control character, not the two letters


main.add_command(clean)
main.add_command(evaluate)
main.add_command(explain)
main.add_command(report)
main.add_command(restore)
main.add_command(train)
