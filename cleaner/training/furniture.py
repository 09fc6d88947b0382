"""Put furniture into clean articles: lines of web pages, formulas of news sites, headlines.

Labelled scrapes come from few sites, and each site words its furniture in its own way. The same
furniture in other articles, and the furniture of many sites in one kind of article, teach what does
not depend on the site.
"""

from __future__ import annotations

import re
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
    RELATED_HEADINGS,
    RELATED_LEADS,
    SITES,
    TOPICS,
)
from cleaner.words import STOP_WORDS

if TYPE_CHECKING:
    from cleaner.evaluation.intruders import Host

_UNTOUCHED = 0.25  # share of documents into which nothing is put
_TITLED = 0.7  # documents with a title
_HEADLINED = 0.5  # of the others, those that open with their headline, which belongs to them
_REPEATED = 0.4  # lines that come again between other paragraphs, as advert marks do
_MERGED = 0.25  # documents whose furniture that stands together is on one line
_FORM = (4, 12)  # pieces of a form
_OF_PAGE = 0.25  # pieces of a form that are lines of a page
_ONE_LINE = 0.7  # forms that have lost their line breaks
_CAPITALS = 0.4  # documents whose headlines are in capitals
_BARE = 0.4  # documents whose headlines have no lead
# Shares of what is put in: single lines, a run of lines, a head and a foot, formulas, headlines,
# a form.
KINDS = {
    "lines": 0.23, "run": 0.1, "frame": 0.12, "formulas": 0.22, "related": 0.2, "form": 0.13,
}  # fmt: skip
_NEAREST = 40  # closest headlines among which related ones are chosen
_LONGEST_RUN = 8
_OWN = 5  # fewer headings of its own that an article gets
_FIGURES = 0.3  # those that get a list of figures in their place
_HEADING = 4  # words of a heading at the most
_LETTERS = 4  # of the word with which a heading begins, and of that with which it ends
_TITLE_CASE, _COLON = 0.3, 0.15  # headings in title case, and with a colon
_WORD = re.compile(r"[^\W\d_][\w'\u2019-]*")
_STOP = re.compile(r"[.!?;:,\d]+")  # no heading goes on behind one
_BLANK = re.compile(r"\{(\w+)\}")
_TWICE = re.compile(r"\b(the|our|your) the\b", re.IGNORECASE)
_WORDINGS = re.compile(r"\[([^][]*)\]")


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
    kinds: Mapping[str, float] = KINDS,
    headed: float = 0.0,
) -> Iterator[dict[str, Any]]:
    """One record for each host: furniture put between and around its paragraphs, and labels.

    Parameters
    ----------
    kinds
        Shares of the kinds of furniture.
    headed
        Share of the hosts that get headings or figures of their own, made of their words.
    """
    generator = np.random.default_rng(seed)
    for host in hosts:
        page = pages[int(generator.integers(len(pages)))]
        lines = _paragraphs(host)
        titled = generator.random() < _TITLED
        if not titled and host.title and generator.random() < _HEADLINED:
            lines.insert(0, (host.title, 0))
        if generator.random() < headed:
            for at, group in _own_lines([line for line, _ in lines], generator):
                lines[at:at] = [(line, 0) for line in group]
        kind = "clean"
        if generator.random() >= _UNTOUCHED:
            kind = str(generator.choice(list(kinds), p=list(kinds.values())))
            for at, group in _groups(kind, host, lines, page, headlines, generator):
                lines[at:at] = [(line, 1) for line in group]
        yield {
            "id": f"{host.identity}-{seed}",
            "title": host.title if titled else None,
            "source": host.identity,
            "site": host.site,
            "lines": [line for line, _ in lines],
            "labels": [label for _, label in lines],
            "kind": kind,
        }


def article_record(host: Host) -> dict[str, Any]:
    """A record of the host alone, nothing put in."""
    lines = [line for line, _ in _paragraphs(host)]
    return {
        "id": host.identity,
        "title": host.title or None,
        "source": host.identity,
        "lines": lines,
        "labels": [0] * len(lines),
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
        heading = str(generator.choice(["", *RELATED_HEADINGS])).replace("{site}", site)
        return [(anywhere(), [*([heading] if heading else []), *found])]
    return [(anywhere(), [lead.format(title)]) for title in found]


def _own_lines(
    paragraphs: Sequence[str], generator: np.random.Generator
) -> list[tuple[int, list[str]]]:
    """Headings above a few paragraphs or a list of figures, and where, from the last place on."""
    count = int(generator.integers(1, _OWN))
    at = np.sort(generator.integers(0, len(paragraphs), count))[::-1].tolist()
    if generator.random() < _FIGURES:
        text = " ".join(paragraphs)
        names = [_heading(text, generator) for _ in range(count + 1)]
        units = generator.choice(["", "", "%", " kg", " years", " miles", "m"], count + 1)
        numbers = generator.integers(1, 2_100, count + 1)
        rows = zip(names, numbers, units, strict=True)
        return [
            (at[0], [f"{name.rstrip(':')}: {number}{unit}" for name, number, unit in rows if name])
        ]
    headings = [(place, _heading(paragraphs[place], generator)) for place in at]
    return [(place, [heading]) for place, heading in headings if heading]


def _heading(text: str, generator: np.random.Generator) -> str:
    """One to four words that follow each other in `text`, as its heading; empty without any."""
    sentences = _STOP.split(text)
    words = _WORD.findall(sentences[int(generator.integers(len(sentences)))])
    own = [at for at, word in enumerate(words) if _is_content(word)]
    if not own:
        return ""
    last = int(generator.choice(own))
    first = int(generator.choice([at for at in own if last - _HEADING < at <= last]))
    heading = " ".join(words[first : last + 1])
    style = generator.random()
    if style < _TITLE_CASE:
        heading = " ".join(word[0].upper() + word[1:] for word in heading.split())
    heading = heading[0].upper() + heading[1:]
    return heading + (":" if style > 1 - _COLON else "")


def _is_content(word: str) -> bool:
    return len(word) >= _LETTERS and word.lower() not in STOP_WORDS


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
    """A formula in one of its wordings, with names, a year and numbers for what is in braces."""
    site, person = (str(generator.choice(of)) for of in (SITES, PEOPLE))
    names = {
        "site": site,
        "person": person,
        "handle": person.replace(" ", "").replace("'", "").lower(),
        "domain": site.replace(" ", "").lower() + ".com",
        "year": str(generator.integers(1998, 2027)),
    }

    def filled(blank: re.Match[str]) -> str:
        name = blank[1].lower()
        names["topic"] = str(generator.choice(TOPICS))
        names["number"] = str(generator.integers(2, 20))
        return names[name].upper() if blank[1].isupper() else names[name]

    formula = worded(str(generator.choice(FORMULAS)), generator)
    # Names of sites and topics bring their article.
    return _TWICE.sub(r"\1", _BLANK.sub(filled, formula))


def worded(formula: str, generator: np.random.Generator) -> str:
    """`formula` with one of the wordings that stand in each of its brackets, the inner ones first.

    >>> worded("[Sign up|Sign up] for [more[!|!]|more!]", np.random.default_rng(0))
    'Sign up for more!'
    """
    while found := _WORDINGS.search(formula):
        chosen = str(generator.choice(found[1].split("|")))
        formula = formula[: found.start()] + chosen + formula[found.end() :]
    return formula
