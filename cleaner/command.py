"""Commands of modules: a mistake ends in a sentence, and what is done is said with the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import click

from cleaner.errors import CleanerError
from cleaner.progress import tell

Say = Callable[[str], object]


class ModuleCommand(click.Command):
    """A command whose `CleanerError` is shown as click shows its own errors."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command.

        Raises
        ------
        click.ClickException
            With what is wrong, where, and what to do next.
        """
        try:
            return super().invoke(ctx)
        except CleanerError as error:
            raise click.ClickException(str(error)) from error


def stopwatch() -> Say:
    """What says something on standard error, behind the seconds since now."""
    started = time.perf_counter()
    return lambda what: tell(f"{time.perf_counter() - started:6.0f} s  {what}")
