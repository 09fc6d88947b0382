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
# half the time of a search that ignores case. The first of a reason are phrases that name it
# anywhere; the second are words that ordinary prose uses as well, and opens with.
_WORDING: tuple[tuple[str, re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (reason, re.compile(phrases), re.compile(words))
    for reason, phrases, words in (
        (
            "legal",
            (
                r"©|\(c\) ?(19|20)\d\d|all rights reserved|privacy (policy|notice)"
                r"|cookie (policy|notice|settings)|\b(accept|uses?) (all )?cookies"
                r"|terms (of (use|service)|(and|&) conditions)"
                r"|may not be (published|reproduced|redistributed)"
            ),
            r"copyright|cookie|terms (of|and|&)|disclaimer",
        ),
        (
            "advert",
            (
                r"story continue[sd] below|article continues (below|after)"
                r"|^\W*advertisement\W+(continue|scroll|skip|(story|article) continues)\b"
                r"|affiliate (link|commission)|earn a commission|scroll to continue"
            ),
            r"^\W*(advertis\w+|ad|ads|sponsored( content)?|promoted|paid (post|content))\W*$",
        ),
        (
            "comment",
            r"leave a (comment|reply)|join the (discussion|conversation)|log ?in to (comment|post)",
            (
                r"^\W*(\d[\d,.]*k?\W+)?((new|recent|reader|your) )?(comments?|repl(y|ies)|upvotes?)"
                r"(\W*\d[\d,.]*| (below|closed|are closed)|\W+share)?\W*$"
                r"|^\W*(add|cancel|close|hide|jump to|like|load|no|open|post|read|report this"
                r"|see|show|skip to|sort|submit|view|write|\d+ view)\b[^.!?]{0,30}?"
                r"\b(comments?|repl(y|ies))\W*(\d[\d,.]*)?\W*$"
                r"|\bin the comments\b|\bfirst to comment\b"
                r"|\bcomments (are|have been) (closed|disabled)\b"
            ),
        ),
        (
            "sharing",
            (
                r"\b(share this|tweet this|pin it|follow (us|me) on|email this|print this)\b"
                r"|^\W*follow (\S+ ){1,5}on (bluesky|facebook|instagram|linkedin|pinterest|telegram"
                r"|threads|tiktok|twitter|whatsapp|x|youtube)\W*$"
            ),
            (
                r"\bfollow (us|me)\b|\bclick to share\b"
                r"|^\W*(copy link|tweet|whatsapp|reddit|facebook|twitter|linkedin|instagram|youtube"
                r"|pinterest|telegram|email|print"
                r"|share(?! (of|prices?|sales?|issues?|buybacks?)\b))\b"
            ),
        ),
        (
            "promotion",
            (
                r"our (free |daily |weekly )?(newsletter|app|membership)\b|your inbox"
                r"|sign ?up (now|today|for our)|subscribe (now|today|to our)"
                r"|get (the|our) (latest|best)|support our|register (now|today)|buy now"
            ),
            (
                r"newsletter|sign ?up|subscri|download (the|our)|\bapp\b|free trial|\bdonat"
                r"|membership|support us|inbox|register for"
                r"|\b(get|call|contact|apply|start|try) (now|today|us|started|it)\b"
            ),
        ),
        (
            "related-link",
            (
                r"^\W*(read (more|also|next)|also (read|see)|see also|don'?t miss"
                r"|you (may|might) (also )?like|click here|up next|in other news"
                r"|continue reading)\b"
            ),
            (
                r"^\W*(related|read on|more (on|from|in|stories)|also on|recommended|trending"
                r"|most (read|popular)|watch|video|photos?(?! (by|credit))|next|previous)\b"
            ),
        ),
        (
            "byline",
            (
                r"^\W*(posted by|(photo|picture|image)s? (by|credit)|last (updated|modified)"
                r"|filed under)\b|^\W*(photo|photograph|photographer|image)s?: [^.!?]{2,60}$"
                r"|contributed to this (report|story|article)|\b\d+ min(ute)?s? read\b"
            ),
            r"^\W*(by|written by|author|image|credit|source|updated|published|tags?)\b",
        ),
    )
)
_LONGEST_PHRASE = 300  # code points up to which a phrase names the reason
_RUNNING = 6  # words from which a fragment with a full stop is a sentence of running text
_LONG = 40  # words from which a fragment is running text even without a full stop
_FURNITURE = 2.0  # log-odds from which running text is taken for a promotion
_HEADLINE = 5  # words from which a line without a full stop can be a headline


def reason_of(text: str, evidence: Mapping[str, float], *, above: str = "") -> str:
    """The reason to give for removing `text`.

    Parameters
    ----------
    text
        The fragment.
    evidence
        ``words`` (number of words), ``full_stop`` and ``wording`` (log-odds that the wording is
        furniture's) are read.
    above
        The reason of the fragment above, where that is suspected too: headlines stand in lists.

    Returns
    -------
    str
        One of `REASONS`, "pattern" excepted.
    """
    words = evidence.get("words", 0.0)
    wording = evidence.get("wording", 0.0)
    has_stop = evidence.get("full_stop", 0.0) > 0.0
    is_prose = has_stop and words >= _RUNNING and wording <= 0.0
    if len(text) <= _LONGEST_PHRASE and (named := _named(text.lower(), is_prose=is_prose)):
        return named
    if has_stop or words > _LONG:
        return "promotion" if wording > _FURNITURE else "off-topic"
    if words < _HEADLINE:
        return "navigation"
    return "related-link" if wording > 0.0 or above == "related-link" else "off-topic"


def _named(lowered: str, *, is_prose: bool) -> str:
    """The reason that the wording names; in prose its words alone do not. Empty without one."""
    for reason, phrases, words in _WORDING:
        if phrases.search(lowered) or (not is_prose and words.search(lowered)):
            return reason
    return ""
