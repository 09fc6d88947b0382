"""Split clean articles by site: some to train on, the others, with intruders put in, to measure on.

Run as ``python -m cleaner.training.held_out --train TRAIN.jsonl --test TEST.jsonl ARTICLES...``;
ARTICLES are JSON Lines of clean articles as for `cleaner train`. Same articles, same files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import click

from cleaner.command import ModuleCommand
from cleaner.errors import OptionError
from cleaner.evaluation import headline_records, intruder_records
from cleaner.evaluation.reader import read_lines, site_of_record
from cleaner.formats import AtomicFile, check_target, dump_json, source
from cleaner.sites import fold_of, identity_of, site_of
from cleaner.training.sources import article_of, hosts_of, languages_of

_PARTS = 5  # of which one is to measure on
Record = dict[str, Any]


def split(records: Iterable[Record]) -> tuple[list[Record], list[Record]]:
    """Records to train on, and those of one site in five to measure on."""
    parts: tuple[list[Record], list[Record]] = ([], [])
    for record in records:
        parts[fold_of(f"held out:{site_of(record)}", _PARTS) == 0].append(record)
    return parts


def with_intruders(records: Sequence[Record]) -> Iterator[Record]:
    """Labelled documents made of clean ones: sentences and headlines of others put in."""
    articles = [article_of(record, place=f"record {n}") for n, record in enumerate(records)]
    languages = languages_of(articles) or ("en",)
    hosts = hosts_of(articles, language=languages[0])
    leads = None if languages[0] == "en" else ("{}",)
    made = chain(intruder_records(hosts, seed=7), headline_records(hosts, seed=7, leads=leads))
    return of_origin(made, records)


def of_origin(made: Iterable[Record], clean: Iterable[Record]) -> Iterator[Record]:
    """Documents `made` of `clean` ones, with source and address of what each was made from.

    What was put in is said in ``view``.
    """
    origins = {record["id"]: record for record in clean}
    for record in made:
        known = {key: origins[record["id"]].get(key) for key in ("source", "url")}
        own = {key: value for key, value in known.items() if value is not None}
        put_in = {key: value for key, value in record.items() if key != "site"}
        yield {**put_in, "view": record["kind"], **own}


def _write(path: Path, records: Iterable[Record]) -> int:
    lines = [dump_json(record) + b"\n" for record in records]
    with AtomicFile(path) as sink:
        sink.write(b"".join(lines))
    return len(lines)


@click.command(cls=ModuleCommand)
@click.option("--train", "kept", required=True, type=click.Path(path_type=Path))
@click.option("--test", required=True, type=click.Path(path_type=Path))
@click.argument("articles", nargs=-1, required=True, type=click.Path())
def main(kept: Path, test: Path, articles: tuple[str, ...]) -> None:
    """Split ARTICLES by site: four in five to --train, the others, with intruders, to --test."""
    read = [source(name, "jsonl") for name in articles]
    check_target(str(kept), read, option="--train")
    check_target(str(test), read, option="--test")
    if kept.resolve() == test.resolve():
        raise OptionError(f"--train and --test are both {kept}", next_step="name two files")
    records: dict[str, Record] = {}
    for place, record in chain.from_iterable(map(read_lines, articles)):
        site_of_record(record, place)  # half an address is told with its place
        identity = identity_of(record, place)
        name = place if identity in records else identity  # each is known by a name of its own
        records[name] = {**record, "id": name}
    learned, measured = split(records.values())
    for path, part in ((kept, learned), (test, with_intruders(measured))):
        click.echo(f"{path}: {_write(path, part)} documents", err=True)


if __name__ == "__main__":
    main()
