"""Why a fragment goes: a short closed list, decided from its wording and its evidence."""

from __future__ import annotations

import re
from collections.abc import Mapping

REASONS = (
    "off-topic",
    "related-link",
    "promotion",
    "advert",
    "sharing",
    "legal",
    "navigation",
    "byline",
    "comment",
    "pattern",
)

# Read in this order: the first that matches names the reason of a fragment that is removed
# anyway. No pattern removes anything by itself. They are searched for in lower case, which takes
# half the time of a search that ignores case.
_WORDING: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (reason, re.compile(pattern))
    for reason, pattern in (
        (
            "legal",
            (
                r"©|\(c\) ?(19|20)\d\d|copyright|all rights reserved|privacy (policy|notice)"
                r"|cookie|terms (of|and|&)|may not be (published|reproduced|redistributed)"
                r"|disclaimer"
            ),
        ),
        (
            "advert",
            (
                r"^\W*(advertis\w+|ad|ads|sponsored( content)?|promoted|paid (post|content))\W*$"
                r"|story continue[sd] below|article continues (below|after)"
                r"|affiliate (link|commission)|earn a commission|scroll to continue"
            ),
        ),
        (
            "comment",
            (
                r"\bcomments?\b|\brepl(y|ies)\b|leave a (comment|reply)"
                r"|join the (discussion|conversation)|\bupvote|log ?in to (comment|post)"
            ),
        ),
        (
            "sharing",
            (
                r"\b(share|tweet|pin it|whatsapp|reddit|follow (us|me)|email this|print this)\b"
                r"|^\W*(facebook|twitter|linkedin|instagram|youtube|pinterest|telegram|email"
                r"|print)\b"
            ),
        ),
        (
            "promotion",
            (
                r"newsletter|sign ?up|subscri|download (the|our)|\bapp\b|free trial|\bdonat"
                r"|membership|support (our|us)|get (the|our) (latest|best)|inbox"
                r"|register (now|today|for)|buy now"
                r"|\b(get|call|contact|apply|start|try) (now|today|us|started|it)\b"
            ),
        ),
        (
            "related-link",
            (
                r"^\W*(related|read (more|also|next|on)|see also|more (on|from|in|stories)"
                r"|also on|don'?t miss|recommended|trending|most (read|popular)"
                r"|you (may|might) (also )?like|watch|video"
                r"|photos?(?! (by|credit))|click here|next|previous"
                r"|up next|in other news|continue reading)\b"
            ),
        ),
        (
            "byline",
            (
                r"^\W*(by|posted by|written by|author|photos? (by|credit)|image|credit|source"
                r"|updated|published|last (updated|modified)|filed under|tags?)\b"
                r"|contributed to this (report|story)|\b\d+ min(ute)?s? read\b"
            ),
        ),
    )
)
_LONGEST_PHRASE = 300  # code points up to which a phrase names the reason
_LONG = 40  # words from which a fragment is running text even without a full stop
_FURNITURE = 2.0  # log-odds from which running text is taken for a promotion
_HEADLINE = 5  # words from which a line without a full stop can be a headline


def reason_of(text: str, evidence: Mapping[str, float]) -> str:
    """The reason to give for removing `text`.

    Parameters
    ----------
    text
        The fragment.
    evidence
        ``words`` (number of words), ``full_stop``, ``upper_words`` and ``wording`` (log-odds that
        the wording is furniture's) are read.

    Returns
    -------
    str
        One of `REASONS`, "pattern" excepted.
    """
    if len(text) <= _LONGEST_PHRASE:
        lowered = text.lower()
        for reason, pattern in _WORDING:
            if pattern.search(lowered):
                return reason
    words = evidence.get("words", 0.0)
    if evidence.get("full_stop", 0.0) or words > _LONG:
        return "promotion" if evidence.get("wording", 0.0) > _FURNITURE else "off-topic"
    if words < _HEADLINE:
        return "navigation"
    return "related-link" if evidence.get("wording", 0.0) > 0.0 else "off-topic"
