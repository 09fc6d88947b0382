"""Make the labelled fixtures, on which the floors are held, from WCXB and Wikipedia text.

Run as ``python -m cleaner.training.fixtures --data DATA --boxes fixtures/boxes.json
--articles fixtures/articles --genres fixtures/genres -o fixtures/labelled``. DATA holds
``pages_wcxb.jsonl.gz``, ``html_pages.jsonl.gz`` and ``wikipedia_multilingual.jsonl.gz``; boxes,
articles and genres were written for this. Same data, same bytes.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import click

from cleaner.command import ModuleCommand
from cleaner.errors import InputError
from cleaner.evaluation import headline_records, intruder_records
from cleaner.markdown import as_read
from cleaner.sites import fold_of, site_of
from cleaner.training.boxes import boxed_records
from cleaner.training.corpora import is_fixture_site, read_records
from cleaner.training.datasets import hosts
from cleaner.training.held_out import of_origin

_LONGEST = 35_000  # code points of a page; the few longer ones would outweigh all others
_JUDGED = "en"
_MANY = 1 << 32  # places of an order that is none
_UNSEEN = ("script", "style", "noscript", "template")  # elements
_WORD = re.compile(r"\w+")
_FIELDS = (
    "id", "source", "url", "title", "page_type", "view", "lines", "labels", "paragraph", "kinds",
)  # fmt: skip
_TITLE = "T"
_KINDS = {"K": "article", "H": "headline", "B": "fact box", "P": "foreign paragraph", "U": "other"}
Record = dict[str, Any]


def pages(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Articles of the sites that are kept for fixtures, one a site that has both views, by view."""
    by_page: dict[tuple[str, str], dict[str, Record]] = {}
    for record in records:
        site = site_of(record)
        if record["page_type"] == "article" and is_fixture_site(site):
            by_page.setdefault((site, record["id"]), {})[record["view"]] = record
    chosen: dict[str, list[Record]] = {"extracted": [], "page": []}
    taken: set[str] = set()
    for (site, _), views in sorted(by_page.items()):
        short = all(sum(map(len, view["lines"])) <= _LONGEST for view in views.values())
        if site not in taken and short and views.keys() == chosen.keys():
            taken.add(site)
            for name, view in views.items():
                chosen[name].append(view)
    return chosen


def clean_parts(records: Iterable[Record]) -> Iterator[Record]:
    """The lines to keep of labelled records, as clean articles."""
    for record in records:
        pairs = zip(record["lines"], record["labels"], strict=True)
        yield {**record, "lines": [line for line, label in pairs if label == 0]}


def in_markdown(pages: Iterable[Record], sources: Iterable[Record]) -> Iterator[Record]:
    """The pages of which `sources` have the ``html``, in Markdown, each line as that block is.

    A line is scored if as many blocks as lines have its words, all with one label.
    """
    from bs4 import BeautifulSoup
    from markdownify import markdownify

    source_of = {source["id"]: source["html"] for source in sources}
    for page in pages:
        if page["id"] in source_of:
            tree = BeautifulSoup(source_of[page["id"]], "html.parser")
            for element in tree(_UNSEEN):
                element.decompose()
            text = markdownify(str(tree.body or tree), heading_style="ATX")
            lines = [line.strip() for line in text.split("\n") if line.strip()]
            labels = _as_labelled(lines, page)
            yield {**page, "view": "markdown", "lines": lines, "labels": labels, "kinds": None}


def _as_labelled(lines: Sequence[str], page: Record) -> list[int]:
    """The label of each line's words in `page`; -1 where they are there at another number."""
    known: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for block, label in zip(page["lines"], page["labels"], strict=True):
        known[_words(block)].append(label)
    seen = [_words(as_read(line)) for line in lines]
    counts = Counter(seen)
    return [
        known[words][0]
        if len(known[words]) == counts[words] and len(set(known[words])) == 1
        else -1
        for words in seen
    ]


def _words(line: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(line.casefold()))


def _all_kept(record: Record) -> Record:
    return {**record, "labels": [0] * len(record["lines"]), "kinds": None}


def wikipedia(records: Iterable[Record]) -> Iterator[Record]:
    """Clean articles, each with the address of the English one that it was translated from."""
    for record in records:
        address = f"https://en.wikipedia.org/wiki/{record['title']}"
        yield {
            **record,
            "title": record["title"].replace("_", " "),
            "source": f"wikipedia/{record['lang']}",
            "url": address,
            "labels": [0] * len(record["lines"]),
        }


