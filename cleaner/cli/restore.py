"""`cleaner restore`: options to settings, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from cleaner.formats import (
    KINDS,
    STDIN,
    AtomicFile,
    PackedSink,
    Sink,
    StandardOutput,
    check_sources,
    check_standard_output,
    check_target,
    kind_of,
    source,
)


@click.command()
@click.argument("clean", metavar="CLEAN", type=click.Path(readable=False))
@click.option(
    "--removed",
    metavar="FILE",
    required=True,
    help="What was removed: the file that `cleaner --removed FILE` wrote.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Write to FILE instead of standard output: whole, or not at all.",
)
@click.option(
    "--input",
    "name",
    metavar="NAME",
    help="Which input CLEAN was made from, where several were cleaned in one run.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice([name for name in KINDS if name != "parquet"]),
    help="What CLEAN is.  [default: by its suffix: .jsonl or .ndjson, else text; "
    ".gz and .zst around them]",
)
@click.option(
    "--text-field",
    metavar="NAME",
    default="text",
    show_default=True,
    help="Field of a JSONL record that holds the text.",
)
def restore(
    clean: str,
    *,
    removed: str,
    output: str | None,
    name: str | None,
    kind: str | None,
    text_field: str,
) -> None:
    """Give the input back: put what was removed into CLEAN again, byte for byte.

    CLEAN is what the filter wrote for one input, without --explain. A text or a record that lost
    something is refused if it does not become what it was; what lost nothing goes through as it is.
    The records of JSONL before one that is refused are written by then: standard output may be cut
    short, FILE of --output is not.
    """
    from cleaner.restore import restore as put_back

    both = [source(clean, kind), source(removed, "jsonl")]
    check_sources(both)
    if output and output != STDIN:
        check_target(output, both, option="--output")
    else:
        check_standard_output(both)
    with _output(output) as sink:
        put_back(both[0], both[1], sink, name=name, field=text_field)
        sink.flush()


@contextmanager
def _output(name: str | None) -> Iterator[Sink]:
    """Standard output, or a file, compressed where its suffix says so."""
    if not name or name == STDIN:
        yield StandardOutput()
        return
    compression = kind_of(name).compression
    with AtomicFile(name) as file:
        if not compression:
            yield file
            return
        packed = PackedSink(file, compression)
        yield packed
        packed.close()
