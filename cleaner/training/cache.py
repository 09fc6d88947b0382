"""Keep the vectors of a slow encoder on disk, so that another fit need not encode again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cleaner.encoders.probe import is_same, read_probe, write_probe
from cleaner.errors import ModelError
from cleaner.formats import AtomicFile

if TYPE_CHECKING:
    from cleaner.encoders import Encoder, Vectors

_SHARD = 4_096  # vectors


class CachedEncoder:
    """An encoder whose vectors are kept in a folder of ``.npz`` shards and read where known.

    A shard holds ``k``, uint64 hashes of texts, and ``v``, their vectors in half precision. New
    vectors are written a few thousand at a time, and by `flush`. They are given in half precision
    from the start: another fit gets the very same.

    Raises
    ------
    ModelError
        If the folder holds the vectors of another encoder.
    """

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        self._encoder = encoder
        self._folder = folder
        self.name = encoder.name
        self._check_probe()
        keys: list[int] = []
        shards: list[Vectors] = []
        for path in sorted(folder.glob("*.npz")):
            with np.load(path, allow_pickle=False) as shard:
                keys += shard["k"].tolist()
                shards.append(shard["v"])
        self._rows = {key: row for row, key in enumerate(keys)}
        shards.append(np.zeros((0, self.dimensions), np.float16))
        self._vectors = np.concatenate(shards)
        self._new: dict[int, Vectors] = {}

    def _check_probe(self) -> None:
        """Refuse a folder of another encoder: it put the probe elsewhere."""
        kept = read_probe(self._folder)
        if kept is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_probe(self._encoder, self._folder)
        elif not is_same(self._encoder, kept):
            raise ModelError(
                f"it holds the vectors of another encoder than {self.name!r}",
                place=str(self._folder),
                next_step="name another folder",
            )

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._encoder.dimensions

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of `texts`: float32, shape (len(texts), dimensions), unit length or zero."""
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        missing = []
        for index, text in enumerate(texts):
            key = text_hash(text)
            if (row := self._rows.get(key)) is not None:
                vectors[index] = self._vectors[row]
            elif key in self._new:
                vectors[index] = self._new[key]
            elif text.strip():
                missing.append(index)
        if missing:
            made = self._encoder.encode([texts[i] for i in missing])
            vectors[missing] = made.astype(np.float16)
            self._new |= {text_hash(texts[i]): vectors[i] for i in missing}
        if len(self._new) >= _SHARD:
            self.flush()
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        np.divide(vectors, norms, out=vectors, where=norms > 0)
        return vectors

    def encode_documents(self, documents: Sequence[Sequence[str]]) -> list[Vectors]:
        """Vectors of each document's texts."""
        return [self.encode(texts) for texts in documents]

    def flush(self) -> None:
        """Write what is new to a shard of its own."""
        if not self._new:
            return
        keys = np.array(list(self._new), dtype=np.uint64)
        vectors = np.stack(list(self._new.values())).astype(np.float16)
        shard = BytesIO()
        np.savez(shard, k=keys, v=vectors)
        with AtomicFile(self._folder / f"{keys[0]:016x}.npz") as file:
            file.write(shard.getvalue())
        self._rows |= {int(key): len(self._vectors) + i for i, key in enumerate(keys)}
        self._vectors = np.concatenate([self._vectors, vectors])
        self._new = {}


def text_hash(text: str) -> int:
    """64-bit hash of a text."""
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big")
