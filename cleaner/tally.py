"""What a run did, in figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from cleaner.render import plural

if TYPE_CHECKING:
    from cleaner.results import CleanResult


@dataclass(slots=True)
class Tally:
    """Counts of one run, or of a piece of it.

    Attributes
    ----------
    documents
        Documents that were cleaned, judged or not.
    changed
        Those from which something was removed.
    characters
        Code points of all of them as they came in.
    not_judged
        Documents that were kept whole for want of knowledge, by why.
    fragments, removed
        Fragments removed, and code points of what was removed, by reason.
    errors
        Records and files that could not be used.
    """

    documents: int = 0
    changed: int = 0
    characters: int = 0
    not_judged: Counter[str] = field(default_factory=Counter)
    fragments: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    errors: int = 0

    def count(self, result: CleanResult) -> None:
        """Take the outcome for one document."""
        self.documents += 1
        self.changed += result.changed
        self.characters += len(result.source)
        if not result.judged:
            self.not_judged[result.why] += 1
        for finding in result.findings:
            self.fragments[finding.reason] += 1
            self.removed[finding.reason] += finding.end - finding.start

    def add(self, other: Tally) -> None:
        """Take the counts of another piece."""
        self.documents += other.documents
        self.changed += other.changed
        self.characters += other.characters
        self.not_judged.update(other.not_judged)
        self.fragments.update(other.fragments)
        self.removed.update(other.removed)
        self.errors += other.errors

    @property
    def share_removed(self) -> float:
        """Code points removed as a share of those that came in, 0 to 1."""
        return self.removed.total() / self.characters if self.characters else 0.0

    def to_dict(self) -> dict[str, Any]:
        """The counts as JSON types, names in alphabetical order."""
        return {
            "documents": self.documents,
            "changed": self.changed,
            "characters": self.characters,
            "not_judged": _ordered(self.not_judged),
            "fragments_removed": _ordered(self.fragments),
            "characters_removed": _ordered(self.removed),
            "errors": self.errors,
        }

    @classmethod
    def from_dict(cls, counts: Mapping[str, Any]) -> Self:
        """The counts that `to_dict` gave."""
        return cls(
            documents=counts["documents"],
            changed=counts["changed"],
            characters=counts["characters"],
            not_judged=Counter(counts["not_judged"]),
            fragments=Counter(counts["fragments_removed"]),
            removed=Counter(counts["characters_removed"]),
            errors=counts["errors"],
        )

    def summary(self, seconds: float, rate: float, *, replayed: int = 0) -> str:
        """Two lines for people: documents, what was removed and why, errors, time, rate.

        Parameters
        ----------
        seconds
            Time that the run took.
        rate
            Documents a second.
        replayed
            How many of the documents were taken from an earlier run.
        """
        earlier = f" ({replayed:,} from the earlier run)" if replayed else ""
        lines = [
            (
                f"{plural(self.documents, 'document')}{earlier}, {self.changed:,} changed,"
                f" {self.not_judged.total():,} not judged{_most(self.not_judged)};"
                f" {plural(self.errors, 'error')}; {seconds:,.1f} s, {rate:,.1f} documents/s"
            )
        ]
        if self.fragments:
            lines.append(
                f"removed: {plural(self.fragments.total(), 'fragment')},"
                f" {self.removed.total():,} of {plural(self.characters, 'character')}"
                f" ({self.share_removed:.1%}){_most(self.fragments)}"
            )
        return "\n".join(lines)


def _ordered(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _most(counts: Counter[str], limit: int = 4) -> str:
    """The most frequent names with their counts, in brackets; empty where there are none."""
    if not counts:
        return ""
    named = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    listed = [f"{count:,} x {name}" for name, count in named[:limit]]
    rest = sum(count for _, count in named[limit:])
    return f" ({', '.join([*listed, f'{rest:,} x other'] if rest else listed)})"
