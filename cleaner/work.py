"""The units of work: what goes to a worker, and what comes back."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cleaner.formats.encoding import shown
from cleaner.tally import Tally

if TYPE_CHECKING:
    from cleaner.errors import CleanerError
    from cleaner.formats.kinds import Compression, Format

LESS_MEMORY = "use fewer --jobs or a smaller --batch-size"  # what to do where memory runs out
MOST_PROBLEMS = 1_000  # of a run that are told one by one


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Part:
    """Consecutive documents of one source, unread.

    Attributes
    ----------
    source
        Number of the source in the run, from 0.
    name
        What the source is called.
    format
        How `data` is read. Parquet comes as an Arrow stream of the columns that are needed.
    first
        Number of the first line or row, from 1.
    data
        The documents.
    last
        Whether the source ends here.
    relative
        Path of the source below the folder it was found in.
    compression
        What was around the source.
    """

    source: int
    name: str
    format: Format
    first: int = 1
    data: bytes = b""
    last: bool = False
    relative: str = ""
    compression: Compression = ""

    @property
    def place(self) -> str:
        """Where it begins, as messages have it."""
        name = shown(self.name)
        if self.format == "text":
            return name
        return f"{name}:{self.first}" if self.format == "jsonl" else f"{name}: row {self.first}"


@dataclass(frozen=True, slots=True)
class Block:
    """Parts that are worked on together.

    Attributes
    ----------
    parts
        The parts, in the order in which their results are written.
    kept
        For each part what need not travel: the rows of a Parquet part, all columns; else None.
    error
        Why the source of the last part cannot be read to its end; None where it can.
    """

    parts: tuple[Part, ...] = ()
    kept: tuple[Any, ...] = ()
    error: CleanerError | None = None


@dataclass(slots=True)
class Outcome:
    """What became of a part.

    Attributes
    ----------
    output
        What is left of it, in the form in which the output takes it.
    removed
        A JSON line for each deletion; empty where nobody asked.
    log
        Lines for people.
    changed
        Whether `output` differs from what came in.
    tally
        What was done, in figures.
    problems
        Place and problem of each record that was passed over, of the first `MOST_PROBLEMS`.
    error
        What ends the run here; None where nothing does. `output` holds what was before it.
    """

    output: bytes = b""
    removed: bytes = b""
    log: list[str] = field(default_factory=list)
    changed: bool = False
    tally: Tally = field(default_factory=Tally)
    problems: list[str] = field(default_factory=list)
    error: CleanerError | None = None


Answer = tuple[Block, tuple[Outcome, ...]]
