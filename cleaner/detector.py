"""From evidence to a calibrated probability, in two passes.

The first pass is two networks that read all fragments at once (`cleaner.network`): one knows
foreign prose, the other the furniture of pages and its wording. In a detector that was fitted
without them it is gradient-boosted trees. The second pass is trees that see the verdicts.

A detector is read from a folder (`cleaner.detector_files`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from cleaner.contributions import Contributions, FirstPass, Trees, shapley_by_kind
from cleaner.detector_files import (
    FURNITURE_FILE,
    TreeModel,
    check_evidence,
    read_first_pass,
    read_knowledge,
    read_manifest,
    read_member,
    read_network,
    read_trees,
)
from cleaner.encoders.probe import is_same, read_probe
from cleaner.errors import ModelError
from cleaner.evidence import Encoded, Knowledge, Observed, observe, review
from cleaner.member import SHARE, Member, Verdicts
from cleaner.network import Fragments, Network, log_odds_of
from cleaner.scores import (
    CERTAIN,
    FAMILY,
    Calibration,
    drawn,
    network_weight,
    of_one_piece,
    sigmoid,
)
from cleaner.threads import one_thread
from cleaner.words import Lexicon

if TYPE_CHECKING:
    from cleaner.encoders import Encoder, Vectors
    from cleaner.segment import Segments
    from cleaner.topic import Floats

REVIEWS = 1
FAMILY_REVIEWS = 6  # passes of trees without networks, where there is a family
LONGEST_FURNITURE = 1_000  # code points; of a longer fragment only the head was encoded
UNREAD = -4.0  # log-odds at the most that a longer one is furniture
_SAME = 1e-5  # between scores from the trees as arrays and as ONNX, which differ in precision


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores of a document's fragments and what they rest on.

    Attributes
    ----------
    scores
        Calibrated probability that a fragment does not belong, 0 to 1, shape (n,).
    observed
        The second pass's evidence.
    first
        The first pass's log-odds, shape (n,).
    network_weight
        How far the log-odds of the trees are raised towards `prose` where those are higher, 0 to 1.
    title
        The title's vector, shape (dimensions,); None without a title.
    member
        What the network of another encoder said; None in a detector for one encoder.
    """

    scores: Floats
    observed: Observed
    first: Floats
    network_weight: float = 0.0
    title: Vectors | None = None
    member: Verdicts | None = None

    @property
    def prose(self) -> Floats:
        """Log-odds that prose is foreign: the first pass's, or the mean of both encoders'."""
        return self.first if self.member is None else self.member.mean(self.first)

    @property
    def furniture(self) -> Floats | None:
        """Log-odds of the network for furniture; None without one."""
        return self.observed.columns.get("furniture")

    def drawn(self, log_odds: Floats) -> Floats:
        """The trees' `log_odds`; with a member drawn towards both encoders' networks."""
        furniture = self.furniture
        if self.member is None or furniture is None:
            return log_odds
        return drawn(log_odds, self.prose, furniture)


