"""How far a run is, for people at a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import click

from cleaner.formats.sinks import point_at_nothing
from cleaner.render import plural

if TYPE_CHECKING:
    from cleaner.tally import Tally

_BEGIN = 0.5  # seconds before a bar is drawn: what is done sooner needs none
_EVERY = 0.1  # seconds between two looks


class Pace:
    """How fast a run is; what it takes from an earlier one is no work of its own.

    Attributes
    ----------
    replayed
        Documents that were taken from an earlier run.
    """

    def __init__(self) -> None:
        self.replayed = 0
        self._begun = self._working = time.monotonic()

    def replay(self, documents: int) -> None:
        """Take documents from an earlier run; work begins behind them."""
        self.replayed += documents
        self._working = time.monotonic()

    @property
    def seconds(self) -> float:
        """Time since the run began."""
        return time.monotonic() - self._begun

    def rate(self, documents: int) -> float:
        """Documents a second, where there are so many and the replayed are among them."""
        return (documents - self.replayed) / max(time.monotonic() - self._working, 1e-9)


def tell(line: str) -> None:
    """Write a line on standard error, if it takes one."""
    with _whether_heard_or_not():
        click.echo(line, err=True)


@contextmanager
def _whether_heard_or_not() -> Iterator[None]:
    """Standard error may be full, or nobody reads it any more: no run ends for that."""
    try:
        yield
    except OSError:
        if sys.stderr is not None:
            point_at_nothing(sys.stderr)


class NoBar:
    """Draws nothing; says what it is told to say."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was drawn."""

    def log(self, line: str) -> None:
        """Write a line on standard error."""
        tell(line)

    def update(self, tally: Tally, position: int) -> None:
        """Nothing to draw."""


class Bar(NoBar):
    """A progress bar on standard error: documents, rate, share removed, time left.

    Parameters
    ----------
    total
        Bytes to read; None where nobody knows.
    pace
        How fast the run is.
    """

    def __init__(self, total: int | None, pace: Pace) -> None:
        self._total = total
        self._pace = pace
        self._next = time.monotonic() + _BEGIN
        self._progress: Any = None
        self._task: Any = None

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            with _whether_heard_or_not():
                self._progress.stop()

    def log(self, line: str) -> None:
        """Write a line above the bar."""
        if self._progress is None:
            super().log(line)
        else:
            with _whether_heard_or_not():
                self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def update(self, tally: Tally, position: int) -> None:
        """Show the figures, not too often."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _EVERY
        if self._progress is None:
            self._start()
        rate = self._pace.rate(tally.documents)
        self._progress.update(
            self._task,
            completed=position,
            figures=f"{plural(tally.documents, 'document')}, {rate:,.0f}/s,"
            f" {tally.share_removed:.1%} removed",
        )

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            BarColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True, emoji=False),
            transient=True,
            redirect_stdout=False,
        )
        with _whether_heard_or_not():
            self._progress.start()
        self._task = self._progress.add_task("", total=self._total, figures="")


def progress(total: int | None, pace: Pace, *, wanted: bool) -> NoBar:
    """A bar where it is wanted and standard error alone is a terminal's, else none."""
    if not wanted or sys.stderr is None or not sys.stderr.isatty():
        return NoBar()
    return Bar(total, pace)
