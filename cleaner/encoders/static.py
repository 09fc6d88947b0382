"""A static encoder: one vector a token, averaged. Needs numpy and tokenizers, no torch.

Reads the folder that sentence-transformers writes for a ``StaticEmbedding``, and gives the vectors
that ``SentenceTransformer(folder)`` gives.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cleaner.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from cleaner.encoders import Vectors

# Bert's normaliser drops control characters, so these join words where `str.split` would part them.
_CONTROL = re.compile(r"[\x0b\x0c\x1c-\x1f\x85]")
_WORDS_AT_ONCE = 16_384  # bounds the memory of pooling: 8 MB at 128 dimensions
_CACHE_LIMIT = 80_000  # distinct words kept with their vectors: 40 MB at 128 dimensions


class StaticEncoder:
    """Mean of token vectors, scaled to unit length.

    No token spans white space, so a text's sum of token vectors is the sum over its words, and a
    word seen before is not tokenized again. The cache holds what the tokenizer would say anyway:
    no state that matters passes from one call to the next.
    """

    def __init__(self, *, tokenizer: Tokenizer, weights: Vectors, name: str = "static") -> None:
        self._tokenizer = tokenizer
        self._weights = weights
        self.name = name
        self._cache: dict[str, int] = {}
        self._sums: Vectors = np.zeros((0, self.dimensions), dtype=np.float32)
        self._counts: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    @classmethod
    def load(cls, folder: Path, *, name: str = "static") -> StaticEncoder:
        """Read a sentence-transformers folder.

        Raises
        ------
        ModelError
            If the folder holds no static model, or files of it are missing or damaged.
        """
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            weights = _read_weights(folder / "model.safetensors")
        except Exception as error:  # tokenizers raises plain Exception
            raise ModelError(
                f"cannot read the static model ({error})",
                place=str(folder),
                next_step="give a folder that SentenceTransformer.save wrote for a StaticEmbedding",
            ) from error
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return cls(tokenizer=tokenizer, weights=weights, name=name)

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._weights.shape[1])

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of `texts`: float32, shape (len(texts), dimensions), unit length or zero."""
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        words = [self._words(text) for text in texts]
        first = 0
        while first < len(texts):
            last, total = first, 0
            while last < len(texts) and (
                last == first or total + len(words[last]) <= _WORDS_AT_ONCE
            ):
                total += len(words[last])
                last += 1
            self._pool(words[first:last], vectors[first:last])
            first = last
        norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
        np.divide(vectors, norms, out=vectors, where=norms > 0)
        return vectors

    def _words(self, text: str) -> list[str]:
        if not text.isprintable():
            text = _CONTROL.sub("", text)
        return text.split()

    def _pool(self, words: list[list[str]], out: Vectors) -> None:
        """Mean token vector of each list of words, into `out`."""
        rows = self._rows([word for text in words for word in text])
        lengths = np.array([len(text) for text in words])
        starts = np.cumsum(lengths) - lengths
        filled = np.flatnonzero(lengths)
        if not len(filled):
            return
        counts = np.add.reduceat(self._counts[rows], starts[filled])
        sums = np.zeros((len(filled), self.dimensions), dtype=np.float32)
        if len(rows) <= _WORDS_AT_ONCE:
            sums = np.add.reduceat(self._sums[rows], starts[filled], axis=0)
        else:  # one text longer than a block: add up its blocks, in double precision
            blocks = range(0, len(rows), _WORDS_AT_ONCE)
            parts = (self._sums[rows[at : at + _WORDS_AT_ONCE]] for at in blocks)
            sums[0] = sum(part.sum(axis=0, dtype=np.float64) for part in parts)
        out[filled] = sums / np.maximum(counts, 1)[:, None]

    def _rows(self, words: list[str]) -> npt.NDArray[np.int64]:
        cache = self._cache
        if len(cache) > _CACHE_LIMIT:
            self._forget()
            cache = self._cache
        rows = list(map(cache.get, words))
        if None in rows:
            self._learn([word for word, row in zip(words, rows, strict=True) if row is None])
            rows = list(map(cache.get, words))
        return np.array(rows, dtype=np.int64)

    def _learn(self, words: list[str]) -> None:
        new = list(dict.fromkeys(words))
        readable = [word.encode("utf-8", "ignore").decode() for word in new]
        encodings = self._tokenizer.encode_batch(readable, add_special_tokens=False)
        at = len(self._cache)
        self._grow(at + len(new))
        for offset, (word, encoding) in enumerate(zip(new, encodings, strict=True)):
            ids = encoding.ids
            self._sums[at + offset] = self._weights[ids].sum(axis=0) if ids else 0
            self._counts[at + offset] = len(ids)
            self._cache[word] = at + offset

    def _grow(self, size: int) -> None:
        if size > len(self._counts):
            capacity = max(size, 2 * len(self._counts))
            sums = np.zeros((capacity, self.dimensions), dtype=np.float32)
            counts = np.zeros(capacity, dtype=np.int64)
            sums[: len(self._sums)] = self._sums
            counts[: len(self._counts)] = self._counts
            self._sums, self._counts = sums, counts

    def _forget(self) -> None:
        self._cache = {}
        self._sums = np.zeros((0, self.dimensions), dtype=np.float32)
        self._counts = np.zeros(0, dtype=np.int64)


def is_static(folder: Path) -> bool:
    """Whether `folder` holds a sentence-transformers ``StaticEmbedding``."""
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        return str(modules[0]["type"]).endswith("StaticEmbedding")
    except (OSError, ValueError, LookupError, TypeError):
        return False


def _read_weights(path: Path) -> Vectors:
    """The embedding matrix of a safetensors file, as float32."""
    kinds: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2")}
    with path.open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        header = json.loads(stream.read(size))
        tensor = header.get("embedding.weight") or header["embeddings"]
        start, end = tensor["data_offsets"]
        stream.seek(8 + size + start)
        data = np.frombuffer(stream.read(end - start), dtype=kinds[tensor["dtype"]])
    weights: Vectors = data.reshape(tensor["shape"]).astype(np.float32, copy=False)
    return weights
