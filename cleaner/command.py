"""A command of a module: a user's mistake ends in a sentence, not in a traceback."""

from __future__ import annotations

from typing import Any

import click

from cleaner.errors import CleanerError


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
