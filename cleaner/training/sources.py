"""Read what `cleaner train` is given: clean articles, and documents with labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleaner.document import LINE, find_header
from cleaner.errors import InputError
from cleaner.evaluation.reader import labelled_of, read_lines
from cleaner.formats import STDIN, kind_of, source
from cleaner.language import language_of
from cleaner.segment import encodable
from cleaner.sites import identity_of
from cleaner.training.corpora import host_of

if TYPE_CHECKING:
    from cleaner.evaluation import Host, Labelled

_SPOKEN = 0.05  # share of the articles from which a language counts as one of the data's
_FEWEST_SITES = 6  # below it, labelled documents are kept apart one by one


@dataclass(frozen=True, slots=True)
class CleanArticle:
    """An article without anything in it that does not belong.

    Attributes
    ----------
    subject
        What it is about, where that is known: intruders come by preference from the same subject.
    site
        Where it is a labelled document's text, the site of that.
    """

    identity: str
    title: str
    subject: str
    lines: tuple[str, ...]
    site: str = ""


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What there is to learn from."""

    articles: tuple[CleanArticle, ...]
    labelled: tuple[Labelled, ...]

    @property
    def bodies(self) -> tuple[CleanArticle, ...]:
        """The clean articles, and what is to be kept of the labelled documents."""
        kept = (
            CleanArticle(
                document.identity,
                document.title or "",
                "",
                tuple(
                    line
                    for span, label in zip(document.spans, document.labels, strict=True)
                    if label == 0
                    for line in _lines(document.text[span.start : span.end])
                ),
                document.site,
            )
            for document in self.labelled
        )
        return (*self.articles, *kept)


def read_training_data(paths: Iterable[str | Path]) -> TrainingData:
    """Articles and labelled documents of files.

    A file called ``.jsonl`` or ``.ndjson``, with ``.gz`` or ``.zst`` or without, and ``-``, which
    is standard input, hold a record a line: with ``labels`` or ``spans`` it is labelled (see
    `cleaner.evaluation.reader`), else it is a clean article of ``lines`` or ``text``, and
    optionally ``id``, ``title`` and ``topic``. Any other file is the text of one clean article.

    Raises
    ------
    InputError
        If a file cannot be read, or a record is none of these.
    """
    articles: list[CleanArticle] = []
    labelled: list[Labelled] = []
    for path in paths:
        form = "jsonl" if str(path) == STDIN else kind_of(str(path)).format
        if form == "parquet":
            raise _no_article("Parquet is not learned from", str(path))
        if form == "text":
            articles.append(_of_text(str(path)))
            continue
        for place, record in read_lines(path):
            if "labels" in record or "spans" in record:
                labelled.append(labelled_of(record, place=place))
            else:
                articles.append(article_of(record, place=place))
    return TrainingData(tuple(articles), tuple(_apart(labelled)))


def _of_text(name: str) -> CleanArticle:
    item = source(name)
    with item.open() as stream:
        try:
            text = item.text(stream)
        except InputError as error:  # damaged, or a picture, JSON and the like
            raise _no_article(error.problem, error.place) from error
    header = find_header(text)
    title = text[header.title.start : header.title.end] if header.title else ""
    body = text[max((span.end for span in header.spans), default=0) :]
    return CleanArticle(name, title, "", tuple(_lines(body)))


def _no_article(problem: str, place: str) -> InputError:
    return InputError(
        problem,
        place=place,
        next_step="give articles as UTF-8 text, or as records in a .jsonl file",
    )


def article_of(record: dict[str, Any], *, place: str) -> CleanArticle:
    """The clean article of a record of ``lines`` or ``text``.

    Raises
    ------
    InputError
        If it has neither.
    """
    lines = record["lines"] if "lines" in record else record.get("text")
    if isinstance(lines, str):
        lines = list(_lines(lines))
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise InputError(
            'the record is no article: neither "text" nor a list of "lines"',
            place=place,
            next_step='give "text" or "lines", and "labels" or "spans" where it is labelled',
        )
    for name in ("title", "topic"):
        if not isinstance(record.get(name) or "", str):
            raise InputError(
                f'"{name}" is no text', place=place, next_step="give a string, or leave it out"
            )
    return CleanArticle(
        identity_of(record, place),
        record.get("title") or "",
        record.get("topic") or "",
        tuple(map(encodable, lines)),
    )


def _lines(text: str) -> Iterator[str]:
    for match in LINE.finditer(text):
        if line := match[1].strip():
            yield encodable(line)


def _apart(labelled: Sequence[Labelled]) -> Iterator[Labelled]:
    """`labelled` with sites to keep apart: their own, or one each where those are too few."""
    few = len({document.site for document in labelled}) < _FEWEST_SITES
    for number, document in enumerate(labelled):
        yield replace(document, site=f"document {number}") if few else document


def languages_of(articles: Iterable[CleanArticle]) -> tuple[str, ...]:
    """ISO 639-1 codes of the languages of `articles`, the most frequent first.

    A language counts from one article in twenty; what cannot be identified does not.
    """
    counts = Counter(language_of("\n".join(article.lines)) for article in articles)
    del counts[None]
    total = sum(counts.values())
    found = [
        language for language, count in counts.items() if language and count >= _SPOKEN * total
    ]
    return tuple(sorted(found, key=lambda language: (-counts[language], language)))


def hosts_of(articles: Iterable[CleanArticle], *, language: str) -> list[Host]:
    """Articles of eight sentences or more as hosts and donors of intruders."""
    found = (
        host_of(a.identity, a.title, a.subject, a.lines, language=language, site=a.site)
        for a in articles
    )
    return [host for host in found if host is not None]
