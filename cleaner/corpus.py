"""A run over any number of documents: sources through workers into outputs."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass, field, fields, replace
from functools import partial
from io import BytesIO
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Self

from cleaner import __version__
from cleaner.blocks import Blocks
from cleaner.errors import CleanerError, InputError, OptionError
from cleaner.filtering import Settings, answers_here, make_filter
from cleaner.formats.encoding import STDIN, dump_json, shown
from cleaner.formats.guards import (
    ANOTHER_NAME,
    IN_PLACE,
    check_in_place,
    check_standard_output,
    check_target,
)
from cleaner.formats.kinds import KINDS, Format, Kind, is_packed_parquet, kind_of, suffixed
from cleaner.formats.sinks import (
    AppendedFile,
    AtomicFile,
    PackedSink,
    Sink,
    StandardOutput,
    temporary,
)
from cleaner.formats.sources import Inputs, cannot_read
from cleaner.interruption import Terminated
from cleaner.outputs import Apart, Joined, Outputs, Targets
from cleaner.progress import NoBar, Pace, progress, tell
from cleaner.render import plural
from cleaner.tally import Tally
from cleaner.work import MOST_PROBLEMS, cores

if TYPE_CHECKING:
    from cleaner.formats.sources import Source
    from cleaner.journal import Journal
    from cleaner.work import Answer, Block, Outcome, Part

_HELD = 1 << 22  # bytes of accounts that are held in memory until their source has ended
_SMALL = 1 << 20  # bytes that one process has done before others have loaded their models
_WORKERS_A_CORE = 4  # at most, whatever is asked for: more take memory, and wait
_TOLD = 20  # records that cannot be used and are named on the log, of a run


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
        output = self.output if self.into_file else None
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
        if self.settings.show == "diff":  # of many files it is one
            return None
        return path if self.inputs.are_many and suffixed(self.output) is None else None

    @property
    def into_file(self) -> bool:
        """Whether all results go to one file."""
        return not self.in_place and not self.to_standard_output and self.folder is None

    @property
    def target(self) -> Kind | None:
        """The kind that results have; None where it is the one that their sources have."""
        if not self.into_file:
            return None if self.output_kind is None else KINDS[self.output_kind]
        if self.output_kind is None:
            return suffixed(str(self.output))
        return kind_of(str(self.output), self.output_kind)


@dataclass(frozen=True, slots=True)
class Survey:
    """What there is to read.

    Attributes
    ----------
    sources
        How many.
    size
        Bytes of all of them as they are stored; None where one is a pipe.
    packed
        Whether one is compressed, and holds more than its size says.
    one_text
        Whether it is one text document and nothing else.
    formats
        All formats there are.
    """

    sources: int
    size: int | None
    packed: bool
    one_text: bool
    formats: frozenset[Format]

    @property
    def unpacked(self) -> int | None:
        """Bytes of all of them when they are read; None where that is not known."""
        return None if self.packed else self.size


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
    # Opened before the inputs are listed: if it is one of them, `_check` finds and refuses it.
    with _accounts_in_place(job) as accounts:
        survey = _check(job)
        job = replace(job, settings=_settled(job, survey))
        pace = Pace()
        with _stats(job, survey, pace) as figures:
            _do(job, survey, pace, figures, accounts)
        _conclude(job, figures.tally, pace)
    return Finished(figures.tally, figures.changed)


def _do(job: Job, survey: Survey, pace: Pace, figures: _Figures, accounts: Sink | None) -> None:
    blocks = _blocks(job)
    wanted = not job.quiet and not survey.one_text and not _shows_documents(job)
    with ExitStack() as stack:
        bar = stack.enter_context(progress(survey.size, pace, wanted=wanted))
        journal = stack.enter_context(_journal(job, survey, bar))
        answers = stack.enter_context(closing(_answers(job, survey, blocks, journal, pace)))
        if accounts is None and job.removed is not None:
            has_gone_out = partial(_has_gone_out, job, figures)
            accounts = stack.enter_context(_lines_file(job.removed, has_gone_out))
        outputs = stack.enter_context(_outputs(job))
        work = stack.enter_context(
            _Run(job.settings, outputs, accounts, bar, figures, at_once=job.to_standard_output)
        )
        for answer in answers:
            work.take(*answer, position=blocks.position)


# --- before --------------------------------------------------------------------------------------


def _check(job: Job) -> Survey:
    """Refuse what cannot be done before anything is read or loaded, and see what there is."""
    if job.output == "":
        raise OptionError("--output is empty", next_step="name a file or a folder")
    # On standard output a folder would be one document after the other, of who knows what formats.
    takes_folders = (
        not job.to_standard_output or job.settings.show != "text" or job.output_kind is not None
    )
    job.inputs.check(title=job.settings.title, with_folders=takes_folders)
    if job.folder is not None:
        _check_folder(job)
    elif job.into_file:
        _check_name(str(job.output), job.output_kind)
    _check_files(job)
    return _survey(job)


def _check_folder(job: Job) -> None:
    folder = Path(str(job.output))
    if job.settings.show == "diff":
        raise OptionError(
            f"--diff and the folder {folder} do not go together", next_step="name a file"
        )
    for name in [*job.inputs.folders, *job.inputs.deep_patterns]:
        root = Inputs.root_of(name).resolve()
        # Into the folder itself under the same names is refused file by file, with other advice.
        is_beside = job.target is not None or name in job.inputs.deep_patterns
        if folder.resolve().is_relative_to(root) and (folder.resolve() != root or is_beside):
            raise OptionError(
                f"--output {folder} lies within the input {name}",
                next_step="name a folder outside of it",
            )


def _check_name(name: str, given: str | None) -> None:
    """Refuse a name of an output that says something else than what is to be in it."""
    if given is None:
        return
    kind, said = kind_of(name, given), suffixed(name)
    if said not in (None, kind) or kind_of(name).compression not in ("", kind.compression):
        raise OptionError(
            f"--output {name} and --output-format {given} do not go together",
            next_step=f"end the name with {kind.suffix}, or leave --output-format out",
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
    known, packed = True, False
    formats: set[Format] = set()
    checks = list(_checks(job))
    for item in job.inputs:
        for check in checks:
            check([item])
        count += 1
        one_text = count == 1 and item.format == "text"
        formats.add(item.format)
        packed |= item.format == "parquet" or bool(item.kind.compression)
        try:
            size += 0 if item.is_stdin else item.path.stat().st_size
            known &= item.is_regular
        except OSError as error:
            if job.settings.on_error == "fail":
                raise cannot_read(item.name, error) from error
    if not count:
        raise InputError(
            "no file of a known kind",
            place=", ".join(job.inputs.names),
            next_step="say with --format what the files are",
        )
    return Survey(count, size if known else None, packed, one_text, frozenset(formats))


def _checks(job: Job) -> Iterator[Callable[[Iterable[Source]], None]]:
    """What sources are looked at for."""
    for option, name in job.files.items():
        if Path(name).exists():
            step = IN_PLACE if option == "--output" else ANOTHER_NAME
            yield partial(check_target, name, option=option, next_step=step)
    if job.folder is not None:
        yield Targets(job.folder, job.target, job.files).check
    if job.in_place:
        yield partial(check_in_place, seen=set())
    if job.to_standard_output and job.settings.show != "nothing":
        yield partial(check_standard_output, next_step=IN_PLACE)
    if job.settings.show == "text":
        yield partial(_check_formats, job.target, job.output if job.into_file else None)


def _check_formats(target: Kind | None, output: str | None, sources: Iterable[Source]) -> None:
    """Refuse formats that do not go into the `target`, or under the name of the `output` file."""
    for item in sources:
        if item.format != "text" and target is not None and target.format == "text":
            raise OptionError(
                f"{shown(item.name)} cannot become text, which holds one document a file",
                next_step="use --output-format jsonl or parquet",
            )
        if item.format == "parquet" and target is None and output and PurePath(output).suffix:
            raise OptionError(
                f"--output {output} would be Parquet, as {shown(item.name)} is",
                next_step="end the name with .parquet, or say --output-format",
            )


def _is_mixed(job: Job, formats: frozenset[Format]) -> bool:
    """Whether Parquet and other formats become one file of Parquet."""
    apart = job.in_place or job.folder is not None or job.settings.show != "text"
    if apart or len(formats) == 1:
        return False
    if job.target is not None:
        return job.target.format == "parquet" and "parquet" in formats
    raise OptionError(
        f"{' and '.join(sorted(formats))} do not go into one file as they are",
        next_step="name a folder with --output, or use --output-format jsonl",
    )


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
        otherwise=""
        if settings.on_error == "fail"
        else f"--on-error {settings.on_error} takes files where --output is a folder",
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
    count = cores() if job.jobs is None else min(job.jobs, _WORKERS_A_CORE * cores())
    if survey.one_text:
        count = 1
    elif job.jobs is None and survey.unpacked is not None:
        count = min(count, max(1, survey.unpacked // _SMALL))
    if count == 1:
        yield from answers_here(blocks, make_filter(job.options, job.settings))
        return
    if job.jobs is None and survey.unpacked is None:
        # It may be little: workers are started when it proves to be much.
        begun = _first(blocks, _SMALL)
        yield from answers_here(begun, make_filter(job.options, job.settings))
        if blocks.is_ended:
            return
    # Imported where it is needed: one text is not to wait for it.
    from cleaner.workers import Workers

    with Workers(count, job.options, job.settings) as workers:
        yield from workers.answers(blocks)


@contextmanager
def _journal(job: Job, survey: Survey, bar: NoBar) -> Iterator[Journal | None]:
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
    if not job.resume and survey.unpacked is not None and survey.unpacked < _SMALL:
        yield None  # it is done again sooner than a journal is begun
        return
    from cleaner.journal import Journal, journal_path

    path = journal_path(str(job.output), is_folder=folder)
    identity, output = _identity(job), str(job.output)
    with Journal(path, identity, output=output, resume=job.resume, log=bar.log) as journal:
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
    if job.settings.show == "nothing":  # nor is standard output needed
        return _joined(job, BytesIO(), "nothing", job.target)
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
def _lines_file(name: str, has_gone_out: Callable[[], bool]) -> Iterator[Sink]:
    """A file of lines, compressed where its name says so.

    It is there after a run that failed where what it accounts for `has_gone_out`.
    """
    failure: BaseException | None = None
    with AtomicFile(name) as file:
        compression = kind_of(name).compression
        packed = PackedSink(file, compression) if compression else None
        try:
            yield packed or file
        except BaseException as error:
            if not has_gone_out():
                raise
            failure = error
        if packed is not None:
            packed.close()
    if failure is not None:
        raise failure


def _has_gone_out(job: Job, figures: _Figures) -> bool:
    """Whether something was written that a failure does not take back."""
    return job.to_standard_output and figures.tally.documents > 0


def _accounts_in_place(job: Job) -> AbstractContextManager[Sink | None]:
    """What takes the accounts of a run that changes its inputs: they are all that is left of it."""
    if job.removed is None or not job.in_place:
        return nullcontext()
    return AppendedFile(job.removed, kind_of(job.removed).compression)


@dataclass(slots=True)
class _Figures:
    """What a run has done so far.

    Attributes
    ----------
    whole, open
        Counts of the sources that have ended, and of the one that has not.
    problems
        Place and problem of the first `MOST_PROBLEMS` records and files that were passed over.
    changed
        Whether what went out differs from what came in.
    """

    whole: Tally = field(default_factory=Tally)
    open: Tally = field(default_factory=Tally)
    problems: list[str] = field(default_factory=list)
    changed: bool = False

    @property
    def tally(self) -> Tally:
        """All counts."""
        tally = Tally()
        tally.add(self.whole)
        tally.add(self.open)
        return tally


class _Run:
    """Takes outcomes, in order, to where they go."""

    def __init__(
        self,
        settings: Settings,
        outputs: Outputs,
        removed: Sink | None,
        progress: NoBar,
        figures: _Figures,
        *,
        at_once: bool,
    ) -> None:
        self._figures = figures
        self._settings = settings
        self._outputs = outputs
        self._removed = removed
        self._progress = progress
        self._at_once = at_once  # whether results are out as soon as they are taken
        # Of the source that is open: it may yet turn out that it cannot be read to its end.
        self._held = tempfile.SpooledTemporaryFile(_HELD)  # noqa: SIM115  # closed by __exit__
        self._named = 0  # records that were named on the log
        self._unnamed = 0  # records of the source that is open, which were not

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
        self._progress.update(self._figures.tally, position)

    def _part(self, part: Part, kept: Any, outcome: Outcome) -> None:
        with temporary():
            self._held.write(outcome.removed)
        if self._at_once or (part.last and outcome.error is None):
            self._account()  # before a file is replaced that holds what is accounted for
        self._outputs.take(part, kept, outcome)
        for line in outcome.log:
            self._progress.log(line)
        self._figures.open.add(outcome.tally)
        self._figures.changed |= outcome.changed
        self._tell(outcome)
        if outcome.error is not None:
            raise outcome.error
        if part.last:
            self._end(part, self._figures.open)

    def _account(self) -> None:
        """Hand on the accounts of a source."""
        if self._removed is not None:
            with temporary():
                self._held.seek(0)
            while lines := self._held.read(_HELD):
                self._removed.write(lines)
            self._removed.flush()
        self._forget()

    def _forget(self) -> None:
        self._held.seek(0)
        self._held.truncate()

    def _end(self, part: Part, tally: Tally) -> None:
        """Take the figures of a source, and begin the next one."""
        self._figures.whole.add(tally)
        self._figures.open = Tally()
        if self._unnamed:
            self._progress.log(f"{shown(part.name)}: {self._unnamed:,} more {self._done_with}")
        self._unnamed = 0

    def _leave_out(self, part: Part, error: CleanerError) -> None:
        self._forget()
        done = self._outputs.fail(part, keep=self._settings.on_error == "keep")
        problem = f"{error.place}: {error.problem}"
        self._progress.log(f"{problem}: {done}")
        self._remember([problem])
        self._end(part, Tally(errors=1))

    def _tell(self, outcome: Outcome) -> None:
        """Name the first records of a run that cannot be used; the others are counted."""
        named = outcome.problems[: _TOLD - self._named]
        for problem in named:
            self._progress.log(f"{problem}: {self._done_with}")
        self._named += len(named)
        self._unnamed += outcome.tally.errors - len(named)
        self._remember(outcome.problems)

    def _remember(self, problems: list[str]) -> None:
        room = MOST_PROBLEMS - len(self._figures.problems)
        self._figures.problems += problems[:room]

    @property
    def _done_with(self) -> str:
        """What became of records that cannot be used."""
        return "left out" if self._settings.on_error == "skip" else "kept as it is"


# --- after ---------------------------------------------------------------------------------------


@contextmanager
def _stats(job: Job, survey: Survey, pace: Pace) -> Iterator[_Figures]:
    """The figures of a run, which are written when it ends, however it ends."""
    figures = _Figures()
    if job.stats is None:
        yield figures
        return
    failure: BaseException | None = None
    try:
        with AtomicFile(job.stats) as file:
            try:
                yield figures
            except BaseException as error:  # noqa: BLE001  # raised again below
                failure = error
            values = _values(survey, figures, pace, failure)
            file.write(dump_json(values, indent=True) + b"\n")
    finally:
        if failure is not None:
            raise failure


def _values(
    survey: Survey, figures: _Figures, pace: Pace, failure: BaseException | None
) -> dict[str, Any]:
    tally = figures.tally
    error = {} if failure is None else {"error": _reason(failure)}
    return {
        "cleaner": __version__,
        "complete": failure is None,
        **error,
        "sources": survey.sources,
        **tally.to_dict(),
        "problems": figures.problems,
        "share_removed": round(tally.share_removed, 6),
        "replayed": pace.replayed,
        "seconds": round(pace.seconds, 3),
        "documents_per_second": round(pace.rate(tally.documents), 3),
    }


def _reason(failure: BaseException) -> str:
    if isinstance(failure, KeyboardInterrupt | Terminated):
        return "interrupted"
    return str(failure) or type(failure).__name__


def _conclude(job: Job, tally: Tally, pace: Pace) -> None:
    """Say what was done, where it was many documents, and of one that it was not judged."""
    if job.quiet:
        return
    if tally.documents > 1 and job.settings.show == "text":
        rate = pace.rate(tally.documents)
        tell(tally.summary(pace.seconds, rate, replayed=pace.replayed))
    elif tally.characters and not job.settings.explain:  # it has said so
        for why, count in tally.not_judged.items():
            many = f" ({plural(count, 'document')})" if tally.documents > 1 else ""
            tell(f"not judged: {why}{many}")
