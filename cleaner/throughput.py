"""The pace: documents a second beside the steps before and around this one, all in one run.

Run as ``python -m cleaner.throughput PAGES``; PAGES is JSON Lines, gzipped or not, a web page a
record, with its ``html``. The documents are what trafilatura extracts from them, so that cleaner is
measured on what it would be given, and beside what gave it.

Figures are ratios: both sides of one are measured in turn, and the median of the turns is taken, so
that what else the machine is doing falls on both. Start-up is measured apart. The fast tier meets
its documents, and their words, for the first time in each turn.
"""

from __future__ import annotations

import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from cleaner import __version__
from cleaner.blocks import Blocks
from cleaner.command import ModuleCommand
from cleaner.document import Document
from cleaner.errors import InputError
from cleaner.evaluation.reader import read_lines
from cleaner.filtering import Filter, Settings, answers_here
from cleaner.formats import Inputs, dump_json
from cleaner.segment import segment
from cleaner.workers import Workers

if TYPE_CHECKING:
    from cleaner.cleaning import Cleaner

_BESIDE_EXTRACTOR = "fast, beside trafilatura"
_PAGES = "give JSON Lines, a web page a record, as `html`"
_FEWEST = 200  # code points below which an extraction is no document
_LINES = (1_000, 10_000, 100_000)
_COUNTS = (1, 2, 4)  # times the documents
_WARM_UP = "1 2 3 4 5.\n" * 20  # what is loaded on first use is, and no word is learned
_SAMPLE = 0.002  # seconds of processor time between two looks at where it is spent

_CHARACTERS_A_TOKEN = 4.0  # an assumption: of English text under the usual sub-word tokenizers
# From nothing to a list of scores, as somebody would write it who has the weights at hand.
_NAIVE_SCRIPT = """
import sys
from pathlib import Path
from cleaner.encoders.transformer import official
from cleaner.throughput import naive
naive(official(), [Path(sys.argv[1]).read_text(encoding="utf-8")])
"""
# The process says it itself: what the system counts of a child begins with its parent's memory.
_PEAK_SCRIPT = """
import atexit, runpy, sys
from pathlib import Path
status = Path("/proc/self/status")
atexit.register(lambda: sys.stderr.write(status.read_text() if status.exists() else ""))
runpy.run_module("cleaner", run_name="__main__")
"""
_SCALES = {
    "60 billion tokens": 60e9,
    "375 billion tokens, a Common Crawl month": 375e9,
    "15 trillion tokens": 15e12,
}

# Where time goes, by the module that was running.
_STAGES = {
    "blocks": "reading",
    "formats": "reading and writing",
    "filtering": "reading and writing",
    "reading": "reading and writing",
    "work": "reading and writing",
    "document": "splitting",
    "markdown": "splitting",
    "segment": "splitting",
    "language": "language",
    "encoders": "tokenizing and pooling",
    "topic": "evidence",
    "words": "evidence",
    "evidence": "evidence",
    "layout": "evidence",
    "network": "networks",
    "member": "networks",
    "threads": "networks",
    "detector": "trees",
    "detector_files": "trees",
    "scores": "trees",
    "reasons": "findings",
    "results": "findings",
    "cleaning": "findings",
    "tally": "findings",
    "render": "findings",
    "restore": "findings",
}


@dataclass(frozen=True, slots=True)
class Ratio:
    """How much one thing takes beside another.

    Attributes
    ----------
    name
        What is compared.
    ours, theirs
        Median of each, in `unit`.
    ratio
        Median over the turns of the quotient that should be high or low, as `name` says.
    spread
        Least and greatest quotient of the turns.
    """

    name: str
    unit: str
    ours: float
    theirs: float
    ratio: float
    spread: tuple[float, float]


