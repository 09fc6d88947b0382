"""Why a fragment has its score: the detector's own contributions, grouped and put into words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cleaner.contributions import (
    DOCUMENT,
    FAMILY,
    FORM,
    FURNITURE,
    LIKENESS,
    NEIGHBOURS,
    OWN,
    PLACE,
    REPETITION,
    REST,
    SHARED_WORDS,
    TITLE,
    TOPIC,
    WORDING,
    kind_of,
)
from cleaner.render import plural
from cleaner.scores import sigmoid

if TYPE_CHECKING:
    from cleaner.cleaning import Inspected
    from cleaner.contributions import FirstPass
    from cleaner.topic import Floats

Values = Mapping[str, float]
LINE = "line"
COUNTING = (LIKENESS, FAMILY)  # kinds whose words tell how many of the closest fragments are out
SHOWN_TERMS = 6  # of a pass; the rest is summed up
NEAREST = 5  # fragments closest to one, of which it is told how many are out
_BLOCK = 512  # fragments compared with all others at once
_NAMED = 3  # kinds of the first pass that are named in the last one
NOTHING = "no evidence by itself speaks for it"  # where none is deciding
KEPT = "a pattern, its reason, or its rank as the only heading, keeps it"  # whatever its score
DROPPED = "it matches a pattern to drop: its evidence was not asked"
_SLIGHT = 0.05  # share of the strongest evidence below which other evidence decides nothing

_FAR, _OFF, _ON = -10.0, -2.0, 2.0  # log-likelihood ratios at which the words change
_LITTLE, _MUCH = 0.15, 0.35  # cosines at which the words change
_FURNITURE, _PROSE = 1.0, -1.0  # log-odds of the wording at which the words change
_MOST = 0.5


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence: its name, its value, and the log-odds it contributes."""

    name: str
    value: float
    log_odds: float


