"""A run over any number of documents: sources through workers into outputs."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from cleaner import __version__
from cleaner.blocks import Blocks
from cleaner.errors import CleanerError, InputError, OptionError
from cleaner.filtering import Settings, answers_here, make_filter, summary_of_errors
from cleaner.formats.encoding import STDIN, dump_json, shown
from cleaner.formats.guards import check_in_place, check_standard_output, check_target
from cleaner.formats.kinds import KINDS, Format, Kind, is_packed_parquet, kind_of, suffixed
from cleaner.formats.sinks import AtomicFile, PackedSink, Sink, StandardOutput, temporary
from cleaner.outputs import Apart, Joined, Outputs, Targets
from cleaner.progress import Pace, Silent, progress
from cleaner.tally import Tally

if TYPE_CHECKING:
    from cleaner.formats.sources import Inputs, Source
    from cleaner.journal import Journal
    from cleaner.work import Answer, Block, Outcome, Part

_HELD = 1 << 22  # bytes of accounts that are held in memory until their source has ended
_SMALL = 1 << 20  # bytes that one process has done before others have loaded their models


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a run is to do.

    Attributes
    ----------
    inputs
        What is read.
    output
        A file, a folder, or standard output where it is None or ``-``.
    output_kind
        Name of the kind that the output is to have (`cleaner.formats.KINDS`); None: by the suffix
        of `output`, else as the inputs are.
    in_place
        Whether the inputs themselves are changed.
    removed
        File that takes a JSON line for each deletion.
    stats
        File that takes the figures of the run, as JSON.
    settings
        How documents are read and shown.
    options
        Parameters of `cleaner.cleaning.Cleaner`.
    jobs
        Number of worker processes; None: as many as there are cores, and none for little input.
    resume
        Whether to go on where an earlier run of the same job was ended.
    quiet
        Whether there is neither bar nor summary.
    """

    inputs: Inputs
    output: str | None = None
    output_kind: str | None = None
    in_place: bool = False
    removed: str | None = None
    stats: str | None = None
    settings: Settings
    options: Mapping[str, Any]
    jobs: int | None = None
    resume: bool = False
    quiet: bool = False

    @property
    def to_standard_output(self) -> bool:
        """Whether results go to standard output."""
        return not self.in_place and self.output in (None, STDIN)

    @property
    def files(self) -> dict[str, str]:
        """Files that are not a source's own, by the option that names them."""
        output = None if self.folder is not None or self.to_standard_output else self.output
        named = {"--output": output, "--removed": self.removed, "--stats": self.stats}
        return {option: name for option, name in named.items() if name is not None}

    @property
    def folder(self) -> Path | None:
        """The folder that the results go to, a file for each source; None where they do not."""
        if self.in_place or self.output in (None, STDIN):
            return None
        path = Path(self.output)
        if path.is_dir() or self.output.endswith(os.sep):
            return path
        return path if self.inputs.are_many and suffixed(self.output) is None else None

    @property
    def target(self) -> Kind | None:
        """The kind that results have; None where it is the one that their sources have."""
        if self.output_kind is not None:
            return KINDS[self.output_kind]
        if self.in_place or self.folder is not None or self.to_standard_output:
            return None
        kind = suffixed(str(self.output))
        return None if kind is None or kind.format == "text" else kind


@dataclass(frozen=True, slots=True)
class Survey:
    """What there is to read.

    Attributes
    ----------
    sources
        How many.
    size
        Bytes of all of them as they are stored; None where one is a pipe.
    one_text
        Whether it is one text document and nothing else.
    formats
        All formats there are.
    """

    sources: int
    size: int | None
    one_text: bool
    formats: frozenset[Format]


@dataclass(frozen=True, slots=True)
class Finished:
    """What a run did.

    Attributes
    ----------
    tally
        The figures.
    changed
        Whether what went out (or would have) differs from what came in.
    """

    tally: Tally
    changed: bool


def run(job: Job) -> Finished:
    """Do a job.

    Raises
    ------
    OptionError
        If what is asked for does not go together.
    InputError
        If a source or a record cannot be used, and is not passed over.
    OutputError
        If a result cannot be written.
    ModelError
        If the model cannot be had.
    WorkerError
        If a worker process dies.
    """
    survey = _check(job)
    job = replace(job, settings=_settled(job, survey))
    pace = Pace()
    with AtomicFile(job.stats) if job.stats else nullcontext() as stats:
        done = _done(job, survey, pace)
        _conclude(job, survey, done.tally, pace, stats)
    return done


