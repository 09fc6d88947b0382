"""Labelled documents to learn from: cut, encoded, and each on one side of the folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cleaner.cleaning import ENCODED
from cleaner.segment import Segments, in_small_letters, segment
from cleaner.sites import fold_of

if TYPE_CHECKING:
    from cleaner.encoders import Encoder, Vectors
    from cleaner.evaluation import Labelled

FOLDS = 3
FEWEST_FRAGMENTS = 5
NO_FURNITURE = ("intruders", "headlines", "digest")  # sources whose fragments to remove are prose
MADE = (*NO_FURNITURE, "furniture")  # sources of the documents that are made of clean articles
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled document, cut and encoded."""

    document: Labelled
    segments: Segments
    vectors: Vectors
    title: Vectors | None
    labels: Labels
    fold: int


def prepare(
    documents: Sequence[Labelled], encoder: Encoder, *, language: str = "en"
) -> list[Example]:
    """Cut and encode documents; those with fewer than five fragments are left out."""
    examples = []
    for document in documents:
        segments = in_small_letters(segment(document.text, language=language))
        if len(segments) < FEWEST_FRAGMENTS:
            continue
        texts = [text[:ENCODED] for text in segments.texts]
        title = document.title or ""
        vectors = encoder.encode([*texts, title[:ENCODED]])
        starts = np.array([span.start for span in document.spans])
        owner = np.searchsorted(starts, segments.starts, side="right") - 1
        examples.append(
            Example(
                document,
                segments,
                vectors[:-1],
                vectors[-1] if title.strip() else None,
                np.array(document.labels)[owner],
                fold_of(document.site, FOLDS),
            )
        )
    return examples