def written(folder: Path) -> Iterator[Record]:
    """The articles of a folder: each line behind a letter that says what it is, and a bar.

    All but ``K`` are to go. The first may be the title that is given beside the text, behind ``T``.
    The name of a file begins with what was put into the article, or with what it is an example of.
    They come in no order: the first of them are of all kinds.

    Raises
    ------
    InputError
        If there is none, or a line does not say what it is.
    """
    found = sorted(folder.glob("*.txt"), key=lambda path: fold_of(path.stem, _MANY))
    if not found:
        raise InputError("no article", place=str(folder), next_step="give a folder of .txt files")
    for path in found:
        lines = path.read_text(encoding="utf-8").split("\n")
        parts = [line.partition("|") for line in (lines if lines[-1] else lines[:-1])]
        title = parts.pop(0)[2] if parts and parts[0][:2] == (_TITLE, "|") else None
        for number, (kind, bar, _) in enumerate(parts, 1 if title is None else 2):
            if not bar or kind not in _KINDS:
                raise InputError(
                    "the line begins with no letter of a kind and a bar",
                    place=f"{path}:{number}",
                    next_step=f"begin it with one of {', '.join(_KINDS)}, and |",
                )
        yield {
            "id": path.stem,
            "source": path.stem,
            "title": title,
            "page_type": path.stem.split("-")[0],
            "lines": [line for _, _, line in parts],
            "labels": [int(kind != "K") for kind, _, _ in parts],
            "kinds": [_KINDS[kind] for kind, _, _ in parts],
        }


def sets(
    data: Path, boxes: Sequence[Sequence[str]], articles: Path, genres: Path
) -> dict[str, Iterable[Record]]:
    """The records of each fixture by its name; `boxes` are lines of fact boxes."""
    chosen = pages(read_records([data / "pages_wcxb.jsonl.gz"]))
    encyclopedia = list(wikipedia(read_records([data / "wikipedia_multilingual.jsonl.gz"])))
    encyclopedia.sort(key=lambda record: (record["article"], record["lang"]))
    english = [record for record in encyclopedia if record["lang"] == _JUDGED]
    web = list(clean_parts(chosen["extracted"]))
    twice = chain.from_iterable(intruder_records(hosts(english), seed=s) for s in (11, 12))
    return {
        "wcxb_extracted": chosen["extracted"],
        "wcxb_page": chosen["page"],
        "wcxb_markdown": in_markdown(chosen["page"], read_records([data / "html_pages.jsonl.gz"])),
        "wcxb_intruders": of_origin(intruder_records(hosts(web), seed=11), web),
        "wcxb_headlines": of_origin(headline_records(hosts(web), seed=11), web),
        "wikipedia_clean": encyclopedia,
        "wikipedia_intruders": of_origin(twice, english),
        "written_boxes": of_origin(
            boxed_records([*hosts(web), *hosts(english)], boxes, seed=11), [*web, *english]
        ),
        "written_articles": written(articles),
        "written_genres": written(genres),
        "written_genres_clean": map(_all_kept, clean_parts(written(genres))),
    }


def write(path: Path, records: Iterable[Record]) -> int:
    """Write records as gzipped JSON Lines, without a date in it; how many there were."""
    lines = [
        json.dumps({name: r[name] for name in _FIELDS if r.get(name) is not None},
                   ensure_ascii=False)
        for r in records
    ]  # fmt: skip
    text = "".join(chain.from_iterable((line, "\n") for line in lines))
    path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    return len(lines)


@click.command(cls=ModuleCommand)
@click.option("--data", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--boxes", required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--articles", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option(
    "--genres", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path))
def main(data: Path, boxes: Path, articles: Path, genres: Path, output: Path) -> None:
    """Write the labelled fixtures to OUTPUT."""
    output.mkdir(parents=True, exist_ok=True)
    found = sets(data, json.loads(boxes.read_text(encoding="utf-8")), articles, genres)
    for name, records in found.items():
        path = output / f"{name}.jsonl.gz"
        count = write(path, records)
        click.echo(f"{path}: {count} documents, {path.stat().st_size / 1000:.0f} kB", err=True)


if __name__ == "__main__":
    main()