def _done(job: Job, survey: Survey, pace: Pace) -> Finished:
    blocks = _blocks(job)
    wanted = not job.quiet and not survey.one_text and not _shows_documents(job)
    with ExitStack() as stack:
        told = stack.enter_context(progress(survey.size, pace, wanted=wanted))
        journal = stack.enter_context(_journal(job, survey, told))
        answers = stack.enter_context(closing(_answers(job, survey, blocks, journal, pace)))
        removed = stack.enter_context(_lines_file(job.removed)) if job.removed else None
        outputs = stack.enter_context(_outputs(job))
        work = stack.enter_context(_Run(job.settings, outputs, removed, told))
        for answer in answers:
            work.take(*answer, position=blocks.position)
    return Finished(work.tally, work.changed)


# --- before --------------------------------------------------------------------------------------


def _check(job: Job) -> Survey:
    """Refuse what cannot be done before anything is read or loaded, and see what there is."""
    # On standard output a folder would be one document after the other, of who knows what formats.
    takes_folders = (
        not job.to_standard_output or job.settings.show == "nothing" or job.output_kind is not None
    )
    job.inputs.check(title=job.settings.title, with_folders=takes_folders)
    if job.folder is not None:
        _check_folder(job)
    _check_files(job)
    return _survey(job)


def _check_folder(job: Job) -> None:
    folder = Path(str(job.output))
    for name in job.inputs.folders:
        inside = folder.resolve().is_relative_to(Path(name).resolve())
        if inside and folder.resolve() != Path(name).resolve():
            raise OptionError(
                f"--output {folder} lies within the input {name}",
                next_step="name a folder outside of it",
            )


def _check_files(job: Job) -> None:
    if is_packed_parquet(job.output or ""):
        raise OptionError(
            f"--output {job.output}: Parquet compresses its own columns",
            next_step="end the name with .parquet",
        )
    named = dict(job.files)
    if job.folder is not None:
        named["--output"] = str(job.folder)
    seen: dict[str, str] = {}
    for option, name in named.items():
        path = os.path.realpath(name)
        if path in seen:
            raise OptionError(f"{seen[path]} and {option} are one file", next_step="name two")
        seen[path] = option


def _survey(job: Job) -> Survey:
    """Look at each source once: there may be a million."""
    count, size, one_text = 0, 0, True
    known = True
    formats: set[Format] = set()
    checks = list(_checks(job))
    for item in job.inputs:
        for check in checks:
            check([item])
        _check_format(job, item)
        count += 1
        one_text = count == 1 and item.format == "text"
        formats.add(item.format)
        if item.is_regular:
            size += item.path.stat().st_size
        else:
            known = False
    if not count:
        raise InputError(
            "no file of a known kind",
            place=", ".join(job.inputs.names),
            next_step="say with --format what the files are",
        )
    return Survey(count, size if known else None, one_text, frozenset(formats))


def _checks(job: Job) -> Iterator[Callable[[Iterable[Source]], None]]:
    """What sources are looked at for."""
    for option, name in job.files.items():
        if Path(name).exists():
            yield partial(check_target, name, option=option)
    if job.folder is not None:
        yield Targets(job.folder, job.target, job.files).check
    if job.in_place:
        yield check_in_place
    if job.to_standard_output and job.settings.show != "nothing":
        yield check_standard_output


def _check_format(job: Job, item: Source) -> None:
    if item.format != "text" and job.target is not None and job.target.format == "text":
        raise OptionError(
            f"{shown(item.name)} cannot become text, which holds one document a file",
            next_step="use --output-format jsonl or parquet",
        )


def _is_mixed(job: Job, formats: frozenset[Format]) -> bool:
    """Whether Parquet and other formats become one file of Parquet."""
    apart = job.in_place or job.folder is not None or job.settings.show != "text"
    if apart or len(formats) == 1:
        return False
    if job.target is not None:
        return job.target.format == "parquet" and "parquet" in formats
    if "parquet" in formats or not job.to_standard_output:
        raise OptionError(
            f"{' and '.join(sorted(formats))} do not go into one file as they are",
            next_step="name a folder with --output, or use --output-format jsonl",
        )
    return False


def _settled(job: Job, survey: Survey) -> Settings:
    """The settings with what follows from the rest of the job."""
    settings = replace(
        job.settings,
        target=job.target.format if job.target is not None else None,
        mixed=_is_mixed(job, survey.formats),
        account=job.removed is not None,
    )
    if settings.on_error == "keep" and any(map(settings.becomes_lines, survey.formats)):
        raise OptionError(
            "--on-error keep and another format do not go together: nothing stays as it is",
            next_step="use --on-error skip",
        )
    return settings


