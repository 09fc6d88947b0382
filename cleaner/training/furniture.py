"""Put furniture into clean articles: lines of web pages, formulas of news sites, headlines.

Labelled scrapes come from few sites, and each site words its furniture in its own way. The same
furniture in other articles, and the furniture of many sites in one kind of article, teach what does
not depend on the site.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cleaner.training.formulas import (
    FORM_TEXTS,
    FORMULAS,
    PEOPLE,
    RELATED_LEADS,
    SITES,
    TOPICS,
)

if TYPE_CHECKING:
    from cleaner.evaluation.intruders import Host

_UNTOUCHED = 0.25  # share of documents into which nothing is put
_TITLED = 0.7  # documents with a title
_REPEATED = 0.4  # lines that come again between other paragraphs, as advert marks do
_MERGED = 0.25  # documents whose furniture that stands together is on one line
_FORM = (4, 12)  # pieces of a form
_OF_PAGE = 0.25  # pieces of a form that are lines of a page
_ONE_LINE = 0.7  # forms that have lost their line breaks
_CAPITALS = 0.4  # documents whose headlines are in capitals
_BARE = 0.4  # documents whose headlines have no lead
# Shares of what is put in: single lines, a run of lines, a head and a foot, formulas, headlines,
# a form.
_KINDS = {
    "lines": 0.26, "run": 0.1, "frame": 0.12, "formulas": 0.17, "related": 0.2, "form": 0.15,
}  # fmt: skip
_NEAREST = 40  # closest headlines among which related ones are chosen
_LONGEST_RUN = 8


@dataclass(frozen=True, slots=True)
class Page:
    """The furniture of a page: runs of lines that stood together, and the site they are of."""

    runs: tuple[tuple[str, ...], ...]
    site: str


def pages_of(records: Iterable[tuple[Mapping[str, Any], str]]) -> list[Page]:
    """The furniture of labelled records, each with its site: the runs of lines labelled 1."""
    pages = []
    for record, site in records:
        pairs = zip(record["lines"], record["labels"], strict=True)
        grouped = groupby(pairs, key=lambda pair: pair[1] == 1 and bool(pair[0].strip()))
        runs = tuple(tuple(line for line, _ in run) for gone, run in grouped if gone)
        if runs:
            pages.append(Page(runs, site))
    return pages


class Headlines:
    """Headlines of many articles, to be had by closeness to an article's own.

    Parameters
    ----------
    titles
        The headlines.
    vectors
        Their vectors, shape (len(titles), dimensions), unit length or zero.
    """

    def __init__(self, titles: Sequence[str], vectors: npt.NDArray[np.float32]) -> None:
        self._titles = titles
        self._vectors = vectors
        self._rows = {title: row for row, title in enumerate(titles)}

    def related(self, title: str, count: int, generator: np.random.Generator) -> list[str]:
        """`count` headlines that are close to `title`, or any, but never `title` itself."""
        row = self._rows.get(title)
        pool = np.arange(len(self._titles))
        if row is not None and generator.random() >= _UNTOUCHED:
            pool = np.argsort(-(self._vectors @ self._vectors[row]))[: _NEAREST + 1]
        others = pool[pool != row]
        chosen = generator.choice(others, min(count, len(others)), replace=False)
        return [self._titles[i] for i in chosen]


def furniture_records(
    hosts: Sequence[Host],
    pages: Sequence[Page],
    headlines: Headlines,
    *,
    seed: int = 0,
) -> Iterator[dict[str, Any]]:
    """One record for each host: furniture put between and around its paragraphs, and labels."""
    generator = np.random.default_rng(seed)
    for host in hosts:
        page = pages[int(generator.integers(len(pages)))]
        lines = _paragraphs(host)
        kind = "clean"
        if generator.random() >= _UNTOUCHED:
            kind = str(generator.choice(list(_KINDS), p=list(_KINDS.values())))
            for at, group in _groups(kind, host, lines, page, headlines, generator):
                lines[at:at] = [(line, 1) for line in group]
        yield {
            "id": f"{host.identity}-{seed}",
            "title": host.title if generator.random() < _TITLED else None,
            "source": host.identity,
            "site": host.site,
            "lines": [line for line, _ in lines],
            "labels": [label for _, label in lines],
            "kind": kind,
        }


def _paragraphs(host: Host) -> list[tuple[str, int]]:
    paragraphs: dict[int, list[str]] = {}
    for sentence, paragraph in zip(host.sentences, host.paragraphs, strict=True):
        paragraphs.setdefault(paragraph, []).append(sentence)
    return [(" ".join(sentences), 0) for sentences in paragraphs.values()]


def _groups(
    kind: str,
    host: Host,
    lines: Sequence[tuple[str, int]],
    page: Page,
    headlines: Headlines,
    generator: np.random.Generator,
) -> list[tuple[int, list[str]]]:
    """What is put in and where, from the last place to the first."""
    count = int(generator.integers(1, 5))
    end = len(lines)

    def anywhere() -> int:
        return int(generator.integers(0, end + 1))

    if kind == "formulas":
        groups = _formulas(count, end, generator, anywhere)
    elif kind == "form":
        groups = [(anywhere(), _form(page, generator))]
    elif kind == "related":
        groups = _related(host, count, headlines, generator, anywhere)
    elif kind == "lines":
        chosen = [_line(page, generator) for _ in range(count)]
        groups = _scattered(chosen, generator, anywhere)
    else:
        groups = _runs(page, [anywhere()] if kind == "run" else [0, end], generator)
    return sorted(groups, key=lambda group: group[0], reverse=True)


def _formulas(
    count: int, end: int, generator: np.random.Generator, anywhere: Callable[[], int]
) -> list[tuple[int, list[str]]]:
    """Formulas between paragraphs, and in some documents behind the last one."""
    groups = _scattered([_formula(generator) for _ in range(count)], generator, anywhere)
    if generator.random() < _REPEATED:
        groups.append((end, [_formula(generator) for _ in range(count)]))
    return groups


def _scattered(
    texts: Sequence[str], generator: np.random.Generator, anywhere: Callable[[], int]
) -> list[tuple[int, list[str]]]:
    """Lines one by one, and in some documents the first of them again and again."""
    groups = [(anywhere(), [text]) for text in texts]
    if generator.random() < _REPEATED:
        groups += [(anywhere(), [texts[0]]) for _ in texts]
    return groups


def _runs(
    page: Page, places: Sequence[int], generator: np.random.Generator
) -> list[tuple[int, list[str]]]:
    """Lines of the page that stood together, on one line in some documents."""
    groups = [(at, _run(page, generator)) for at in places]
    if generator.random() < _MERGED:
        return [(at, [" ".join(group)]) for at, group in groups]
    return groups


def _related(
    host: Host,
    count: int,
    headlines: Headlines,
    generator: np.random.Generator,
    anywhere: Callable[[], int],
) -> list[tuple[int, list[str]]]:
    """Headlines one by one behind a lead, or together under a heading."""
    lead = "{}" if generator.random() < _BARE else str(generator.choice(RELATED_LEADS))
    site = str(generator.choice(SITES))
    lead = lead.replace("{site}", site.upper() if generator.random() < _CAPITALS else site)
    capitals = generator.random() < _CAPITALS
    titles = headlines.related(host.title, count + 1, generator)
    found = [title.upper() if capitals else title for title in titles]
    if generator.random() < _REPEATED:
        heading = str(generator.choice(["Related", "More on this", "Most Read", "READ MORE", ""]))
        return [(anywhere(), [*([heading] if heading else []), *found])]
    return [(anywhere(), [lead.format(title)]) for title in found]


def _line(page: Page, generator: np.random.Generator) -> str:
    """One line of the page's furniture, the longer ones first: most are single words of menus."""
    lines = [line for run in page.runs for line in run]
    words = np.array([min(len(line.split()), 12) for line in lines], dtype=np.float64)
    return lines[int(generator.choice(len(lines), p=words / words.sum()))]


