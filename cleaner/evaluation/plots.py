"""Plots of an evaluation as PNG: the precision-recall and the reliability curve."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleaner.errors import OptionError, OutputError

if TYPE_CHECKING:
    from cleaner.evaluation.measure import Evaluation

_SIZE = (5.0, 5.0)  # inches
_DOTS = 150  # an inch
_INSTALL = "pip install 'article-cleaner[plots]'"


def check_plots(folder: Path) -> None:
    """Make the folder, before anything is measured, and refuse where matplotlib is missing.

    Raises
    ------
    OptionError
        If it is.
    OutputError
        If the folder cannot be made.
    """
    try:
        import matplotlib as mpl  # noqa: F401  # asked whether it is there
    except ImportError as error:
        raise OptionError(f"--plots needs matplotlib ({error})", next_step=_INSTALL) from error
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)


def write_plots(evaluation: Evaluation, folder: Path) -> tuple[Path, Path]:
    """Write ``precision-recall.png`` and ``reliability.png`` to `folder`.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    paths = (folder / "precision-recall.png", folder / "reliability.png")
    with _writing(folder):
        for path, draw in zip(paths, (_precision_recall, _reliability), strict=True):
            _figure(evaluation, draw).savefig(path, dpi=_DOTS)
    return paths


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"cannot write the plots ({error.strerror or error})",
            place=str(folder),
            next_step="name a folder that you may write to",
        ) from error


def _figure(evaluation: Evaluation, draw: Any) -> Any:
    # The figure itself, not pyplot: no window, no state, no display needed.
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlim=(0, 1.01), ylim=(0, 1.01), aspect="equal")
    axes.grid(visible=True, alpha=0.3)
    draw(evaluation, axes)
    return figure


def _precision_recall(evaluation: Evaluation, axes: Any) -> None:
    axes.set(xlabel="recall", ylabel="precision", title="Precision and recall, over lines")
    area = evaluation.overall.average_precision
    label = "no line to remove" if area is None else f"average precision {area:.3f}"
    curve = evaluation.curve
    axes.step(curve.recall, curve.precision, where="pre", label=label)
    overall = evaluation.overall
    if overall.precision is not None and overall.recall is not None:
        text = f"threshold {evaluation.threshold:g}"
        axes.plot(overall.recall, overall.precision, "o", label=text)
    axes.legend(loc="lower left")


def _reliability(evaluation: Evaluation, axes: Any) -> None:
    axes.set(xlabel="score", ylabel="share of lines to remove", title="Reliability of the scores")
    axes.plot((0, 1), (0, 1), "--", color="grey", label="calibrated")
    bins = [part for part in evaluation.calibration.bins if part.units]
    brier = evaluation.calibration.brier
    label = "no line judged" if brier is None else f"Brier score {brier:.3f}"
    axes.plot([b.score for b in bins], [b.share for b in bins], "o-", label=label)
    for part in bins:
        axes.annotate(f"{part.units:,}", (part.score, part.share), (4, -10), fontsize=7,
                      textcoords="offset points")  # fmt: skip
    axes.legend(loc="upper left")