@dataclass(slots=True)
class Measurements:
    """All that was measured."""

    machine: dict[str, Any]
    documents: dict[str, Any] = field(default_factory=dict)
    ratios: list[Ratio] = field(default_factory=list)
    start_up: dict[str, float] = field(default_factory=dict)
    peak: dict[str, float] = field(default_factory=dict)
    by_lines: dict[int, float] = field(default_factory=dict)
    by_documents: dict[int, float] = field(default_factory=dict)
    stages: dict[str, float] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The figures as JSON types."""
        return {
            "machine": self.machine,
            "documents": self.documents,
            "ratios": [
                {
                    "name": item.name,
                    "unit": item.unit,
                    "ours": round(item.ours, 4),
                    "theirs": round(item.theirs, 4),
                    "ratio": round(item.ratio, 3),
                    "spread": [round(value, 3) for value in item.spread],
                }
                for item in self.ratios
            ],
            "start_up_seconds": _rounded(self.start_up),
            "peak_megabytes": _rounded(self.peak),
            "seconds_by_lines_of_one_document": _rounded(self.by_lines),
            "seconds_by_number_of_documents": _rounded(self.by_documents),
            "growth_with_lines": _growth(self.by_lines),
            "growth_with_documents": _growth(self.by_documents),
            "share_of_time_by_stage": _rounded(self.stages),
            "limits_megabytes_a_second": _rounded(self.limits),
            "core_hours": _rounded(self.core_hours),
        }

    @property
    def core_hours(self) -> dict[str, float]:
        """Hours of one core that corpora of some sizes take at the measured rate."""
        fast = next((item for item in self.ratios if item.name == _BESIDE_EXTRACTOR), None)
        if fast is None or not self.documents.get("documents"):
            return {}
        length = self.documents["characters"] / self.documents["documents"]
        an_hour = 3600 * fast.ours * length
        return {
            name: tokens * _CHARACTERS_A_TOKEN / an_hour for name, tokens in _SCALES.items()
        } | {"a billion of these documents": 1e9 * length / an_hour}


def _rounded(figures: dict[Any, float]) -> dict[str, float]:
    return {str(name): round(value, 4) for name, value in figures.items()}


def _growth(seconds: dict[int, float]) -> float | None:
    """Exponent of the growth of time with size, by least squares: 1 is linear."""
    if len(seconds) < 2:  # noqa: PLR2004  # a line needs two points
        return None
    sizes, times = np.log(list(seconds)), np.log(list(seconds.values()))
    return round(float(np.polyfit(sizes, times, 1)[0]), 3)


# --- measuring -----------------------------------------------------------------------------------


def _seconds(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def compare(
    name: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    counts: tuple[int, int],
    runs: int,
    prepare: Callable[[], object] = lambda: None,
    low_is_good: bool = False,
) -> Ratio:
    """Measure two actions in turn.

    Parameters
    ----------
    name
        What is compared.
    ours, theirs
        The actions.
    counts
        Documents that each of them does.
    runs
        Turns.
    prepare
        Done before each turn, and not counted.
    low_is_good
        Whether the quotient is of our time by theirs, else of our rate by theirs.
    """
    rates = []
    for _ in range(runs):
        prepare()
        rates.append((counts[0] / _seconds(ours), counts[1] / _seconds(theirs)))
    quotients = [b / a if low_is_good else a / b for a, b in rates]
    return Ratio(
        name,
        "documents/s",
        statistics.median(a for a, _ in rates),
        statistics.median(b for _, b in rates),
        statistics.median(quotients),
        (min(quotients), max(quotients)),
    )


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603  # our own


def _peak(path: str) -> float:
    """Memory that the command takes at its peak, in megabytes; NaN where that is not told."""
    command = [sys.executable, "-c", _PEAK_SCRIPT, path]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  # our own
    said = re.search(r"VmHWM:\s*(\d+) kB", done.stderr)
    return int(said[1]) * 1024 / 1e6 if said else float("nan")


@contextmanager
def sampled(counts: Counter[str]) -> Iterator[None]:
    """Count, while this lasts, the modules of this package that processor time is spent in.

    A signal comes after every two milliseconds of processor time, and the innermost function of
    this package is looked up then: what a library does is its caller's.
    """

    def look(_number: int, frame: FrameType | None) -> None:
        while frame is not None:
            parts = str(frame.f_globals.get("__name__", "")).split(".")
            if parts[0] == "cleaner" and len(parts) > 1 and parts[1] != "throughput":
                counts[_STAGES.get(parts[1], "other")] += 1
                return
            frame = frame.f_back
        counts["other"] += 1

    before = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, _SAMPLE, _SAMPLE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


# --- what is measured ----------------------------------------------------------------------------


def read_pages(path: Path, limit: int | None) -> list[str]:
    """The ``html`` of the records.

    Raises
    ------
    InputError
        If the file cannot be read, or a record has none.
    """
    pages: list[str] = []
    for place, record in islice(read_lines(path), limit):
        if not isinstance(record.get("html"), str):
            raise InputError("the record has no field 'html'", place=place, next_step=_PAGES)
        pages.append(record["html"])
    return pages


def extract(pages: Sequence[str]) -> list[str]:
    """What trafilatura leaves of the pages; empty where it finds nothing."""
    import trafilatura

    return [trafilatura.extract(page) or "" for page in pages]


def naive(model: Any, texts: Sequence[str]) -> list[list[float]]:
    """The naive way: each document's sentences encoded, and their cosine to the centroid."""
    scores: list[list[float]] = []
    for text in texts:
        fragments = segment(text).texts
        if fragments:
            vectors = model.encode(fragments, normalize_embeddings=True, show_progress_bar=False)
            centroid = vectors.mean(axis=0)
            scores.append((vectors @ centroid / np.linalg.norm(centroid)).tolist())
    return scores