def _run(page: Page, generator: np.random.Generator) -> list[str]:
    run = page.runs[int(generator.integers(len(page.runs)))]
    size = int(generator.integers(1, _LONGEST_RUN + 1))
    at = int(generator.integers(0, max(1, len(run) - size + 1)))
    return list(run[at : at + size])


def _form(page: Page, generator: np.random.Generator) -> list[str]:
    """A prompt to sign up or to pay with all its states and small print, mostly on one line."""
    size = int(generator.integers(*_FORM))
    pieces = [str(generator.choice(FORM_TEXTS)) for _ in range(size)]
    for at in np.flatnonzero(generator.random(size) < _OF_PAGE):
        pieces[at] = _line(page, generator)
    site = str(generator.choice(SITES))
    pieces = [piece.replace("{site}", site) for piece in dict.fromkeys(pieces)]
    return [" ".join(pieces)] if generator.random() < _ONE_LINE else pieces


def _formula(generator: np.random.Generator) -> str:
    """A formula with names, a year and a number for what stands in braces."""
    site, person, topic = (str(generator.choice(of)) for of in (SITES, PEOPLE, TOPICS))
    return str(generator.choice(FORMULAS)).format(
        site=site,
        SITE=site.upper(),
        person=person,
        PERSON=person.upper(),
        topic=topic,
        TOPIC=topic.upper(),
        handle=person.replace(" ", "").replace("'", "").lower(),
        domain=site.replace(" ", "").lower() + ".com",
        year=int(generator.integers(1998, 2027)),
        number=int(generator.integers(2, 20)),
    )
