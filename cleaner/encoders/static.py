"""A static encoder: one vector a token, averaged. Needs numpy and tokenizers, no torch.

Reads the folder that sentence-transformers writes for a ``StaticEmbedding``, and gives the vectors
that ``SentenceTransformer(folder)`` gives.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cleaner.errors import ModelError
from cleaner.words import Columns, WordTable

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from cleaner.encoders import Vectors

# Bert's normaliser drops control characters, so these join words where `str.split` would part them.
_CONTROL = re.compile(r"[\x0b\x0c\x1c-\x1f\x85]")
_PIECE = re.compile(r"[a-z0-9]+|[^a-z0-9]")  # what Bert's tokenizer parts an ASCII word into
_AT_WHITE_SPACE = ("BertPreTokenizer", "Whitespace", "WhitespaceSplit")
_WORDS_AT_ONCE = 16_384  # looked up in one go
# Half a megabyte of vectors stays in the core's own cache: with sixteen times as many words,
# pooling takes nearly twice the time a word (246 ns, not 136).
_POOLED_AT_ONCE = 1_024
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
        self._is_bert = _is_bert(tokenizer)
        self._number = tokenizer.token_to_id
        self._tokens = tokenizer.model.tokenize
        self._table = WordTable(self._summed, limit=_CACHE_LIMIT)

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
            place = folder / _modules(folder)[0]["path"]
            tokenizer = Tokenizer.from_file(str(place / "tokenizer.json"))
            weights = _read_weights(place / "model.safetensors")
        except MemoryError:
            raise  # the models are not what is wrong
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

    def encode_documents(self, documents: Sequence[Sequence[str]]) -> list[Vectors]:
        """Vectors of each document's texts: a text's do not depend on what it is encoded with."""
        vectors = self.encode(list(chain.from_iterable(documents)))
        bounds = np.cumsum([0, *map(len, documents)]).tolist()
        return [vectors[first:last] for first, last in pairwise(bounds)]

    def _words(self, text: str) -> list[str]:
        if not text.isprintable():
            text = _CONTROL.sub("", text)
        return text.split()

    def _pool(self, words: list[list[str]], out: Vectors) -> None:
        """Mean token vector of each list of words, into `out`."""
        rows, columns = self._table.look_up(list(chain.from_iterable(words)))
        bounds = np.cumsum([0, *map(len, words)])
        first = 0
        while first < len(words):
            past = int(np.searchsorted(bounds, bounds[first] + _POOLED_AT_ONCE, side="right"))
            last = max(first + 1, past - 1)
            block = slice(first, last)
            own = rows[bounds[first] : bounds[last]]
            _pool_block(columns, own, np.diff(bounds)[block], out[block])
            first = last

    def _summed(self, words: list[str]) -> Columns:
        """Sum and number of the token vectors of each word."""
        ids = self._token_ids(words)
        counts = np.array([len(own) for own in ids], dtype=np.int64)
        starts = np.cumsum(counts) - counts
        flat = np.fromiter(chain.from_iterable(ids), dtype=np.int64, count=int(counts.sum()))
        sums = np.zeros((len(words), self.dimensions), dtype=np.float32)
        for place in range(int(counts.max(initial=0))):  # first tokens, then second ones, ...
            rows = np.flatnonzero(counts > place)
            sums[rows] += self._weights[flat[starts[rows] + place]]
        return sums, counts

    def _token_ids(self, words: list[str]) -> list[list[int]]:
        """The tokens of each word.

        The tokenizer spends most of its time on what is no question in ASCII: where a word's pieces
        end. Its model alone takes a third of the time.
        """
        found = [self._of_pieces(word) if self._is_bert else None for word in words]
        asked = [word for word, ids in zip(words, found, strict=True) if ids is None]
        readable = [word.encode("utf-8", "ignore").decode() for word in asked]
        encodings = iter(self._tokenizer.encode_batch_fast(readable, add_special_tokens=False))
        return [next(encodings).ids if ids is None else ids for ids in found]

    def _of_pieces(self, word: str) -> list[int] | None:
        """The tokens of a word of printable ASCII, piece by piece; None for any other."""
        if "[" in word or not (word.isascii() and word.isprintable()):
            return None
        ids: list[int] = []
        for piece in _PIECE.findall(word.lower()):
            number = self._number(piece)
            if number is None:
                ids += [token.id for token in self._tokens(piece)]
            else:
                ids.append(number)
        return ids


def _pool_block(
    columns: Columns, rows: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64], out: Vectors
) -> None:
    """Mean token vectors of texts of `lengths` words, whose rows of the table stand in `rows`."""
    sums_of, counts_of = columns
    starts = np.cumsum(lengths) - lengths
    filled = np.flatnonzero(lengths)
    if not len(filled):
        return
    counts = np.add.reduceat(counts_of[rows], starts[filled])
    if len(rows) <= _POOLED_AT_ONCE:
        sums = np.add.reduceat(sums_of[rows], starts[filled], axis=0)
    else:  # one text longer than a block: add up its blocks, in double precision
        blocks = range(0, len(rows), _POOLED_AT_ONCE)
        parts = (sums_of[rows[at : at + _POOLED_AT_ONCE]] for at in blocks)
        sums = np.sum([part.sum(axis=0, dtype=np.float64) for part in parts], axis=0)[None]
    out[filled] = sums / np.maximum(counts, 1)[:, None]


def _is_bert(tokenizer: Tokenizer) -> bool:
    """Whether `tokenizer` folds case and parts words as Bert's does, before it knows any token."""
    from tokenizers import models, normalizers, pre_tokenizers

    normalizer = tokenizer.normalizer
    return (
        isinstance(normalizer, normalizers.BertNormalizer)
        and normalizer.lowercase
        and isinstance(tokenizer.pre_tokenizer, pre_tokenizers.BertPreTokenizer)
        and isinstance(tokenizer.model, models.WordPiece)
        and all(t.content[0] == "[" for t in tokenizer.get_added_tokens_decoder().values())
    )


def is_static(folder: Path) -> bool:
    """Whether `folder` holds what a `StaticEncoder` reads.

    That is a ``StaticEmbedding`` whose tokenizer parts words at white space, then a ``Normalize``.
    """
    try:
        static, unit = _modules(folder)
        place = folder / static["path"] / "tokenizer.json"
        tokenizer = json.loads(place.read_text(encoding="utf-8"))
        return (
            static["type"].endswith("StaticEmbedding")
            and unit["type"].endswith("Normalize")
            and tokenizer["pre_tokenizer"]["type"] in _AT_WHITE_SPACE
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False


def _modules(folder: Path) -> list[dict[str, str]]:
    """The modules of a sentence-transformers folder: type, and the path of its files."""
    found: list[dict[str, str]] = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    return found


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
