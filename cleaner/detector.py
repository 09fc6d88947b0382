"""From evidence to a calibrated probability: two passes of gradient-boosted trees.

A detector is a folder: arrays (``knowledge.npz``), two tree ensembles (``first.onnx`` and
``second.onnx``, run by onnxruntime), the same trees as arrays for explanations (``trees.npz``), and
a manifest. Nothing in it is code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from cleaner.errors import ModelError
from cleaner.evidence import Knowledge, Observed, observe, review
from cleaner.segment import segment
from cleaner.topic import Floats, TopicModel
from cleaner.words import Lexicon

if TYPE_CHECKING:
    from cleaner.encoders import Vectors
    from cleaner.segment import Segments

FORMAT = 1
REVIEWS = 1
# Where so many fragments are all but certain, a family of intruders is there, and a few more looks
# find its quieter members. Without one, more looks would only feed on their own suspicions.
FAMILY = 3
CERTAIN = 0.85
FAMILY_REVIEWS = 6


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores of a document's fragments and what they rest on.

    Attributes
    ----------
    scores
        Calibrated probability that a fragment does not belong, 0 to 1, shape (n,).
    observed
        The second pass's evidence.
    """

    scores: Floats
    observed: Observed


class Detector:
    """A trained detector, for one encoder."""

    def __init__(
        self,
        *,
        knowledge: Knowledge,
        first: Any,
        second: Any,
        slope: float,
        intercept: float,
        manifest: Mapping[str, Any],
        folder: Path,
    ) -> None:
        self.knowledge = knowledge
        self.manifest = manifest
        self.folder = folder
        self._first = first
        self._second = second
        self._slope = slope
        self._intercept = intercept
        self._lexicon = Lexicon()

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a detector.

        Raises
        ------
        ModelError
            If a file is missing or is not what it should be.
        """
        try:
            manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            if manifest["format"] != FORMAT:
                raise ValueError(f"format {manifest['format']}, this version reads {FORMAT}")
            with np.load(folder / "knowledge.npz", allow_pickle=False) as arrays:
                knowledge = _knowledge(arrays)
            calibration = manifest["calibration"]
            slope, intercept = float(calibration["slope"]), float(calibration["intercept"])
            float(manifest["threshold"]), list(manifest["evidence"])
            first, second = (_session(folder / name) for name in ("first.onnx", "second.onnx"))
            _check_evidence(manifest["evidence"], knowledge)
        except Exception as error:  # onnxruntime raises its own kinds, numpy and json theirs
            raise ModelError(
                f"cannot read the detector ({error})",
                place=str(folder),
                next_step="give a folder that `cleaner train` wrote",
            ) from error
        return cls(
            knowledge=knowledge,
            first=first,
            second=second,
            slope=slope,
            intercept=intercept,
            manifest=manifest,
            folder=folder,
        )

    @property
    def threshold(self) -> float:
        """The default threshold, chosen on held-out sites."""
        return float(self.manifest["threshold"])

    def score(
        self, segments: Segments, vectors: Vectors, title_vector: Vectors | None, *, title: str = ""
    ) -> Scored:
        """Score the fragments of one document, of which there is at least one."""
        observed = observe(
            segments,
            vectors,
            title_vector,
            knowledge=self.knowledge,
            lexicon=self._lexicon,
            title=title,
        )
        first = sigmoid(_run(self._first, observed.matrix()))
        seen, scores = self._reviewed(observed, first, REVIEWS)
        if np.count_nonzero(scores >= CERTAIN) >= FAMILY:
            seen, scores = self._reviewed(observed, scores, FAMILY_REVIEWS)
        return Scored(np.round(_of_one_piece(scores, segments), 6), seen)

    def _reviewed(self, observed: Observed, scores: Floats, times: int) -> tuple[Observed, Floats]:
        """The second pass, `times` in a row, each time seeing its own last verdicts."""
        seen = observed
        for _ in range(times):
            seen = review(observed, scores, knowledge=self.knowledge)
            scores = sigmoid(self._slope * _run(self._second, seen.matrix()) + self._intercept)
        return seen, scores


def _of_one_piece(scores: Floats, segments: Segments) -> Floats:
    """Raise a sentence to what its line as a whole scores: a foreign line goes whole.

    The line's score is the mean log-odds of its sentences, weighted by their length. A foreign
    sentence in a line that belongs leaves its neighbours where they are.
    """
    _, line = np.unique(segments.lines, return_inverse=True)
    lengths = (segments.ends - segments.starts).astype(np.float64)
    bounded = np.clip(scores, 1e-6, 1 - 1e-6)
    odds = np.log(bounded / (1 - bounded))
    mean = np.bincount(line, odds * lengths) / np.bincount(line, lengths)
    return np.asarray(np.maximum(scores, sigmoid(mean[line]) * (scores > 0)))


def _check_evidence(names: Sequence[str], knowledge: Knowledge) -> None:
    """Refuse a detector that was fitted on other evidence than this version computes."""
    vectors = np.zeros((1, len(knowledge.topic.mean)), dtype=np.float32)
    seen = observe(segment("x"), vectors, None, knowledge=knowledge, lexicon=Lexicon())
    found = review(seen, np.zeros(1), knowledge=knowledge).columns
    if list(found) != list(names):
        raise ValueError("it was fitted on other evidence than this version of cleaner computes")


def sigmoid(odds: Floats) -> Floats:
    """Probability of log-odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(odds, -60, 60))))


def _knowledge(arrays: Any) -> Knowledge:
    topic = TopicModel(arrays["mean"], arrays["projection"], arrays["between"])
    return Knowledge(
        topic=topic,
        frequency=arrays["frequency"].astype(np.float32),
        wording=arrays["wording"].astype(np.float32),
        wording_bias=float(arrays["wording_bias"]),
        wording_vector=arrays["wording_vector"].astype(np.float32),
    )


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread: sums keep their order, and processes do not fight over the cores.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        path.read_bytes(), options, providers=["CPUExecutionProvider"]
    )


def _run(session: Any, matrix: npt.NDArray[np.float64]) -> Floats:
    odds: npt.NDArray[np.float64] = session.run(None, {"evidence": matrix})[0]
    return odds.ravel().astype(np.float64)