def encode_all(model: Any, fragments: Sequence[str]) -> None:
    """Encode all fragments; sentence-transformers sorts them by length itself."""
    model.encode(list(fragments), batch_size=32, show_progress_bar=False)


def clean(cleaner: Cleaner, texts: Sequence[str]) -> None:
    """Clean all texts."""
    for _ in cleaner.clean_many(Document(text) for text in texts):
        pass


class Fresh:
    """Cleans texts with a cleaner that has seen none of them: its caches of words are empty.

    Parameters
    ----------
    texts
        What is cleaned.
    """

    cleaner: Cleaner

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts

    def load(self) -> None:
        """Load the model anew, and have it judge one text of no words."""
        from cleaner.cleaning import Cleaner

        self.cleaner = Cleaner()
        clean(self.cleaner, [_WARM_UP])

    def clean(self) -> None:
        """Clean all texts."""
        clean(self.cleaner, self._texts)


def write_jsonl(path: Path, texts: Sequence[str], *, times: int = 1) -> None:
    """The texts as JSON Lines, several times over."""
    with path.open("wb") as stream:
        for turn in range(times):
            for number, text in enumerate(texts):
                stream.write(dump_json({"id": f"{turn}-{number}", "text": text}) + b"\n")


def _blocks(path: Path) -> Blocks:
    return Blocks(Inputs((str(path),)))


