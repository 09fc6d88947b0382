"""An evaluation as tables: ruled on a terminal, plain columns elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cleaner.evaluation.floors import COUNT
from cleaner.formats import standard_text
from cleaner.render import plural, printable

if TYPE_CHECKING:
    from cleaner.evaluation.figures import Figures
    from cleaner.evaluation.floors import Check
    from cleaner.evaluation.measure import AtThreshold, Evaluation, Summary

_PLAIN_WIDTH = 160  # columns where there is no terminal
_MOST_ROWS = 25  # of a table by source, page type or kind
_MISSING = "-"
_RIGHT = ("precision", "f1")
_FIGURES = ("precision", "recall", "f1", "average precision", "lost", "left")


def console() -> Console:
    """Standard output: as wide as the terminal, or wide enough where there is none.

    Raises
    ------
    OutputError
        If it is closed.
    """
    out = standard_text()
    found = Console(file=out, highlight=False, emoji=False)
    return (
        found
        if found.is_terminal
        else Console(file=out, highlight=False, emoji=False, width=_PLAIN_WIDTH)
    )


def show(evaluation: Evaluation, out: Console) -> None:
    """Print all tables of `evaluation`."""
    overall = evaluation.overall
    out.print(
        f"{plural(overall.documents, 'document')}, {plural(overall.units, 'line')},"
        f" {overall.to_remove:,} to"
        f" remove; encoder {printable(evaluation.encoder)}, threshold {evaluation.threshold:g}",
        markup=False,
    )
    for why, count in evaluation.not_judged.items():
        out.print(f"not judged: {plural(count, 'document')}: {why}", markup=False)
    _print_figures(evaluation, out)
    _print_thresholds(evaluation.thresholds, evaluation.threshold, out)
    for field, rows in evaluation.by.items():
        if len(rows) > 1:
            _print_groups(field, rows, out)
    _print_reasons(evaluation, out)
    _print_kinds(evaluation, out)
    _print_calibration(evaluation, out)


def show_checks(checks: Sequence[Check], out: Console) -> None:
    """Print what was held against the floors: one row for each set and figure that is amiss."""
    rows = [
        (
            check.dataset,
            check.figure.replace("_", " "),
            _amount(check.figure, check.floor),
            _amount(check.figure, check.found),
            check.verdict,
        )
        for check in checks
    ]
    names = ("set", "figure", "floor", "found", "")
    _print("floors", names, rows, out, texts=(0, 1, 4))


def show_figures(title: str, rows: Mapping[str, Figures], out: Console) -> None:
    """Print figures over fragments, one row for each name."""
    cells = [(name, *(_cell(row, figure) for figure in _FIGURES)) for name, row in rows.items()]
    _print(title, ("", *_FIGURES), cells, out, texts=(0,))


def _print_figures(evaluation: Evaluation, out: Console) -> None:
    overall = evaluation.overall
    rows = []
    for name in (*_FIGURES, "clean removed"):
        value = _cell(overall, name)
        bounds = overall.intervals.get(name.replace(" ", "_")) if value != _MISSING else None
        between = f"{_share(bounds[0])} to {_share(bounds[1])}" if bounds else _MISSING
        rows.append((name, value, between))
    calibration = evaluation.calibration
    rows.append(("Brier score", _share(calibration.brier), _MISSING))
    rows.append(("calibration error", _share(calibration.error), _MISSING))
    _print("figures", ("figure", "value", "95 % interval"), rows, out, texts=(0,))


def _print_thresholds(table: Iterable[AtThreshold], threshold: float, out: Console) -> None:
    rows = [
        (
            f"{row.threshold:g}" + (" *" if row.threshold == threshold else ""),
            *(_cell(row, name) for name in ("precision", "recall", "f1", "lost", "left")),
        )
        for row in table
    ]
    _print("by threshold", ("threshold", "precision", "recall", "f1", "lost", "left"), rows, out)


def _print_groups(field: str, groups: dict[str, Summary], out: Console) -> None:
    ordered = sorted(groups.items(), key=lambda item: (-item[1].units, item[0]))
    rows = [
        (
            name or "(none)",
            f"{summary.documents:,}",
            f"{summary.units:,}",
            f"{summary.to_remove:,}",
            *(_cell(summary, figure) for figure in _FIGURES),
            _share(summary.clean_removed),
        )
        for name, summary in ordered[:_MOST_ROWS]
    ]
    title = field.replace("_", " ")
    names = (title, "documents", "lines", "to remove", *_FIGURES, "clean removed")
    _print(f"by {title}{_cut(len(ordered))}", names, rows, out, texts=(0,))


def _print_reasons(evaluation: Evaluation, out: Console) -> None:
    rows = [
        (row.reason, f"{row.removed:,}", _share(row.precision), f"{row.content:,}")
        for row in evaluation.reasons
    ]
    names = ("reason", "lines removed", "precision", "content lost, characters")
    _print("by reason given", names, rows, out, texts=(0,))


def _print_kinds(evaluation: Evaluation, out: Console) -> None:
    rows = [
        (row.kind, f"{row.units:,}", f"{row.to_remove:,}", _share(row.removed))
        for row in evaluation.kinds[:_MOST_ROWS]
    ]
    names = ("kind", "lines", "to remove", "removed")
    _print(f"by kind of line{_cut(len(evaluation.kinds))}", names, rows, out, texts=(0,))


def _print_calibration(evaluation: Evaluation, out: Console) -> None:
    rows = [
        (f"{part.low:.1f} to {part.high:.1f}", f"{part.units:,}", _share(part.score),
         _share(part.share))
        for part in evaluation.calibration.bins
    ]  # fmt: skip
    _print("reliability", ("score", "lines", "mean score", "share to remove"), rows, out)


def _cut(count: int) -> str:
    return f", the {_MOST_ROWS} largest of {count}" if count > _MOST_ROWS else ""


def _amount(figure: str, value: float | None) -> str:
    return f"{value:,.0f}" if figure == COUNT and value is not None else _share(value)


def _cell(row: Figures | Summary | AtThreshold, figure: str) -> str:
    """A figure of a row. Of nothing that is to be removed, nothing is removed rightly or not."""
    if row.recall is None and figure in _RIGHT:
        return _MISSING
    return _share(getattr(row, figure.replace(" ", "_")))


def _share(value: float | None) -> str:
    return _MISSING if value is None else f"{value:.4f}"


def _print(
    title: str,
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    out: Console,
    *,
    texts: Sequence[int] = (),
) -> None:
    """Print a table; the columns `texts` are words, the others figures."""
    if not rows:
        return
    ruled = out.is_terminal
    table = Table(box=box.SIMPLE_HEAD if ruled else None, pad_edge=False)
    for index, name in enumerate(names):
        table.add_column(name, justify="left" if index in texts else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    out.print()
    out.print(title, style="bold", markup=False)
    out.print(table)
