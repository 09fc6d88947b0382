"""A document whose lines or sentences are labelled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cleaner.document import Span


@dataclass(frozen=True, slots=True)
class Labelled:
    """A document with a label for each of its marked spans.

    Attributes
    ----------
    spans
        The marked lines or sentences, in order.
    labels
        1 remove, 0 keep, -1 not scored; one a span.
    site
        Where it came from: documents of one site are never on both sides of a split.
    kinds
        What each span is, empty where that is not known; one a span, or none at all.
    page_type, view
        What kind of page it is from, and what of the page it is; empty where not known.
    """

    text: str
    title: str | None
    spans: tuple[Span, ...]
    labels: tuple[int, ...]
    site: str
    source: str
    identity: str
    kinds: tuple[str, ...] = ()
    page_type: str = ""
    view: str = ""