@dataclass(frozen=True, slots=True)
class Term:
    """What one kind of evidence contributes.

    Attributes
    ----------
    kind
        One of `KINDS`.
    words
        What the evidence says, in words and figures.
    log_odds
        Sum over its pieces; positive: speaks for removal.
    pieces
        Those that contribute anything, the strongest first; none where a kind was taken whole.
    """

    kind: str
    words: str
    log_odds: float
    pieces: tuple[Piece, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The term as JSON types."""
        told = {"kind": self.kind, "words": self.words, "log_odds": self.log_odds}
        pieces = [{"name": p.name, "value": p.value, "log_odds": p.log_odds} for p in self.pieces]
        return told | ({"evidence": pieces} if pieces else {})


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass of the detector over a fragment.

    Attributes
    ----------
    base
        Log-odds before any evidence.
    terms
        What was added, the strongest first; `base` and they add up to the pass's verdict.
    """

    base: float
    terms: tuple[Term, ...]

    @property
    def log_odds(self) -> float:
        """The verdict."""
        return self.base + sum(term.log_odds for term in self.terms)

    @property
    def probability(self) -> float:
        """The verdict as a probability, 0 to 1."""
        return float(sigmoid(np.array(self.log_odds)))

    def to_dict(self) -> dict[str, Any]:
        """The pass as JSON types."""
        return {
            "base": self.base,
            "log_odds": self.log_odds,
            "probability": self.probability,
            "terms": [term.to_dict() for term in self.terms],
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a fragment has its score.

    Attributes
    ----------
    first
        The first pass, at the fragment in its document, before anything was suspected.
    last
        The last pass, which sees what was suspected before. Its probability is the score.
    nearest
        The fragments closest to this one, by their numbers.
    """

    first: Pass
    last: Pass
    nearest: tuple[int, ...] = ()

    def deciding(self, *, goes: bool, most: int = 3) -> tuple[Term, ...]:
        """The evidence that speaks most for the verdict, from both passes, one term of a kind.

        What a pass says of the pass before it is no evidence of its own, and is left out; so is
        what weighs next to nothing beside the strongest.

        Parameters
        ----------
        goes
            The verdict: whether the fragment is removed.
        most
            How many are given at most.
        """
        side = 1.0 if goes else -1.0
        terms = [t for one in (self.first, self.last) for t in one.terms if t.kind != OWN]
        strongest: dict[str, Term] = {}
        for term in sorted(terms, key=lambda term: -side * term.log_odds):
            strongest.setdefault(term.kind, term)
        slightest = _SLIGHT * max((abs(term.log_odds) for term in terms), default=0.0)
        weighty = [t for t in strongest.values() if side * t.log_odds > slightest]
        return tuple(weighty[:most])

    def to_dict(self) -> dict[str, Any]:
        """The explanation as JSON types."""
        return {"first_pass": self.first.to_dict(), "last_pass": self.last.to_dict()}


def explain(inspected: Inspected, goes: Sequence[bool] | None = None) -> Iterator[Explanation]:
    """Explain the fragments of a document, in order.

    Parameters
    ----------
    inspected
        The document. One that was not judged has no explanations.
    goes
        Whether each fragment is removed, so that the words can tell how many of the closest ones
        are. None: they do not.
    """
    if inspected.observed is None or inspected.contributions is None:
        return
    parts = inspected.contributions
    columns = inspected.observed.columns
    matrix = inspected.observed.matrix()
    closest = _closest(inspected.observed.vectors)
    for index, row in enumerate(matrix.tolist()):
        values = dict(zip(columns, row, strict=True))
        if goes is not None:
            values["closest_out"] = sum(goes[other] for other in closest[index])
        first = _first_pass(parts.first, parts.names, index, values)
        last = [_named(t, first) for t in _terms(parts.names, parts.last[index], values)]
        if parts.line[index] > 0:
            words = "raised towards the score of its line as a whole"
            last.append(Term(LINE, words, float(parts.line[index])))
        yield Explanation(first, _pass(parts.base, last), closest[index])


def _first_pass(parts: FirstPass, names: Sequence[str], index: int, values: Values) -> Pass:
    """The first pass at a fragment: of trees by pieces of evidence, of a network by kinds."""
    row = parts.values[index]
    # It knows nothing of what was suspected.
    known = (*names[: names.index("first")], "closest_out")
    seen = {name: values[name] for name in known if name in values}
    if parts.kinds is None:
        return _pass(parts.base, _terms(names[: len(row)], row, seen))
    told = dict(zip(parts.kinds, row.tolist(), strict=True))
    if seen["line_size"] == 0.0:
        # Of a fragment alone in its line, what is said of the line is said of it.
        told[TOPIC] += told.pop(REST, 0.0)
    terms = [Term(kind, _WORDS[kind](seen), added) for kind, added in told.items() if added]
    return _pass(parts.base, terms)


def _named(term: Term, first: Pass) -> Term:
    """A term on the fragment's own verdict says what that rested on."""
    side = np.sign(first.log_odds)
    kinds = [other.kind for other in first.terms if side * other.log_odds > 0][:_NAMED]
    if term.kind != OWN or not kinds:
        return term
    return replace(term, words=f"{term.words}; the first pass, above all for {', '.join(kinds)}")


def _pass(base: float, terms: list[Term]) -> Pass:
    return Pass(base, tuple(sorted(terms, key=lambda term: -abs(term.log_odds))))


def _closest(vectors: Any) -> list[tuple[int, ...]]:
    """The numbers of the fragments closest to each one, by cosine, the closest first."""
    count = min(NEAREST, len(vectors) - 1)
    found: list[tuple[int, ...]] = []
    for at in range(0, len(vectors), _BLOCK):
        apart = -(vectors[at : at + _BLOCK] @ vectors.T)
        rows = np.arange(len(apart))
        apart[rows, at + rows] = np.inf
        near = np.sort(np.argpartition(apart, count - 1, axis=1)[:, :count], axis=1)
        order = np.argsort(np.take_along_axis(apart, near, axis=1), axis=1, kind="stable")
        found += map(tuple, np.take_along_axis(near, order, axis=1).tolist())
    return found


def _terms(names: Iterable[str], row: Floats, values: Values) -> list[Term]:
    alone = values["line_size"] == 0.0
    found: dict[str, list[Piece]] = {}
    for name, log_odds in zip(names, row.tolist(), strict=True):
        if log_odds:
            found.setdefault(kind_of(name, alone=alone), []).append(
                Piece(name, values[name], log_odds)
            )
    return [
        Term(
            kind,
            _WORDS[kind](values),
            float(sum(piece.log_odds for piece in pieces)),
            tuple(sorted(pieces, key=lambda piece: -abs(piece.log_odds))),
        )
        for kind, pieces in found.items()
    ]


# --- kinds of evidence in words ------------------------------------------------------------------


def _topic(values: Values) -> str:
    ratio = values["topic_ratio"]
    if ratio < _FAR:
        fit = "far from the article's topic"
    elif ratio < _OFF:
        fit = "off the article's topic"
    elif ratio < _ON:
        fit = "says little about the article's topic"
    else:
        fit = "on the article's topic"
    return f"{fit} (log-likelihood ratio {_figure(ratio)})"


def _shared(values: Values) -> str:
    if values["rare_words"] <= 0:
        return "has no rare words"
    share = values["rare_shared"]
    amount = "none" if share <= 0 else "all" if share > 1 - 1e-9 else f"{share:.0%}"
    return f"shares {amount} of its rare words with the rest of the article"


def _title(values: Values) -> str:
    if not values["document_titled"]:
        return "the article has no title to compare with"
    cosine = values["title_cosine"]
    amount = "little" if cosine < _LITTLE else "much" if cosine > _MUCH else "something"
    return f"has {amount} in common with the title (cosine {_figure(cosine, 2)})"


def _wording(values: Values) -> str:
    log_odds = values["wording"]
    like = "worded as the furniture of a page is" if log_odds > _FURNITURE else "worded as prose is"
    if _PROSE <= log_odds <= _FURNITURE:
        like = "its wording says little"
    return f"{like} (log-odds {_figure(log_odds)})"


def _form(values: Values) -> str:
    words = round(float(np.expm1(values["words"])))
    parts = [plural(words, "word")]
    parts.append("ends in a full stop" if values["full_stop"] else "no full stop")
    if values["upper_words"] > _MOST:
        parts.append("in capitals")
    if values["numbers"] > 0:
        parts.append(f"{values['numbers']:.0%} of them numbers")
    if values["address"]:
        parts.append("holds an address")
    return ", ".join(parts)


def _repetition(values: Values) -> str:
    times = round(float(np.exp(values["repeated"])))
    if times > 1:
        return f"stands {times} times in the document"
    return f"{values['same_opening']:.0%} of the fragments open with the same word"


def _place(values: Values) -> str:
    blank = values["blank_before"] and values["blank_after"]
    apart = ", between blank lines" if blank else ""
    return f"{values['position']:.0%} of the way through the document{apart}"


def _likeness(values: Values) -> str:
    return f"{_out(values)}cosine {_figure(values['nearest_1'], 2)} to the closest one"


def _out(values: Values) -> str:
    """How many of the closest fragments are out, where that is known."""
    if "closest_out" not in values:
        return ""
    of = min(NEAREST, round(float(np.exp(values["document_size"]))) - 1)
    return f"{values['closest_out']} of the {of} fragments closest to it are out; "


def _line(values: Values) -> str:
    others = round(float(np.exp(values["line_size"]))) - 1
    who = "the other sentence" if others == 1 else f"the other {others} sentences"
    fit = f"{who} of its line: log-likelihood ratio {_figure(values['line_topic_ratio'])}"
    if "first_line" not in values:
        return fit
    return f"{fit}, suspected with {values['first_line']:.2f}"


def _neighbours(values: Values) -> str:
    ratio = values["topic_ratio_within_2"]
    stops = values["full_stop_within_2"]
    return (
        f"two neighbours each way: log-likelihood ratio {_figure(ratio)} on average,"
        f" {stops:.0%} with a full stop"
    )


def _document(values: Values) -> str:
    count = round(float(np.exp(values["document_size"])))
    return f"a document of {count} fragments, {values['document_running']:.0%} running text"


def _own(values: Values) -> str:
    return f"the pass before suspected it with {float(sigmoid(np.array(values['first']))):.2f}"


def _around(values: Values) -> str:
    return f"three neighbours each way are suspected with {values['first_within_3']:.2f} on average"


def _trusted(values: Values) -> str:
    if values["outside_trusted"]:
        return "outside of all that is surely the article's"
    steps = [round(float(np.exp(values[f"trusted_{side}"]))) for side in ("before", "after")]
    return f"surely the article's: {steps[0]} before it, {steps[1]} behind it"


def _suspects(values: Values) -> str:
    return f"the pass before suspected {values['first_document']:.0%} of the document"


def _family(values: Values) -> str:
    ratio = values["families_ratio"]
    side = "what is suspected" if ratio < 0 else "what is trusted"
    return f"{_out(values)}closer to {side} (log-likelihood ratio {_figure(ratio)})"


def _furniture(values: Values) -> str:
    log_odds = values["furniture"]
    verdict = "takes it for furniture" if log_odds > 0 else "does not take it for furniture"
    return (
        f"the network that knows the furniture of many sites {verdict}"
        f" (log-odds {_figure(log_odds)}), and of the document {values['furniture_document']:.0%}"
    )


_WORDS: dict[str, Callable[[Values], str]] = {
    TOPIC: _topic,
    SHARED_WORDS: _shared,
    TITLE: _title,
    WORDING: _wording,
    FORM: _form,
    LIKENESS: _likeness,
    REPETITION: _repetition,
    PLACE: _place,
    REST: _line,
    NEIGHBOURS: _neighbours,
    DOCUMENT: _document,
    OWN: _own,
    "suspects around it": _around,
    "trusted around it": _trusted,
    "suspects in the document": _suspects,
    FAMILY: _family,
    FURNITURE: _furniture,
}
KINDS = (*_WORDS, LINE)


def signed(log_odds: float) -> str:
    """Log-odds with their sign."""
    return f"{log_odds:+.2f}".replace("-", "\N{MINUS SIGN}")


def _figure(value: float, digits: int = 1) -> str:
    shown = f"{round(value, digits) + 0.0:.{digits}f}"  # nought has no sign
    return shown.replace("-", "\N{MINUS SIGN}")