# --- the measurements ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bench:
    """Pages, the documents in them, and how thoroughly they are measured."""

    pages: tuple[str, ...]
    texts: tuple[str, ...]
    runs: int
    subset: int
    folder: Path

    def fast(self, found: Measurements) -> None:
        """One process against the extractor, stage by stage, and by size."""
        fresh = Fresh(self.texts)
        found.ratios.append(
            compare(
                _BESIDE_EXTRACTOR,
                fresh.clean,
                lambda: extract(self.pages),
                counts=(len(self.texts), len(self.pages)),
                runs=self.runs,
                prepare=fresh.load,
            )
        )
        fresh.load()
        cleaner = fresh.cleaner
        self._stages(found, cleaner)
        lines = [line for text in self.texts for line in text.splitlines()]
        for count in _LINES:
            # Numbered, for a line that came before is not encoded again.
            text = "\n".join(f"{lines[n % len(lines)]} {n}" for n in range(count))
            found.by_lines[count] = self._median(partial(clean, cleaner, [text]))
        for times in _COUNTS:
            texts = self.texts * times
            found.by_documents[len(texts)] = self._median(partial(clean, cleaner, texts))

    def _median(self, action: Callable[[], object]) -> float:
        return statistics.median(_seconds(action) for _ in range(self.runs))

    def _stages(self, found: Measurements, cleaner: Cleaner) -> None:
        path = self.folder / "stages.jsonl"
        write_jsonl(path, self.texts)
        counts: Counter[str] = Counter()
        work = Filter(cleaner, Settings(account=True))
        with sampled(counts), (self.folder / "out").open("wb") as out:
            for _, outcomes in answers_here(_blocks(path), work):
                for outcome in outcomes:
                    out.write(outcome.output)
        total = counts.total() or 1
        found.stages = {name: count / total for name, count in counts.most_common()}

    def workers(self, found: Measurements) -> None:
        """Two workers against one, both with their models loaded."""
        path = self.folder / "many.jsonl"
        write_jsonl(path, self.texts, times=max(1, 4_000_000 // max(1, sum(map(len, self.texts)))))
        count = path.read_bytes().count(b"\n")
        with Workers(1, {}, Settings()) as one, Workers(2, {}, Settings()) as two:

            def run(workers: Workers) -> None:
                for _ in workers.answers(_blocks(path)):
                    pass

            run(one)
            run(two)
            found.ratios.append(
                compare(
                    "two workers, beside one",
                    lambda: run(two),
                    lambda: run(one),
                    counts=(count, count),
                    runs=self.runs,
                )
            )

    def transformer(self, found: Measurements) -> None:
        """The naive way, also from nothing, and the accurate tier against the transformer alone."""
        from cleaner.cleaning import Cleaner
        from cleaner.encoders.transformer import official

        model = official()
        texts = self.texts[: self.subset]
        fresh, accurate = Fresh(self.texts), Cleaner(encoder="accurate")
        found.ratios.append(
            compare(
                "fast, beside the naive way",
                fresh.clean,
                lambda: naive(model, texts),
                counts=(len(self.texts), len(texts)),
                runs=self.runs,
                prepare=fresh.load,
            )
        )
        article = str(self._article())
        found.ratios.append(
            compare(
                "the command on an article, beside a script of the naive way",
                lambda: _run([sys.executable, "-m", "cleaner", article]),
                lambda: _run([sys.executable, "-c", _NAIVE_SCRIPT, article]),
                counts=(1, 1),
                runs=self.runs,
            )
        )
        fragments = [part for text in texts for part in segment(text).texts]
        found.ratios.append(
            compare(
                "accurate, time by that of the transformer alone",
                lambda: clean(accurate, texts),
                lambda: encode_all(model, fragments),
                counts=(len(texts), len(texts)),
                runs=self.runs,
                low_is_good=True,
            )
        )

    def start_up(self, found: Measurements) -> None:
        """A short text and an article through the command, from nothing."""
        path = self.folder / "short.txt"
        path.write_text("One line.\n")
        for name, text in (("a short text", path), ("an article", self._article())):
            command = [sys.executable, "-m", "cleaner", str(text)]
            _run(command)
            found.start_up[name] = self._median(partial(_run, command))
            found.peak[name] = _peak(str(text))

    def _article(self) -> Path:
        """A file with the first of the documents."""
        path = self.folder / "article.txt"
        path.write_text(self.texts[0], encoding="utf-8")
        return path

    def limits(self, found: Measurements) -> None:
        """What the machine does at best with the same bytes: memory, lines, words, tokens."""
        from cleaner.encoders import MODELS

        data = "\n".join(self.texts)
        size = len(data.encode()) / 1e6
        array = np.zeros(1 << 26, dtype=np.uint8)
        found.limits["copying memory"] = array.nbytes / 1e6 / self._median(array.copy)
        found.limits["finding lines"] = size / self._median(lambda: data.split("\n"))
        found.limits["finding words"] = size / self._median(data.split)
        found.limits["splitting into sentences"] = size / self._median(lambda: segment(data))
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(MODELS / "fast" / "encoder" / "tokenizer.json"))
        lines = data.split("\n")
        found.limits["tokenizing without a cache"] = size / self._median(
            lambda: tokenizer.encode_batch_fast(lines, add_special_tokens=False)
        )


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    names = ("numpy", "onnxruntime", "tokenizers", "trafilatura", "sentence-transformers", "torch")
    return {
        "cleaner": __version__,
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "versions": {name: version for name in names if (version := _version(name))},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _version(name: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return ""


# --- showing -------------------------------------------------------------------------------------


def table(found: Measurements) -> str:
    """The figures for people."""
    rows = [f"{'':50s} {'ours':>10s} {'theirs':>10s} {'ratio':>8s}   least - greatest"]
    for item in found.ratios:
        low, high = item.spread
        rows.append(
            f"{item.name:50s} {item.ours:10.2f} {item.theirs:10.2f} {item.ratio:8.2f}"
            f"   {low:.2f} - {high:.2f}  ({item.unit})"
        )
    figures = found.to_dict()
    for title, unit, values in (
        ("start-up", "s", found.start_up),
        ("peak memory", "MB", found.peak),
        ("one document of so many lines", "s", found.by_lines),
        ("so many documents", "s", found.by_documents),
        ("time by stage", "share", found.stages),
        ("the machine's best", "MB/s", found.limits),
        ("of one core, at that rate", "hours", found.core_hours),
    ):
        rows += ["", f"{title} ({unit})"]
        rows += [f"  {name!s:40s} {value:10.3f}" for name, value in values.items()]
    rows += ["", f"growth with lines: size ** {figures['growth_with_lines']}"]
    rows += [f"growth with documents: size ** {figures['growth_with_documents']}"]
    return "\n".join(rows)


def draw(found: Measurements, path: Path) -> None:
    """The figures as a picture: rates beside each other, growth, and where time goes."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (rates, growth, stages) = plt.subplots(1, 3, figsize=(15, 4.5))
    names = [item.name.replace(", ", ",\n") for item in found.ratios]
    at = np.arange(len(names))
    rates.barh(at + 0.2, [item.ours for item in found.ratios], 0.4, label="cleaner")
    rates.barh(at - 0.2, [item.theirs for item in found.ratios], 0.4, label="beside it")
    rates.set(yticks=at, yticklabels=names, xscale="log", xlabel="documents a second")
    rates.legend()
    lines = list(found.by_lines)
    growth.loglog(lines, list(found.by_lines.values()), "o-", label="measured")
    if lines:
        first = found.by_lines[lines[0]]
        growth.loglog(lines, [first * n / lines[0] for n in lines], "--", label="linear")
    growth.set(xlabel="lines of one document", ylabel="seconds")
    growth.legend()
    stages.barh(list(found.stages), list(found.stages.values()))
    stages.set(xlabel="share of processor time")
    figure.tight_layout()
    figure.savefig(path, dpi=120)


@click.command(cls=ModuleCommand)
@click.option("--runs", type=click.IntRange(min=1), default=5, show_default=True, help="Turns.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many pages.")
@click.option(
    "--subset",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Documents that the transformer is given.",
)
@click.option("--fast-only", is_flag=True, help="Nothing with the transformer.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the figures.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw them, as PNG or SVG.")
@click.argument("pages", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(
    *,
    runs: int,
    limit: int | None,
    subset: int,
    fast_only: bool,
    json_file: Path | None,
    plot: Path | None,
    pages: Path,
) -> None:
    """Measure the pace on PAGES beside trafilatura, the naive way and the transformer alone."""
    found = Measurements(machine())
    html = read_pages(pages, limit)
    texts = [text for text in extract(html) if len(text) >= _FEWEST]
    if not texts:
        raise InputError(
            f"of {len(html)} pages none has {_FEWEST} characters of text",
            place=str(pages),
            next_step="give pages of articles",
        )
    found.documents = {
        "pages": len(html),
        "documents": len(texts),
        "characters": sum(map(len, texts)),
        "fragments": sum(len(segment(text)) for text in texts),
    }
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(tuple(html), tuple(texts), runs, subset, Path(folder))
        steps = [bench.start_up, bench.fast, bench.workers, bench.limits]
        for step in steps if fast_only else [*steps, bench.transformer]:
            click.echo(f"{step.__name__.replace('_', '-')} ...", err=True)
            step(found)
    click.echo(table(found))
    if json_file is not None:
        json_file.write_bytes(dump_json(found.to_dict(), indent=True) + b"\n")
    if plot is not None:
        draw(found, plot)


if __name__ == "__main__":
    main()