def _shows_documents(job: Job) -> bool:
    """Whether documents go to the terminal that a bar would be drawn on."""
    return job.to_standard_output and sys.stdout is not None and sys.stdout.isatty()


# --- reading and judging -------------------------------------------------------------------------


def _blocks(job: Job) -> Blocks:
    settings = job.settings
    apart = job.in_place or job.folder is not None
    return Blocks(
        job.inputs,
        text_field=settings.text_field,
        title_field=settings.title_field,
        whole_rows=settings.becomes_lines("parquet"),
        go_on=apart and settings.on_error != "fail",
    )


def _answers(
    job: Job, survey: Survey, blocks: Blocks, journal: Journal | None, pace: Pace
) -> Generator[Answer, None, None]:
    """The outcomes of all blocks, in order: those on record first."""
    if journal is None:
        yield from _worked_out(job, survey, blocks)
        return
    for block, outcomes in journal.replay(blocks):
        pace.replay(sum(outcome.tally.documents for outcome in outcomes))
        yield block, outcomes
    for block, outcomes in _worked_out(job, survey, blocks):
        journal.record(block, outcomes)
        yield block, outcomes


def _worked_out(job: Job, survey: Survey, blocks: Blocks) -> Iterator[Answer]:
    """The outcomes of the blocks, in order, from as many processes as are worth it."""
    count = _cores() if job.jobs is None else job.jobs
    if survey.one_text:
        count = 1
    elif job.jobs is None and survey.size is not None:
        count = min(count, max(1, survey.size // _SMALL))
    if count == 1:
        yield from answers_here(blocks, make_filter(job.options, job.settings))
        return
    if job.jobs is None and survey.size is None:
        # What comes through a pipe may be little: workers are started when it proves to be much.
        begun = _first(blocks, _SMALL)
        yield from answers_here(begun, make_filter(job.options, job.settings))
        if blocks.is_ended:
            return
    # Imported where it is needed: one text is not to wait for it.
    from cleaner.workers import Workers

    with Workers(count, job.options, job.settings) as workers:
        yield from workers.answers(blocks)


@contextmanager
def _journal(job: Job, survey: Survey, told: Silent) -> Iterator[Journal | None]:
    """The journal of a run that can be gone on with; None where there is nothing to go on with."""
    folder = job.folder is not None
    target = Path(str(job.output))
    into_file = folder or (
        job.output not in (None, STDIN) and (target.is_file() or not target.exists())
    )
    if survey.one_text or survey.size is None or not into_file or job.settings.show != "text":
        if job.resume and not survey.one_text:
            raise OptionError(
                "--resume needs inputs that can be read again, and an --output that is a file"
                " or folder",
                next_step="name files",
            )
        yield None
        return
    if survey.size < _SMALL and not job.resume:
        yield None  # it is done again sooner than a journal is begun
        return
    from cleaner.journal import Journal, journal_path

    path = journal_path(str(job.output), is_folder=folder)
    with Journal(path, _identity(job), resume=job.resume, told=told.log) as journal:
        yield journal


def _identity(job: Job) -> dict[str, Any]:
    """What decides the outcome besides the input, and the pace excepted."""
    from cleaner.journal import model_digest

    settings = {
        field.name: getattr(job.settings, field.name)
        for field in fields(job.settings)
        if field.name not in ("colour", "batch_documents")
    }
    kind = job.target.name if job.target is not None else None
    return {
        "version": __version__,
        **settings,
        **job.options,
        "output_format": kind,
        "digest_of_the_model": model_digest(job.options),
    }


def _first(blocks: Iterable[Block], size: int) -> Iterator[Block]:
    """Blocks, until they are of `size` bytes together."""
    taken = 0
    for block in blocks:
        yield block
        taken += sum(len(part.data) for part in block.parts)
        if taken >= size:
            return


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


# --- writing -------------------------------------------------------------------------------------


def _outputs(job: Job) -> AbstractContextManager[Outputs]:
    if job.in_place or job.folder is not None:
        return Apart(
            job.folder,
            target=job.target,
            text_field=job.settings.text_field,
            explain=job.settings.explain,
            leave_equal=job.resume,
        )
    if job.to_standard_output:
        return _joined(job, StandardOutput(), "standard output", job.target)
    return _into_file(job, str(job.output))


@contextmanager
def _into_file(job: Job, name: str) -> Iterator[Outputs]:
    kind = job.target or Kind("text", kind_of(name).compression)
    with AtomicFile(name) as file, _joined(job, file, name, kind) as outputs:
        yield outputs


def _joined(job: Job, sink: Sink, name: str, kind: Kind | None) -> Joined:
    return Joined(
        sink,
        name=name,
        compression=kind.compression if kind is not None else "",
        target=job.settings.target,
        mixed=job.settings.mixed,
        text_field=job.settings.text_field,
        explain=job.settings.explain,
        shown=job.settings.show != "text",
    )


@contextmanager
def _lines_file(name: str) -> Iterator[Sink]:
    """A file of lines, compressed where its name says so."""
    with AtomicFile(name) as file:
        compression = kind_of(name).compression
        if not compression:
            yield file
            return
        packed = PackedSink(file, compression)
        yield packed
        packed.close()


class _Run:
    """Takes outcomes, in order, to where they go."""

    def __init__(
        self, settings: Settings, outputs: Outputs, removed: Sink | None, told: Silent
    ) -> None:
        self.tally = Tally()
        self.changed = False
        self._settings = settings
        self._outputs = outputs
        self._removed = removed
        self._told = told
        # Of the source that is open: it may yet turn out that it cannot be read to its end.
        self._open = Tally()
        self._held = tempfile.SpooledTemporaryFile(_HELD)  # noqa: SIM115  # closed by __exit__
        self._passed_over = 0  # records of the source that is open
        self._first_error = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def take(self, block: Block, outcomes: tuple[Outcome, ...], *, position: int) -> None:
        """Take the outcomes of a block.

        Raises
        ------
        InputError
            If one of them is an error that ends the run; what is before it is written.
        """
        for part, kept, outcome in zip(block.parts, block.kept, outcomes, strict=True):
            if block.error is not None and part is block.parts[-1]:
                self._leave_out(part, block.error)
            else:
                self._part(part, kept, outcome)
        if self._settings.show != "nothing":
            # A block is all that has arrived: who reads us need not wait for the next one.
            self._outputs.flush()
        so_far = Tally()
        so_far.add(self.tally)
        so_far.add(self._open)
        self._told.update(so_far, position)

    def _part(self, part: Part, kept: Any, outcome: Outcome) -> None:
        self._outputs.take(part, kept, outcome)
        with temporary():
            self._held.write(outcome.removed)
        for line in outcome.log:
            self._told.log(line)
        self._open.add(outcome.tally)
        self.changed |= outcome.changed
        self._passed_over += outcome.tally.errors
        self._first_error = self._first_error or outcome.first_error
        if outcome.error is not None:
            raise outcome.error
        if part.last:
            self._tell_errors(part)
            self._count(self._open)

    def _count(self, tally: Tally) -> None:
        """Take the figures of a source, and begin the next one."""
        self.tally.add(tally)
        self._open = Tally()
        if self._removed is not None:
            self._held.seek(0)
            while lines := self._held.read(_HELD):
                self._removed.write(lines)
        self._held.seek(0)
        self._held.truncate()

    def _leave_out(self, part: Part, error: CleanerError) -> None:
        keep = self._settings.on_error == "keep"
        self._outputs.fail(part, keep=keep)
        self._held.seek(0)
        self._held.truncate()
        self._count(Tally(errors=1))
        done = "kept as it is" if keep else "left out"
        self._told.log(f"{error.place}: {error.problem}: {done}")
        self._tell_errors(part)

    def _tell_errors(self, part: Part) -> None:
        if self._passed_over:
            on_error = self._settings.on_error
            self._told.log(
                summary_of_errors(part.name, self._passed_over, self._first_error, on_error)
            )
        self._passed_over, self._first_error = 0, ""


# --- after ---------------------------------------------------------------------------------------


def _conclude(job: Job, survey: Survey, tally: Tally, pace: Pace, stats: AtomicFile | None) -> None:
    """Say what was done, where it was many documents or where it was asked for."""
    seconds, rate = pace.seconds, pace.rate(tally.documents)
    if stats is not None:
        figures = {
            "cleaner": __version__,
            "sources": survey.sources,
            **tally.to_dict(),
            "share_removed": round(tally.share_removed, 6),
            "replayed": pace.replayed,
            "seconds": round(seconds, 3),
            "documents_per_second": round(rate, 3),
        }
        stats.write(dump_json(figures, indent=True) + b"\n")
    if not job.quiet and tally.documents > 1 and job.settings.show == "text":
        for line in tally.summary(seconds, rate).splitlines():
            Silent().log(line)
