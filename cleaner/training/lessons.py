"""The networks, each fitted on some sites and applied to others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from cleaner.network import Fragments, Network
from cleaner.training.examples import FOLDS, MADE, NO_FURNITURE, Example
from cleaner.training.forked import side_by_side
from cleaner.training.knowledge import observe_apart

if TYPE_CHECKING:
    from cleaner.command import Say
    from cleaner.evidence import Knowledge, Observed
    from cleaner.topic import Floats
    from cleaner.training.network import Lesson

_SURE = 1.0  # log-odds of furniture from which its network is not told that it is an article's


@dataclass(frozen=True, slots=True)
class Steps:
    """Batches that the networks learn from: those of the folds, and the one that is kept."""

    foreign: tuple[int, int]
    furniture: tuple[int, int]


@dataclass(slots=True)
class Lessons:
    """What networks learn from: lessons, the fold of each, and the kind of document it is."""

    lessons: list[Lesson]
    folds: list[int]
    sources: list[str]

    @classmethod
    def of(cls, examples: Sequence[Example], observed: Sequence[Observed]) -> Self:
        """Of examples, each with its first-pass evidence."""
        lessons = lessons_of(examples, observed)
        return cls(lessons, [e.fold for e in examples], [e.document.source for e in examples])

    @classmethod
    def of_lots(
        cls,
        lots: Iterable[Sequence[Example]],
        apart: Sequence[Knowledge],
        shown: Callable[[Observed], Observed] | None,
    ) -> Self:
        """Of lots of examples, of which no more than one is held at a time."""
        found = cls([], [], [])
        for examples in lots:
            found.extend(cls.of(examples, observe_apart(examples, apart, shown)))
        return found

    def extend(self, other: Lessons) -> None:
        """Take in those of `other` as well."""
        self.lessons += other.lessons
        self.folds += other.folds
        self.sources += other.sources

    def leave_unsaid(self, furniture: Sequence[Floats]) -> None:
        """Say nothing of what is an article's own and surely `furniture`, by its log-odds."""
        for at, log_odds in enumerate(furniture):
            lesson = self.lessons[at]
            doubted = (lesson.labels == 0) & (log_odds > _SURE)
            if self.sources[at] in MADE and doubted.any():
                self.lessons[at] = replace(lesson, labels=np.where(doubted, -1, lesson.labels))

    def only(self, use: Sequence[bool]) -> Lessons:
        """Those that are to be used."""
        rows = np.flatnonzero(use).tolist()
        return Lessons(
            [self.lessons[i] for i in rows],
            [self.folds[i] for i in rows],
            [self.sources[i] for i in rows],
        )


def lessons_of(examples: Sequence[Example], observed: Iterable[Observed]) -> list[Lesson]:
    """What a network is told of examples, by their first-pass evidence."""
    from cleaner.training.network import Lesson

    return [
        Lesson(Fragments.of(own, own.matrix(), example.encoded.title_vector), example.labels)
        for example, own in zip(examples, observed, strict=True)
    ]


def fit_foreign_network(
    own: Lessons, foreign: Lessons, steps: Steps, say: Say, jobs: int, kept: Network | None
) -> tuple[Network, Floats]:
    """The network for foreign prose, and log-odds for every fragment of `own` from one apart.

    It learns from articles with prose put in, not from scrapes, whose furniture would take all it
    has; and no words: by its words it would know the articles of the training.
    """
    learned = own.only([source in NO_FURNITURE for source in own.sources])
    learned.extend(foreign)
    say(f"network for foreign prose: {len(learned.lessons)} documents")
    return fit_networks(own, learned, np.zeros(0, dtype=np.uint32), steps.foreign, say, jobs, kept)


def fit_furniture_network(
    own: Lessons, furnished: Lessons, steps: Steps, say: Say, jobs: int
) -> tuple[Network, Floats]:
    """The network for furniture, and log-odds for every fragment of `own` from one apart.

    It learns wording as well, from all but the documents that have foreign prose in them. And it
    learns twice: where the networks of the first round, each of other sites, are sure of furniture
    in an article that is called clean, the second round is told nothing of that fragment.
    """
    from cleaner.training.network import known_terms

    worded = own.only([source not in NO_FURNITURE for source in own.sources])
    terms = known_terms([*worded.lessons, *furnished.lessons])
    prose = [
        source == "intruders" and bool((lesson.labels > 0).any())
        for source, lesson in zip(own.sources, own.lessons, strict=True)
    ]
    learned = own.only([not foreign for foreign in prose])
    learned.extend(furnished)
    say(f"network for furniture: {len(learned.lessons)} documents, {len(terms)} terms")
    before = side_by_side(_tasks_apart(learned, terms, steps.furniture[0], say), jobs=jobs)
    learned.leave_unsaid(_log_odds_apart(before, learned))
    return fit_networks(own, learned, terms, steps.furniture, say, jobs)


def fit_networks(
    own: Lessons,
    learned: Lessons,
    known: npt.NDArray[np.uint32],
    steps: tuple[int, int],
    say: Say,
    jobs: int,
    kept: Network | None = None,
) -> tuple[Network, Floats]:
    """A network, and for all of `own` log-odds from one that did not learn from their sites."""
    from cleaner.training.network import fit_network

    tasks = _tasks_apart(learned, known, steps[0], say)
    if kept is None:  # the longest first: none waits for it alone at the end
        whole = partial(fit_network, learned.lessons, steps=steps[1], known=known, say=say)
        tasks.insert(0, whole)
    apart = side_by_side(tasks, jobs=jobs)
    network = apart.pop(0) if kept is None else kept
    return network, np.concatenate(_log_odds_apart(apart, own))


def _tasks_apart(
    learned: Lessons, known: npt.NDArray[np.uint32], steps: int, say: Say
) -> list[Callable[[], Network]]:
    """For each fold what fits the network that has not learned from it."""
    from cleaner.training.network import fit_network

    def of_others(fold: int) -> Network:
        others = learned.only([other != fold for other in learned.folds])
        return fit_network(others.lessons, steps=steps, known=known, say=say)

    return [partial(of_others, fold) for fold in range(FOLDS)]


def _log_odds_apart(apart: Sequence[Network], lessons: Lessons) -> list[Floats]:
    """Log-odds of each lesson's fragments, from the network of its fold, to six digits."""
    return [
        np.round(apart[fold].log_odds(lesson.fragments), 6)
        for lesson, fold in zip(lessons.lessons, lessons.folds, strict=True)
    ]
