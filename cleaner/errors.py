"""What can go wrong for a user: each error says where, what, and what to do next."""

from __future__ import annotations


class CleanerError(Exception):
    """Base of every error that a user can cause or mend.

    Parameters
    ----------
    problem
        What is wrong, with the value that is wrong.
    place
        Where: a file, ``file:line``, an option. Empty where there is no place.
    next_step
        What the user can do about it. Empty where nothing can be done.
    """

    def __init__(self, problem: str, *, place: str = "", next_step: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.place = place
        self.next_step = next_step

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        then = f"; {self.next_step}" if self.next_step else ""
        return f"{where}{self.problem}{then}"

    def __reduce__(self) -> tuple[object, ...]:
        """Cross process borders whole: keyword-only parameters do not pickle by themselves."""
        return _rebuild, (type(self), self.problem, self.place, self.next_step)


def _rebuild(kind: type[CleanerError], problem: str, place: str, next_step: str) -> CleanerError:
    return kind(problem, place=place, next_step=next_step)


class InputError(CleanerError):
    """A file or record cannot be read."""


class OutputError(CleanerError):
    """A result cannot be written."""


class ModelError(CleanerError):
    """An encoder or detector is unknown, missing, or not what it should be."""


class OptionError(CleanerError, ValueError):
    """A parameter is outside its range, or two of them do not go together."""


class RestoreError(CleanerError, ValueError):
    """Findings do not belong to the text they are put back into."""
