"""What is left of furniture in articles that are called clean.

"Please select your country." stands in eight of them. One who learns from such articles that all
they say belongs to them has learned the furniture of some sites by heart as prose. A sentence that
stands word for word in several articles is mostly a site's and no author's: of it nothing is said.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cleaner.training.examples import Example

_ARTICLES = 2  # from so many on a sentence recurs
_WORDS = 3  # shorter ones recur in prose: "Why not?"
_DIGIT = re.compile(r"\d")


def recurring(articles: Iterable[Sequence[str]]) -> frozenset[str]:
    """The sentences that stand in several of `articles`, as `folded`."""
    found: Counter[str] = Counter()
    for sentences in articles:
        found.update({folded(sentence) for sentence in sentences})
    return frozenset(
        sentence
        for sentence, count in found.items()
        if count >= _ARTICLES and len(sentence.split()) >= _WORDS
    )


def folded(sentence: str) -> str:
    """A sentence without case, with one blank between words and 0 for every digit."""
    return _DIGIT.sub("0", " ".join(sentence.split()).casefold())


def unsaid(
    examples: Iterable[Example], sentences: Collection[str], sources: Collection[str]
) -> list[Example]:
    """Examples in which the label of what is to be kept, and is one of `sentences`, is -1.

    Parameters
    ----------
    sources
        Of the documents that this is done to: those that were made of clean articles.
    """
    return [
        _unsaid(example, sentences) if example.document.source in sources else example
        for example in examples
    ]


def _unsaid(example: Example, sentences: Collection[str]) -> Example:
    recur = np.array([folded(text) in sentences for text in example.segments.texts], dtype=bool)
    return replace(example, labels=np.where(recur & (example.labels == 0), -1, example.labels))
