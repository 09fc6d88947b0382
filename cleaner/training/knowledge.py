"""What a detector knows before it sees a document: topics, rare words, wording of furniture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import sparse  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression

from cleaner.cleaning import ENCODED
from cleaner.evidence import Knowledge, Observed, observe
from cleaner.topic import TopicModel
from cleaner.training.examples import FOLDS, NO_FURNITURE, Example
from cleaner.words import BUCKETS, CONTENT, Lexicon

if TYPE_CHECKING:
    from cleaner.encoders import Encoder, Vectors

_SEEN = 3  # fragments in which a term must stand to be learned from
_TOPIC_SENTENCES = 60  # of an article


def fit_topic(articles: Iterable[Sequence[str]], encoder: Encoder, *, axes: int) -> TopicModel:
    """The two-covariance model of `encoder` on the sentences of `articles`."""
    vectors, numbers = [], []
    for number, sentences in enumerate(articles):
        own = encoder.encode([s[:ENCODED] for s in sentences[:_TOPIC_SENTENCES]])
        own = own[np.linalg.norm(own, axis=1) > 0]
        vectors.append(own)
        numbers.append(np.full(len(own), number))
    _, compact = np.unique(np.concatenate(numbers), return_inverse=True)
    return TopicModel.fit(np.concatenate(vectors), compact.astype(np.int64), axes=axes)


def inverse_document_frequency(texts: Sequence[Sequence[str]]) -> npt.NDArray[np.float32]:
    """Inverse document frequency of hashed words; `texts` holds one list a document."""
    lexicon = Lexicon()
    counts = np.zeros(BUCKETS)
    for document in texts:
        found = lexicon.words(document)
        keys = np.unique(found.keys[(found.flags & CONTENT) > 0] % BUCKETS)
        counts[keys.astype(np.int64)] += 1
    return np.log((len(texts) + 1) / (counts + 1)).astype(np.float32)


def terms_matrix(texts: Sequence[str], lexicon: Lexicon) -> sparse.csr_matrix:
    """Hashed terms of `texts`, scaled as `cleaner.evidence` scales them."""
    found = lexicon.words(texts)
    buckets, owner = found.terms().buckets()
    scale = 1 / np.sqrt(2 * found.counts + 1)
    return sparse.csr_matrix((scale[owner], (owner, buckets)), shape=(len(texts), BUCKETS))


def fit_wording(
    examples: Sequence[Example],
) -> tuple[npt.NDArray[np.float32], float, npt.NDArray[np.float32]]:
    """Two linear models of furniture's wording: on hashed terms, and on the vector.

    Intruding sentences of other articles are no furniture: only labelled scrapes teach wording.
    """
    texts: list[str] = []
    labels: list[int] = []
    vectors: list[Vectors] = []
    for example in examples:
        if example.document.source in NO_FURNITURE:
            continue
        use = np.flatnonzero(example.labels >= 0)
        own = example.segments.texts
        texts += [own[i] for i in use]
        labels += example.labels[use].tolist()
        vectors.append(example.encoded.vectors[use])
    if len(set(labels)) < 2:  # noqa: PLR2004  # nothing to tell apart: no wording says anything
        width = examples[0].encoded.vectors.shape[1] + 1 if examples else 1
        return np.zeros(BUCKETS, np.float32), 0.0, np.zeros(width, np.float32)
    matrix = terms_matrix(texts, Lexicon())
    # A term seen once or twice says more of its page than of furniture.
    matrix = matrix @ sparse.diags((matrix.getnnz(axis=0) >= _SEEN).astype(np.float64))
    terms = LogisticRegression(C=2.0, max_iter=300).fit(matrix, labels)
    stacked = np.concatenate(vectors)
    dense = LogisticRegression(C=1.0, max_iter=1000).fit(stacked, labels)
    return (
        terms.coef_[0].astype(np.float32),
        float(terms.intercept_[0]),
        np.append(dense.coef_[0], dense.intercept_).astype(np.float32),
    )


def knowledge_apart(
    examples: Sequence[Example], topic: TopicModel, frequency: npt.NDArray[np.float32]
) -> list[Knowledge]:
    """For each fold what is known without its sites: their wording is not learned from."""
    return [
        Knowledge(topic, frequency, *fit_wording([e for e in examples if e.fold != fold]))
        for fold in range(FOLDS)
    ]


def observe_apart(
    examples: Sequence[Example],
    apart: Sequence[Knowledge],
    shown: Callable[[Observed], Observed] | None = None,
) -> list[Observed]:
    """First-pass evidence of each example, by what is known without its fold."""
    lexicon = Lexicon()
    found = (
        observe([example.encoded], knowledge=apart[example.fold], lexicon=lexicon)
        for example in examples
    )
    return [own if shown is None else shown(own) for own in found]
