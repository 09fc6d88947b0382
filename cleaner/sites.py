"""Which site a document is of, and on which side of a split a site lies."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

# Into which clean news is parted: what teaches what, and what is kept for the benchmark.
FIFTHS = 5


def identity_of(record: dict[str, Any], place: str) -> str:
    """What a record is called: its ``id``, or `place` where it has none, or one that is null."""
    value = record.get("id")
    return place if value is None or value == "" else str(value)  # 0 is a name


def site_of(record: dict[str, Any], place: str = "") -> str:
    """The site that a record came from, or its source where it has no address, or its name.

    A site is what one party has registered below a public suffix: ``edition.cnn.com`` is of
    ``cnn.com``, and ``news.bbc.co.uk`` of ``bbc.co.uk``. Documents of one site share their
    furniture, so a site is never on both sides of a split.
    """
    return site_at(str(record.get("url") or "")) or str(
        record.get("source") or identity_of(record, place)
    )


def site_at(address: str) -> str:
    """The site at `address`; empty where it names none.

    Raises
    ------
    ValueError
        If it is half an address.
    """
    host = urlsplit(address).hostname
    if not host:
        return ""
    if host.rpartition(".")[2].isdigit():  # a machine's number, of which no part is a site
        return host
    return str(_suffixes().privatesuffix(host) or host)


@cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()  # the list that the package holds: nothing is fetched


def fold_of(key: str, folds: int) -> int:
    """A stable number from 0 to `folds` - 1 for `key`."""
    data = key.encode("utf-8", "surrogatepass")  # JSON can hold a half of a code point
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big") % folds
