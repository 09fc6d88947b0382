"""Worker processes: a loaded model in each, blocks in, outcomes out, in order.

Workers are started anew, not forked: run times that have begun to use threads do not survive a
fork.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, Literal, Self

from cleaner.errors import CleanerError
from cleaner.filtering import Settings, make_filter
from cleaner.interruption import ENDING
from cleaner.work import LESS_MEMORY, cores

if TYPE_CHECKING:
    from cleaner.blocks import Blocks
    from cleaner.work import Answer, Block, Outcome, Part

_QUEUED = 2  # blocks a worker has at most: the one it is at, and the next
_AHEAD = 4  # blocks for each worker that may wait for one before them
_BLAS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class WorkerError(CleanerError):
    """A worker has died, or failed for want of memory or by an error of the program's own."""


class Workers:
    """A pool of processes.

    Parameters
    ----------
    count
        How many, 1 or more.
    options
        Parameters of `cleaner.cleaning.Cleaner`.
    settings
        How documents are read and shown.
    """

    def __init__(self, count: int, options: Mapping[str, Any], settings: Settings) -> None:
        self._count = count
        self._options = dict(options)
        self._settings = settings
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        context = multiprocessing.get_context("spawn")
        threads = max(1, cores() // self._count)
        # Started first: it would let the signals through again that are held back below.
        resource_tracker.ensure_running()
        try:
            with _threads(threads), _unheard(signal.SIGINT, *ENDING):
                for _ in range(self._count):
                    self._workers.append(_Worker(context, self._options, self._settings))
        except OSError as error:  # too many open files, or processes
            self.__exit__()
            raise WorkerError(
                f"{self._count} workers cannot be started ({error.strerror or error})",
                next_step="use fewer --jobs",
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.kill()

    def answers(self, blocks: Blocks) -> Iterator[Answer]:
        """The outcomes of `blocks`, in their order.

        Blocks are asked for as workers have nothing to do; how many are on their way is bounded.

        Raises
        ------
        WorkerError
            If a worker dies, or fails at a document.
        CleanerError
            If a worker cannot load its model.
        """
        asked: dict[int, Block] = {}
        done: dict[int, tuple[Outcome, ...]] = {}
        taken = given = 0
        ended = False
        error: CleanerError | None = None
        while not ended or asked:
            while given in done:
                yield asked.pop(given), done.pop(given)
                given += 1
            worker = None if ended or len(asked) >= _AHEAD * self._count else self._free()
            if worker is not None and blocks.is_ready:
                try:
                    block = next(blocks)
                except StopIteration:
                    ended = True
                    continue
                except CleanerError as caught:
                    ended, error = True, caught  # what came before it is done first
                    continue
                asked[taken] = block
                if block.parts:
                    worker.give(taken, block.parts)
                else:
                    done[taken] = ()
                taken += 1
                self._collect(done, 0)
            elif asked or not ended:
                extra = [blocks.waited_for] if worker is not None else []
                self._collect(done, None, extra)
        if error is not None:
            raise error

    def _free(self) -> _Worker | None:
        ready = [worker for worker in self._workers if worker.is_ready and worker.queued < _QUEUED]
        return min(ready, key=lambda worker: worker.queued, default=None)

    def _collect(
        self, done: dict[int, tuple[Outcome, ...]], timeout: float | None, extra: Iterable[Any] = ()
    ) -> None:
        """Take what workers have sent; wait until something happens, or for `timeout` seconds."""
        by_handle: dict[Any, _Worker] = {}
        for worker in self._workers:
            by_handle[worker.connection] = by_handle[worker.process.sentinel] = worker
        for handle in wait([*by_handle, *extra], timeout):
            if handle in by_handle:
                by_handle[handle].receive(done)


class _Worker:
    """One process, as seen from the one that started it."""

    def __init__(self, context: Any, options: Mapping[str, Any], settings: Settings) -> None:
        self.connection, theirs = context.Pipe()
        self.process = context.Process(
            target=_serve, args=(theirs, options, settings), name="cleaner worker", daemon=True
        )
        self.process.start()
        theirs.close()
        self.is_ready = False
        self._at: tuple[str, str] | None = None
        self._given: deque[str] = deque()  # where each block begins that it has not answered

    def give(self, number: int, parts: tuple[Part, ...]) -> None:
        """Send a block."""
        try:
            self.connection.send((number, parts))
        except OSError:
            raise self._dead() from None
        self._given.append(parts[0].place)

    @property
    def queued(self) -> int:
        """Blocks that it has."""
        return len(self._given)

    def receive(self, done: dict[int, tuple[Outcome, ...]]) -> None:
        """Take one message.

        Raises
        ------
        CleanerError
            If the worker has died, or could not load its model.
        """
        try:
            kind, value = self.connection.recv()
        except (EOFError, OSError):
            raise self._dead() from None
        if kind == "at":
            self._at = value
        elif kind == "ready":
            self.is_ready = True
        elif kind == "failed":
            raise value
        else:
            number, outcomes = value
            done[number] = outcomes
            self._given.popleft()
            self._at = None

    def kill(self) -> None:
        """End the process, whatever it is at: it holds no file."""
        self.process.kill()
        self.process.join()
        self.connection.close()

    def _dead(self) -> WorkerError:
        self.process.join(timeout=5)
        code = self.process.exitcode
        how = f"by signal {_signal_name(-code)}" if code is not None and code < 0 else f"({code})"
        had = " before it had a document"
        if self._at is not None:
            had = f" while it had {_span(*self._at)}"
        elif self._given:
            had = f" while it had what begins at {self._given[0]}"
        return WorkerError(
            f"a worker was ended {how}{had}", next_step=f"if memory ran out, {LESS_MEMORY}"
        )


def _span(first: str, last: str) -> str:
    """The documents from the one place to the other."""
    return first if first == last else f"{first} to {last}"


def _signal_name(number: int) -> str:
    with suppress(ValueError):
        return signal.Signals(number).name
    return str(number)


@contextmanager
def _unheard(*signals: signal.Signals) -> Iterator[None]:
    """Hold signals back: what is started meanwhile never hears them, and leaves them to us."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Tell the run times of what is started meanwhile how many threads they may use."""
    wanted = {name: str(count) for name in _BLAS}
    # Sums keep their order, and so their last digits, whatever the number of workers.
    wanted |= {"OPENBLAS_NUM_THREADS": "1", "RAYON_NUM_THREADS": str(count)}
    wanted["TOKENIZERS_PARALLELISM"] = "false"
    new = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            os.environ.pop(name, None)


# --- in the worker -------------------------------------------------------------------------------


def _serve(connection: Connection, options: Mapping[str, Any], settings: Settings) -> None:
    inbox: queue.SimpleQueue[tuple[int, tuple[Part, ...]]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, inbox), daemon=True).start()
    send = _Sender(connection)
    at = "a worker that loads its model"

    def announce(first: str, last: str) -> None:
        nonlocal at
        at = _span(first, last)
        send("at", (first, last))

    try:
        work = make_filter(options, settings)
        send("ready", None)
        while True:
            number, parts = inbox.get()
            at = parts[0].place
            send("done", (number, work.process(parts, announce)))
    except CleanerError as error:
        send("failed", error)
    except MemoryError:
        send("failed", WorkerError("memory ran out", place=at, next_step=LESS_MEMORY))
    except Exception as error:  # noqa: BLE001  # whatever it is, the one that started us tells it
        send("failed", _unforeseen(error, at))


def _unforeseen(error: Exception, place: str) -> WorkerError:
    """What the user is told of an error that nobody thought of."""
    said = " ".join(str(error).split())[:200]
    return WorkerError(
        f"a worker failed with {type(error).__name__}" + (f" ({said})" if said else ""),
        place=place,
        next_step="report it, with what --jobs 1 shows of it",
    )


def _listen(connection: Connection, inbox: queue.SimpleQueue[Any]) -> None:
    """Take what is sent, so that the sender never waits; end with the process that sends."""
    while True:
        try:
            inbox.put(connection.recv())
        except (EOFError, OSError, MemoryError):
            os._exit(1)  # nobody sends any more, or nothing more can be taken: a wait without end


class _Sender:
    """Sends to the process that started this one; ends with it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __call__(self, kind: Literal["ready", "at", "done", "failed"], value: Any) -> None:
        try:
            self._connection.send((kind, value))
        except OSError:
            os._exit(1)
