"""`cleaner evaluate`: options to settings, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cleaner.cli.options import FAILED
from cleaner.errors import InputError, OptionError
from cleaner.formats import (
    STDIN,
    AtomicFile,
    Sink,
    StandardOutput,
    check_target,
    dump_json,
    shown,
    source,
)
from cleaner.formats.kinds import bare
from cleaner.formats.sinks import OPEN_IT

if TYPE_CHECKING:
    from cleaner.evaluation.floors import Floors
    from cleaner.evaluation.measure import Dataset, Evaluation


@click.command()
@click.argument("labelled", nargs=-1, required=True, type=click.Path(readable=False))
@click.option(
    "--encoder",
    metavar="NAME",
    help="fast, accurate, or the name or folder of a sentence-transformers model.  "
    "[default: the model's own, else fast]",
)
@click.option("--model", metavar="FOLDER", help="Topic model and detector to measure.")
@click.option(
    "--threshold",
    metavar="NUMBER",
    type=float,
    help="Probability from which a fragment goes, 0 to 1.  [default: the detector's own]",
)
@click.option(
    "--only", metavar="REASON", multiple=True, help="Remove for this reason only. Repeatable."
)
@click.option(
    "--not",
    "exclude",
    metavar="REASON",
    multiple=True,
    help="Do not remove for this reason. Repeatable.",
)
@click.option(
    "--limit", metavar="NUMBER", type=click.IntRange(1), help="Of each file so many at most."
)
@click.option("--json", "json_file", metavar="FILE", help="Write all figures to FILE; - is stdout.")
@click.option("--plots", metavar="FOLDER", help="Write precision-recall.png and reliability.png.")
@click.option(
    "--floors", metavar="FILE", help="Hold the figures of each file against FILE; status 1 if less."
)
@click.option("--raise-floors", is_flag=True, help="Write what is better, or new, to --floors.")
@click.option("--lower-floors", is_flag=True, help="Write what is worse to --floors.")
def evaluate(labelled: Sequence[str], **options: Any) -> None:
    """Clean LABELLED documents and say how well it was done.

    LABELLED are JSON Lines files, .gz and .zst too, or - for standard input: "lines" with "labels"
    (1 remove, 0 keep, -1 not scored), or "text" with "spans". Each file is a set under its own
    name.

    \b
      cleaner evaluate labelled.jsonl
      cleaner evaluate --encoder accurate --json figures.json --plots plots *.jsonl.gz
    """  # noqa: D301  # the mark that keeps lines apart is a real backspace
    _check(labelled, options)
    from cleaner.evaluation.tables import console, show

    # Opened first: what cannot be read or written is told before the work is done.
    floors = _floors(options)
    with _json_sink(options["json_file"]) as sink:
        out = None if options["json_file"] == STDIN else console()
        evaluation = _measure(_read(labelled, options["limit"]), options)
        if out is not None:
            show(evaluation, out)
        if sink is not None:
            sink.write(dump_json(evaluation.to_dict(), indent=True) + b"\n")
            sink.flush()
    if options["plots"]:
        _plot(evaluation, Path(options["plots"]))
    if floors is not None and not _hold(floors, evaluation, options):
        click.get_current_context().exit(FAILED)


def _check(labelled: Sequence[str], options: dict[str, Any]) -> None:
    """Refuse what does not go together before anything is read or loaded."""
    for flag in ("raise_floors", "lower_floors"):
        if options[flag] and not options["floors"]:
            name = "--" + flag.replace("_", "-")
            raise OptionError(f"{name} without --floors", next_step="name the file of floors")
    names = [dataset_name(name) for name in labelled]
    for name in names:
        if names.count(name) > 1:
            raise OptionError(
                f"two files are called {name!r}", next_step="give files of different names"
            )
    if options["floors"] and (options["only"] or options["exclude"]):
        raise OptionError(
            "--floors and --only or --not do not go together",
            next_step="hold floors of all reasons",
        )
    if options["floors"] and options["threshold"] is not None:
        raise OptionError(
            "--floors and --threshold do not go together",
            next_step="hold floors at the default threshold",
        )
    if options["plots"]:
        from cleaner.evaluation.plots import check_plots

        check_plots(Path(options["plots"]))
    if options["json_file"] and options["json_file"] != STDIN:
        read = [*labelled, *filter(None, [options["floors"]])]
        sources = [source(name, "jsonl") for name in read]
        check_target(options["json_file"], sources, option="--json")


def dataset_name(path: str) -> str:
    """What a file's set is called: its name without the suffixes that say what it is."""
    return bare(shown(Path(path).name))


