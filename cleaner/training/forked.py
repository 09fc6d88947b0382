"""Do several things at a time, each in a process that shares what is in memory already."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")
_tasks: Sequence[Callable[[], object]] = ()  # what a forked process finds


def side_by_side(tasks: Sequence[Callable[[], Result]], *, jobs: int) -> list[Result]:
    """The result of each task, in their order; at most `jobs` are done at a time.

    A forked process sees the memory of this one: what the tasks read may be of gigabytes, and only
    results are handed over.

    >>> side_by_side([lambda: 1, lambda: 2], jobs=2)
    [1, 2]
    """
    if jobs == 1:
        return [task() for task in tasks]
    global _tasks  # noqa: PLW0603  # how a fork is told of what cannot be pickled
    _tasks = tasks
    try:
        context = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(jobs, mp_context=context) as pool:
            return list(pool.map(_do, range(len(tasks))))  # type: ignore[arg-type]
    finally:
        _tasks = ()


def _do(number: int) -> object:
    return _tasks[number]()
