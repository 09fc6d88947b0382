"""Several encoders side by side as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cleaner.encoders import Encoder, Vectors


class JointEncoder:
    """Vectors of several encoders, put end to end and scaled to unit length.

    A transformer knows paraphrase, a static model trained on articles knows subjects; their errors
    differ, and the second costs next to nothing beside the first.
    """

    def __init__(self, encoders: Sequence[Encoder], *, name: str) -> None:
        self._encoders = tuple(encoders)
        self.name = name

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return sum(encoder.dimensions for encoder in self._encoders)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of `texts`: float32, shape (len(texts), dimensions), unit length or zero."""
        return _joined([encoder.encode(texts) for encoder in self._encoders])

    def encode_documents(self, documents: Sequence[Sequence[str]]) -> list[Vectors]:
        """Vectors of each document's texts, the same to the last bit as of that document alone."""
        parts = [encoder.encode_documents(documents) for encoder in self._encoders]
        return [_joined(own) for own in zip(*parts, strict=True)]


def _joined(parts: Sequence[Vectors]) -> Vectors:
    joined = np.concatenate(parts, axis=1)
    norms = np.linalg.norm(joined, axis=1, keepdims=True)
    np.divide(joined, norms, out=joined, where=norms > 0)
    return joined