def _read(labelled: Sequence[str], limit: int | None) -> list[Dataset]:
    from itertools import islice

    from cleaner.evaluation.measure import Dataset
    from cleaner.evaluation.reader import read_labelled

    datasets = []
    for path in labelled:
        documents = list(islice(read_labelled(path), limit))
        if not documents:
            raise InputError(
                "no labelled documents", place=shown(path), next_step="give a file that has some"
            )
        datasets.append(Dataset(dataset_name(path), documents))
    return datasets


def _measure(datasets: Sequence[Dataset], options: dict[str, Any]) -> Evaluation:
    from rich.console import Console
    from rich.progress import Progress

    from cleaner.cleaning import Cleaner
    from cleaner.evaluation.measure import evaluate as measure
    from cleaner.reasons import REASONS

    names = ("encoder", "threshold", "only", "exclude", "model")
    chosen = {name: options[name] for name in names if options[name] is not None}
    cleaner = Cleaner(**chosen)
    allowed = [r for r in options["only"] or REASONS if r not in options["exclude"]]
    err = Console(stderr=True, emoji=False)
    with Progress(console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("cleaning", total=sum(len(d.documents) for d in datasets))
        advance: Callable[[int], None] = lambda done: progress.advance(task, done)  # noqa: E731
        name = options["model"] or cleaner.encoder_name
        return measure(cleaner, datasets, encoder=name, reasons=allowed, advance=advance)


def _json_sink(target: str | None) -> AbstractContextManager[Sink | None]:
    if not target:
        return nullcontext()
    if target == STDIN:
        return nullcontext(StandardOutput(next_step=OPEN_IT))
    return AtomicFile(target)


def _plot(evaluation: Evaluation, folder: Path) -> None:
    from cleaner.evaluation.plots import write_plots

    for path in write_plots(evaluation, folder):
        click.echo(f"written: {path}", err=True)


def _floors(options: dict[str, Any]) -> Floors | None:
    """The floors that are to be held or moved; None where there are none."""
    from cleaner.evaluation.floors import Floors

    if not options["floors"]:
        return None
    path = Path(options["floors"])
    floors = Floors() if options["raise_floors"] and not path.exists() else Floors.read(path)
    if options["raise_floors"] or options["lower_floors"]:
        with AtomicFile(path) as file:
            file.discard()
    return floors


def _hold(floors: Floors, evaluation: Evaluation, options: dict[str, Any]) -> bool:
    """Hold the floors, moving them where that was asked for; whether they hold."""
    path = Path(options["floors"])
    up, down = options["raise_floors"], options["lower_floors"]
    if up or down:
        floors = floors.moved(evaluation, up=up, down=down)
        floors.write(path)
        click.echo(f"written: {path}", err=True)
    return _show(floors, evaluation, path)


def _show(floors: Floors, evaluation: Evaluation, path: Path) -> bool:
    from rich.console import Console

    from cleaner.evaluation.floors import amiss
    from cleaner.evaluation.tables import show_checks

    checks = floors.check(evaluation)
    if not checks:
        raise InputError(
            f"no floors for the encoder {evaluation.encoder!r}",
            place=str(path),
            next_step="set them with --raise-floors",
        )
    wrong = amiss(checks)
    show_checks(wrong, Console(stderr=True, highlight=False, emoji=False))
    verdict = f"{len(checks) - len(wrong)} of {len(checks)} floors hold"
    step = "; what is meant to be worse takes --lower-floors" if wrong else ""
    click.echo(verdict + step, err=True)
    return not wrong
