"""The report: one self-contained page on what was removed from an article, or from a corpus."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cleaner import __version__

if TYPE_CHECKING:
    from cleaner.cleaning import Cleaner
    from cleaner.document import Document
    from cleaner.reading import Read
    from cleaner.results import CleanResult

PAGES = 24  # documents of a corpus that get a page, unless asked otherwise
_UNDERLINED = 0.2  # score from which the page underlines what is kept


@dataclass(frozen=True, slots=True)
class Report:
    """A finished page and what it holds.

    Attributes
    ----------
    html
        The page, in UTF-8.
    documents
        How many documents were read.
    pages
        How many of them have a page of their own.
    """

    html: bytes
    documents: int
    pages: int


def make_report(
    reads: Iterable[Read], cleaner: Cleaner, *, pages: int = PAGES, name: str = ""
) -> Report:
    """Judge documents and make the page: of one article, or of a corpus.

    The documents are gone through once; what is held grows neither with their number nor with
    that of the fragments, but for the documents that get a page.

    Parameters
    ----------
    reads
        The documents.
    cleaner
        Judges them.
    pages
        How many documents of a corpus get a page of their own, 0 or more.
    name
        What the corpus is called.

    Raises
    ------
    InputError
        If a document cannot be read.
    """
    # Here, for the command's help names `PAGES` and waits for no numpy.
    from cleaner.cleaning import NO_SUSPICION
    from cleaner.report.article import article_data
    from cleaner.report.corpus import Corpus
    from cleaner.report.page import page

    # At a lower threshold what goes would have no evidence.
    explained = min(NO_SUSPICION, cleaner.threshold)
    corpus = Corpus(threshold=cleaner.threshold, pages=max(pages, 1), explained=explained)
    for read, result in _judged(reads, cleaner):
        corpus.add(read, result, cleaner.settled(result))
    single = corpus.documents == 1
    chosen = corpus.chosen()[: 1 if single else pages]
    articles = [
        article_data(
            read, cleaner.inspect(read.document), cleaner, explained=0.0 if single else explained
        )
        for read in chosen
    ]
    data = _words() | {
        "encoder": cleaner.encoder_name,
        "threshold": cleaner.threshold,
        "explained": explained,
        "underlined": _UNDERLINED,
        "name": chosen[0].place if single else name,
        "corpus": None if single else corpus.data(chosen),
    }
    return Report(page(data, articles), corpus.documents, len(articles))


def _words() -> dict[str, Any]:
    """What is the same on every page: names, words, and how many terms of a pass are shown."""
    from cleaner.explanation import COUNTING, DROPPED, KEPT, KINDS, NOTHING, SHOWN_TERMS
    from cleaner.reasons import REASONS

    return {
        "version": __version__,
        "reasons": list(REASONS),
        "kinds": list(KINDS),
        "counting": [KINDS.index(kind) for kind in COUNTING],
        "nothing": NOTHING,
        "kept": KEPT,
        "dropped": DROPPED,
        "shown_terms": SHOWN_TERMS,
    }


def _judged(reads: Iterable[Read], cleaner: Cleaner) -> Iterator[tuple[Read, CleanResult]]:
    waiting: deque[Read] = deque()

    def documents() -> Iterator[Document]:
        for read in reads:
            waiting.append(read)
            yield read.document

    for result in cleaner.clean_many(documents()):
        yield waiting.popleft(), result
