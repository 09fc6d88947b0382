"""What is refused before anything is read: to write over what is read."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from cleaner.errors import OptionError, OutputError
from cleaner.formats.sinks import is_write_protected
from cleaner.formats.sources import check_sources

if TYPE_CHECKING:
    from cleaner.formats.sources import Source

ANOTHER_NAME = "use another name"
IN_PLACE = "use --in-place to change a file, or another name"  # where the command has that option


def check_target(
    target: str, sources: Iterable[Source], *, option: str, next_step: str = ANOTHER_NAME
) -> None:
    """Refuse to write over what is read.

    Parameters
    ----------
    target
        The file that would be written.
    sources
        What is read.
    option
        The option that names `target`.
    next_step
        What the user is told to do.

    Raises
    ------
    OptionError
        If `target` is one of the `sources`, under whatever name.
    """
    try:
        status = Path(target).stat()
    except (OSError, ValueError):
        return
    for item in sources:
        if _is_that_file(item, status):
            raise OptionError(
                f"{option} {target} is an input of the same run",
                next_step=next_step,
            )


def check_in_place(sources: Iterable[Source], seen: set[int]) -> None:
    """See that every source is a regular file that may be changed, and is changed once.

    Parameters
    ----------
    sources
        What is read, and changed.
    seen
        What other calls have found: theirs and these are told apart as one run's.

    Raises
    ------
    OptionError
        If one is standard input, no regular file, or among them twice.
    OutputError
        If one is write-protected.
    """
    for item in sources:
        if item.is_stdin:
            raise OptionError("--in-place needs a file, not standard input")
        if not item.is_regular:
            check_sources([item])
            raise OptionError(f"--in-place: {item.name} is not a regular file")
        if is_write_protected(item.path):
            raise OutputError(
                "is write-protected", place=item.name, next_step="check its permissions"
            )
        key = hash(os.path.realpath(item.path))  # eight bytes: there may be a million
        if key in seen:
            raise OptionError(
                f"--in-place: {item.name} is among the inputs twice", next_step="name it once"
            )
        seen.add(key)


def check_standard_output(sources: Iterable[Source], *, next_step: str = ANOTHER_NAME) -> None:
    """Refuse to append to a file that is being read: that would never end.

    Parameters
    ----------
    sources
        What is read.
    next_step
        What the user is told to do.

    Raises
    ------
    OptionError
        If standard output is one of the `sources`.
    """
    try:
        out = os.fstat(sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        return
    for item in sources:
        if _is_that_file(item, out):
            name = "standard input" if item.is_stdin else item.name
            raise OptionError(
                f"standard output is {name}, an input of the same run",
                next_step=next_step,
            )


def _is_that_file(item: Source, status: os.stat_result) -> bool:
    """Whether `item`, standard input included, is the regular file with that status."""
    # A device that is read from and written to is not overwritten.
    if not stat.S_ISREG(status.st_mode):
        return False
    try:
        own = os.fstat(sys.stdin.fileno()) if item.is_stdin else item.path.stat()
    except (OSError, ValueError, AttributeError):  # closed, or no file at all
        return False
    return os.path.samestat(own, status)
