"""Labelled documents to learn from: cut, encoded, and each on one side of the folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cleaner.cleaning import FEWEST_FRAGMENTS, encode, title_and_segments
from cleaner.document import Document
from cleaner.segment import readable
from cleaner.sites import fold_of

if TYPE_CHECKING:
    from cleaner.encoders import Encoder
    from cleaner.evaluation import Labelled
    from cleaner.evidence import Encoded
    from cleaner.segment import Segments

FOLDS = 3
NO_FURNITURE = ("intruders", "headlines", "digest")  # sources whose fragments to remove are prose
MADE = (*NO_FURNITURE, "furniture")  # sources of the documents that are made of clean articles
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled document, cut and encoded.

    Attributes
    ----------
    document
        As it was labelled.
    encoded
        Its n fragments, as a cleaner gives them to a detector.
    labels
        Shape (n,): 1 remove, 0 keep, -1 not said.
    fold
        On which side of the folds its site is.
    """

    document: Labelled
    encoded: Encoded
    labels: Labels
    fold: int

    @property
    def segments(self) -> Segments:
        """The fragments, as they are read."""
        return self.encoded.segments


def prepare(
    documents: Sequence[Labelled], encoder: Encoder, *, language: str = "en"
) -> list[Example]:
    """Cut and encode documents; those with fewer than five fragments are left out."""
    examples = []
    for document in documents:
        title, segments = title_and_segments(
            Document(document.text, title=document.title), language=language
        )
        if len(segments) < FEWEST_FRAGMENTS:
            continue
        starts = np.array([span.start for span in document.spans])
        owner = np.searchsorted(starts, segments.starts, side="right") - 1
        labels = np.array(document.labels)[owner]
        (encoded,) = encode([(title, readable(segments))], encoder)
        examples.append(Example(document, encoded, labels, fold_of(document.site, FOLDS)))
    return examples
