"""Keep the vectors of a slow encoder on disk, so that another fit need not encode again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cleaner.encoders import Encoder, Vectors


class CachedEncoder:
    """An encoder whose vectors are read from a folder of ``.npz`` shards where they are known.

    A shard holds ``k``, uint64 hashes of texts, and ``v``, their vectors in half precision.
    """

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        self._encoder = encoder
        self._folder = folder
        self.name = encoder.name
        keys: list[int] = []
        shards: list[Vectors] = []
        for path in sorted(folder.glob("*.npz")):
            with np.load(path, allow_pickle=False) as shard:
                keys += shard["k"].tolist()
                shards.append(shard["v"])
        self._rows = {key: row for row, key in enumerate(keys)}
        self._vectors = np.concatenate(shards) if shards else np.zeros((0, self.dimensions))

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._encoder.dimensions

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of `texts`: float32, shape (len(texts), dimensions), unit length or zero."""
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        missing = []
        for index, text in enumerate(texts):
            row = self._rows.get(text_hash(text))
            if row is not None:
                vectors[index] = self._vectors[row]
            elif text.strip():
                missing.append(index)
        if missing:
            vectors[missing] = self._encoder.encode([texts[i] for i in missing])
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        np.divide(vectors, norms, out=vectors, where=norms > 0)
        return vectors


def text_hash(text: str) -> int:
    """64-bit hash of a text."""
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big")
