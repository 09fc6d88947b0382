"""Another network for foreign prose, on the vectors of another encoder.

A transformer knows paraphrase, a static encoder that was trained on articles knows subjects. Where
each has a network of its own, their errors differ, and the mean of their log-odds is surer than
either (Dietterich, "Ensemble methods in machine learning", 2000). The rest of the detector reads
form and furniture, for which the vectors of the static encoder do, and stays as it is: what its
trees say is drawn towards that mean (`cleaner.scores.drawn`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from cleaner.evidence import Encoded, Knowledge, observe
from cleaner.network import Fragments, Network
from cleaner.topic import Floats, TopicModel

if TYPE_CHECKING:
    from cleaner.encoders import Vectors
    from cleaner.words import Lexicon

SHARE = 0.6  # of its log-odds in the mean
_TOPIC = ("topic_mean", "topic_projection", "topic_between")


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the network says of a document's n fragments, and what it was told of them.

    Attributes
    ----------
    fragments
        What it was told.
    log_odds
        Log-odds that a fragment does not belong, shape (n,).
    """

    fragments: Fragments
    log_odds: Floats

    def mean(self, first: Floats) -> Floats:
        """The weighted mean of these log-odds and of the other network's."""
        return (1 - SHARE) * first + SHARE * self.log_odds


@dataclass(frozen=True, slots=True)
class Member:
    """A network, and the topic model of its encoder."""

    topic: TopicModel
    network: Network

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Self:
        """From the arrays that `to_arrays` gave."""
        topic = TopicModel(*(arrays[name] for name in _TOPIC))
        names = [name for name in arrays if name not in _TOPIC]
        return cls(topic, Network.from_arrays({name: arrays[name] for name in names}))

    def to_arrays(self) -> dict[str, Any]:
        """All arrays by name."""
        topic = (self.topic.mean, self.topic.projection, self.topic.between)
        return {**dict(zip(_TOPIC, topic, strict=True)), **self.network.to_arrays()}

    @property
    def dimensions(self) -> int:
        """Length of its encoder's vectors."""
        return len(self.topic.mean)

    def parted(self, document: Encoded) -> tuple[Encoded, Encoded]:
        """A document as its own encoder saw it, and as the other did, whose vectors are behind."""
        vectors, title = document.vectors, document.title_vector
        halves = (slice(None, self.dimensions), slice(self.dimensions, None))
        own, other = (
            replace(
                document,
                vectors=_unit(vectors[:, half]),
                title_vector=None if title is None else _unit(title[None, half])[0],
            )
            for half in halves
        )
        return own, other

    def verdicts(
        self, documents: Sequence[Encoded], knowledge: Knowledge, lexicon: Lexicon
    ) -> list[Verdicts]:
        """What the network says of documents, which are as its own encoder saw them.

        Parameters
        ----------
        knowledge
            Of the rest of the detector; of it serves what does not depend on the encoder.
        """
        observed = observe(
            documents, knowledge=knowledge_of(self.topic, knowledge), lexicon=lexicon
        )
        matrix = observed.matrix().astype(np.float32)
        found = []
        for document, one, extent in zip(documents, observed, observed.layout, strict=True):
            fragments = Fragments.of(one, matrix[extent], document.title_vector)
            found.append(Verdicts(fragments, np.round(self.network.log_odds(fragments), 6)))
        return found


def knowledge_of(topic: TopicModel, knowledge: Knowledge) -> Knowledge:
    """Words as in `knowledge`, the topic by another encoder; by its vectors no wording is known."""
    nothing = np.zeros(len(topic.mean) + 1, np.float32)
    return replace(knowledge, topic=topic, wording_vector=nothing)


def _unit(vectors: Vectors) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0))
