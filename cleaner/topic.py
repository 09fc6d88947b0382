"""How well a fragment fits the document's topic: the two-covariance model.

An article is treated as a speaker and its fragments as utterances (two-covariance PLDA: Brummer and
de Villiers, "The speaker partitioning problem", Odyssey 2010). What fragments of one article share,
and how articles differ, is learned from many articles; a fragment's score is the logarithm of

    p(fragment | the topic of the other fragments) / p(fragment | any topic)

so that a generic sentence, which says little about any topic, scores near zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from cleaner.encoders import Vectors

Floats = npt.NDArray[np.float64]
ROUNDS = 4
_ROWS = 8_192  # points at once: bounds the memory
TITLE_WEIGHT = 1.0  # of a title in the topic, in sentences
_SUSPECT = 1.0  # log-likelihood ratio at which a fragment has half its weight in the topic


@dataclass(frozen=True, slots=True)
class TopicModel:
    """Two-covariance model in the basis where both covariances are diagonal.

    Attributes
    ----------
    mean
        Shape (dimensions,): mean of all vectors.
    projection
        Shape (dimensions, k): takes centred vectors to unit within-article covariance.
    between
        Shape (k,): between-article variance along each axis, descending.
    """

    mean: Floats
    projection: Floats
    between: Floats

    @classmethod
    def fit(cls, vectors: Vectors, articles: npt.NDArray[np.int64], *, axes: int = 64) -> Self:
        """Learn both covariances from fragments of many articles.

        Parameters
        ----------
        vectors
            Shape (n, dimensions).
        articles
            Shape (n,): number of the article of each fragment, 0 to the number of articles - 1.
        axes
            How many axes to keep: those along which articles differ most.
        """
        data = vectors.astype(np.float64)
        mean = data.mean(axis=0)
        data -= mean
        sizes = np.bincount(articles)
        sums = np.zeros((len(sizes), data.shape[1]))
        np.add.at(sums, articles, data)
        centres = sums / np.maximum(sizes, 1)[:, None]
        inner = data - centres[articles]
        within = inner.T @ inner / max(len(data) - int(np.count_nonzero(sizes)), 1)
        within += np.eye(len(within)) * float(np.trace(within)) / len(within) * 1e-2
        # The scatter of the centres holds the within covariance over the article's size.
        shared = (centres.T * sizes) @ centres / len(data)
        between = shared - within * np.count_nonzero(sizes) / len(data)
        values, basis = np.linalg.eigh(within)
        whiten = basis / np.sqrt(values)
        variances, rotation = np.linalg.eigh(whiten.T @ between @ whiten)
        order = np.argsort(variances)[::-1][:axes]
        return cls(mean, whiten @ rotation[:, order], np.maximum(variances[order], 1e-6))

    def project(self, vectors: Vectors) -> Floats:
        """Vectors in the model's basis, shape (n, k)."""
        return np.asarray((vectors - self.mean) @ self.projection, dtype=np.float64)

    def ratios(
        self, points: Floats, weights: Floats, *, title: Floats | None = None
    ) -> tuple[Floats, Floats, Floats]:
        """Leave-one-out log-likelihood ratio of each fragment, suspects down-weighted.

        Parameters
        ----------
        points
            Projected fragments, shape (n, k).
        weights
            How much each fragment may say about the topic, 0 to 1, shape (n,).
        title
            The projected title, shape (k,), or None.

        Returns
        -------
        ratios
            Shape (n,); higher: closer to the topic.
        naive
            Shape (n,): the same before any suspect lost weight.
        trust
            Shape (n,): weight each fragment ended up with.
        """
        naive = ratios = self.log_likelihood_ratio(
            points, points, weights, title=title, leave_out=True
        )
        trust = weights
        for _ in range(ROUNDS - 1):
            trust = weights / (1.0 + np.exp(np.clip(_SUSPECT - ratios, -30, 30)))
            ratios = self.log_likelihood_ratio(points, points, trust, title=title, leave_out=True)
        return ratios, naive, trust

    def log_likelihood_ratio(
        self,
        points: Floats,
        members: Floats,
        weights: Floats,
        *,
        title: Floats | None = None,
        leave_out: bool = False,
    ) -> Floats:
        """Log-likelihood ratio of `points` under the topic of weighted `members`, shape (n,).

        With `leave_out`, points and members are the same and no point speaks for itself.
        """
        total = weights.sum()
        moment = weights @ members
        if title is not None:
            total = total + TITLE_WEIGHT
            moment = moment + TITLE_WEIGHT * title
        moments, counts = moment[None], np.full(1, total)
        found = np.empty(len(points))
        for at in range(0, len(points), _ROWS):
            rows = slice(at, at + _ROWS)
            if leave_out:
                moments = moment - weights[rows, None] * members[rows]
                counts = total - weights[rows]
            found[rows] = self._log_ratio(points[rows], moments, np.maximum(counts, 0.0)[:, None])
        return found

    def _log_ratio(self, points: Floats, moments: Floats, counts: Floats) -> Floats:
        """Log-likelihood ratio of each point, given sum and number of its topic's members.

        With b between and q = 1 + b * count, the topic's mean is b * moment / q and a point's
        variance under it 1 + b / q = (q + b) / q; without a topic the variance is 1 + b.
        """
        between = self.between
        known = 1.0 + between * counts
        open_ = known + between
        # (point - b * moment / q)^2 / ((q + b) / q), with one division for three
        error = known * points
        error -= between * moments
        error *= error
        error /= known * open_
        error -= points * points / (1.0 + between)
        error += np.log(open_ / known)
        return np.asarray(-0.5 * (error.sum(axis=1) - np.log1p(between).sum()))