class Detector:
    """A trained detector, for one encoder, or with a member for two."""

    def __init__(
        self,
        *,
        knowledge: Knowledge,
        first: Network | TreeModel,
        second: TreeModel,
        furniture: Network | None = None,
        member: Member | None = None,
        manifest: Mapping[str, Any],
        folder: Path,
        probe: Vectors | None = None,
    ) -> None:
        self.knowledge = knowledge
        self.manifest = manifest
        self.folder = folder
        self._first = first
        self._second = second
        self._furniture = furniture
        self._member = member
        self._probe = probe
        self.calibration = Calibration.of(manifest["calibration"])
        self._lexicon = Lexicon()
        self._both: tuple[Trees | None, Trees] | None = None

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a detector.

        Raises
        ------
        ModelError
            If a file is missing or is not what it should be.
        """
        try:
            return cls._read(folder)
        except MemoryError:
            raise  # the models are not what is wrong
        except Exception as error:  # onnxruntime raises its own kinds, numpy and json theirs
            raise ModelError(
                f"cannot read the detector ({error})",
                place=str(folder),
                next_step="give a folder that `cleaner train` wrote",
            ) from error

    @classmethod
    def _read(cls, folder: Path) -> Self:
        manifest = read_manifest(folder)
        evidence = manifest["evidence"]
        knowledge, furniture = read_knowledge(folder), read_network(folder / FURNITURE_FILE)
        check_evidence(evidence, knowledge, furniture)
        return cls(
            knowledge=knowledge,
            first=read_first_pass(folder),
            second=TreeModel(folder / "second.onnx"),
            furniture=furniture,
            member=read_member(folder, evidence),
            manifest=manifest,
            folder=folder,
            probe=read_probe(folder),
        )

    def check(self, encoder: Encoder) -> None:
        """Refuse an encoder other than the one that the detector was fitted for.

        Raises
        ------
        ModelError
            If its vectors are of other dimensions, or it puts the probe elsewhere.
        """
        if encoder.dimensions != self.dimensions:
            raise ModelError(
                f"the detector was fitted for vectors of {self.dimensions} dimensions, the encoder"
                f" {encoder.name!r} gives {encoder.dimensions}",
                place=str(self.folder),
                next_step="give a detector that was fitted for this encoder",
            )
        # One that was fitted before there was a probe takes what has its dimensions.
        if self._probe is not None and not is_same(encoder, self._probe):
            raise ModelError(
                f"the encoder {encoder.name!r} gives other vectors than the one that the detector"
                " was fitted for",
                place=str(self.folder),
                next_step="fit the detector again for this encoder (`cleaner train`)",
            )

    @property
    def threshold(self) -> float:
        """The default threshold, 0 to 1."""
        return float(self.manifest["threshold"])

    @property
    def dimensions(self) -> int:
        """Length of the vectors that it was fitted for."""
        own = len(self.knowledge.topic.mean)
        return own if self._member is None else self._member.dimensions + own

    def score(self, documents: Sequence[Encoded]) -> list[Scored]:
        """Score the fragments of documents: each as if it were alone."""
        with one_thread():
            return self._score_all(documents)

    def _score_all(self, documents: Sequence[Encoded]) -> list[Scored]:
        documents, told = self._parted(documents)
        observed = observe(documents, knowledge=self.knowledge, lexicon=self._lexicon)
        first, furniture = self._first_pass(documents, observed)
        seen, log_odds = self._reviewed(observed, furniture, sigmoid(first), REVIEWS)
        found = list(seen)
        if not isinstance(self._first, Network):
            found, log_odds = self._reviewed_again(observed, found, log_odds)
        return [
            self._scored(
                document,
                one,
                log_odds[extent],
                first[extent],
                member,
            )
            for document, one, extent, member in zip(
                documents, found, observed.layout, told, strict=True
            )
        ]

    def _parted(
        self, documents: Sequence[Encoded]
    ) -> tuple[Sequence[Encoded], Sequence[Verdicts | None]]:
        """Each document with the static encoder's vectors, and the member's verdicts on it.

        Without a member: the documents as they are, and None for each.
        """
        if self._member is None:
            return documents, [None] * len(documents)
        theirs, own = zip(*(self._member.parted(document) for document in documents), strict=True)
        return own, self._member.verdicts(theirs, self.knowledge, self._lexicon)

    def _scored(
        self,
        document: Encoded,
        observed: Observed,
        log_odds: Floats,
        first: Floats,
        member: Verdicts | None,
    ) -> Scored:
        """The scores of one document, from the log-odds of all."""
        found = Scored(np.zeros(0), observed, first, 0.0, document.title_vector, member)
        if isinstance(self._first, Network):
            lines = document.segments.lines
            weight = network_weight(found.drawn(log_odds), found.prose, lines)
            found = replace(found, network_weight=weight)
        decided = self._decided(log_odds, found)
        return replace(found, scores=np.round(of_one_piece(sigmoid(decided), document.segments), 6))

    def _reviewed_again(
        self,
        observed: Observed,
        reviewed: Sequence[Observed],
        log_odds: Floats,
    ) -> tuple[list[Observed], Floats]:
        """Evidence and log-odds without networks, with more passes where there are families."""
        families = observed.layout.total(log_odds >= CERTAIN) >= FAMILY
        found, decided = list(reviewed), log_odds.copy()
        for number, (one, extent) in enumerate(zip(observed, observed.layout, strict=True)):
            if families[number]:
                verdicts = sigmoid(log_odds[extent])
                found[number], decided[extent] = self._reviewed(one, None, verdicts, FAMILY_REVIEWS)
        return found, decided

    def log_odds(self, trees: Floats, scored: Scored) -> Floats:
        """Log-odds before the line as a whole, from what the trees of the second pass say.

        Parameters
        ----------
        trees
            Their log-odds before calibration, shape (n,).
        scored
            What `score` gave for the document.
        """
        return self._decided(self.calibration.log_odds(trees), scored)

    def _decided(self, log_odds: Floats, scored: Scored) -> Floats:
        """Log-odds of the trees and all networks together."""
        return self.calibration.decided(
            scored.drawn(log_odds), scored.prose, scored.furniture, weight=scored.network_weight
        )

    def _first_pass(
        self, documents: Sequence[Encoded], observed: Observed
    ) -> tuple[Floats, Floats | None]:
        """Log-odds before any verdict is known, and those of the network for furniture."""
        if not isinstance(self._first, Network):
            return self._first.log_odds(observed), None
        # As which a network reads it: half the memory.
        told = np.concatenate([rows.astype(np.float32) for rows in observed.blocks()])
        fragments = [
            Fragments.of(one, told[extent], document.title_vector)
            for document, one, extent in zip(documents, observed, observed.layout, strict=True)
        ]
        networks = [self._first]
        if self._furniture is not None:
            networks.append(self._furniture)
        each = [log_odds_of(networks, one) for one in fragments]
        first, *furniture = [
            np.round(np.concatenate(parts), 6) for parts in zip(*each, strict=True)
        ]
        own = [document.segments for document in documents]
        return first, capped(furniture[0], own) if furniture else None

    def contributions(self, scored: Scored, segments: Segments) -> Contributions:
        """What each piece of evidence adds to the scores that `score` gave.

        Raises
        ------
        ModelError
            If the detector's folder holds no trees, or not those that gave the scores.
        """
        first, second = self._trees()
        matrix = scored.observed.matrix()
        names = list(self.manifest["evidence"])
        base = self.calibration.slope * second.base + self.calibration.intercept
        last = self.calibration.slope * second.contributions(matrix)
        trees = base + last.sum(axis=1)
        pulled, furniture = scored.drawn(trees), scored.furniture
        boost, penalty = self.calibration.adjustments(
            pulled, scored.prose, furniture, weight=scored.network_weight
        )
        last[:, names.index("first")] += pulled + boost - trees
        if furniture is not None:  # what is furniture is not rare
            base -= self.calibration.rarity
            last[:, names.index("furniture")] += self.calibration.rarity - penalty
        log_odds = base + last.sum(axis=1)
        whole = of_one_piece(sigmoid(log_odds), segments)
        if np.abs(whole - scored.scores).max(initial=0.0) > _SAME:
            raise self._other_trees("they give other scores than the detector")
        by_line = np.log(whole) - np.log1p(-whole) - log_odds
        return Contributions(
            names=tuple(self.manifest["evidence"]),
            first=self._first_contributions(scored, matrix, first),
            base=base,
            last=last,
            line=np.where(whole > sigmoid(log_odds), by_line, 0.0),
        )

    def _first_contributions(
        self, scored: Scored, matrix: Floats, trees: Trees | None
    ) -> FirstPass:
        """The first pass's verdicts as sums over its evidence."""
        names = self.manifest["evidence"][: self.manifest["evidence"].index("first")]
        evidence = matrix[:, : len(names)]
        if not isinstance(self._first, Network):
            if trees is None:
                raise self._other_trees("they lack those of the first pass")
            return FirstPass(trees.base, trees.contributions(evidence))
        fragments = Fragments.of(scored.observed, evidence, scored.title)
        with one_thread():
            own = shapley_by_kind(self._first, fragments, names, scored.first)
            told = scored.member
            if self._member is None or told is None:
                return own
            other = shapley_by_kind(self._member.network, told.fragments, names, told.log_odds)
            return own.mixed(other, SHARE)

    def _trees(self) -> tuple[Trees | None, Trees]:
        """Both passes' trees, read when they are first asked for; a network has none."""
        if self._both is None:
            try:
                self._both = read_trees(self.folder, self.manifest["evidence"])
            except MemoryError:
                raise  # the models are not what is wrong
            except Exception as error:  # numpy and zipfile raise their own kinds
                raise self._other_trees(str(error)) from error
        return self._both

    def _other_trees(self, problem: str) -> ModelError:
        return ModelError(
            f"cannot explain by its trees ({problem})",
            place=str(self.folder / "trees.npz"),
            next_step="give a folder that `cleaner train` wrote",
        )

    def _reviewed(
        self, observed: Observed, furniture: Floats | None, scores: Floats, times: int
    ) -> tuple[Observed, Floats]:
        """The second pass, `times` in a row, each time seeing its own last verdicts: log-odds."""
        seen, log_odds = observed, np.zeros(0)
        for _ in range(times):
            seen = review(observed, scores, furniture, knowledge=self.knowledge)
            log_odds = self.calibration.log_odds(self._second.log_odds(seen))
            scores = sigmoid(log_odds)
        return seen, log_odds


def capped(log_odds: Floats, documents: Sequence[Segments]) -> Floats:
    """Log-odds of furniture; low for a fragment that the network has not read to the end."""
    lengths = np.concatenate([segments.ends - segments.starts for segments in documents])
    return np.where(lengths <= LONGEST_FURNITURE, log_odds, np.minimum(log_odds, UNREAD))
