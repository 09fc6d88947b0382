"""Which site a document is of, and on which side of a split a site lies."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import urlsplit


def site_of(record: dict[str, Any]) -> str:
    """The host that a record came from, or its source where it has no address.

    Documents of one site share their furniture, so a site is never on both sides of a split.
    """
    host = urlsplit(record.get("url") or "").hostname
    if not host:
        return str(record.get("source") or record["id"])
    labels = host.removeprefix("www.").split(".")
    # "bbc.co.uk": the last two labels are no site of their own.
    keep = 3 if len(labels) > 2 and len(labels[-2]) <= 3 else 2  # noqa: PLR2004
    return ".".join(labels[-keep:])


def fold_of(key: str, folds: int) -> int:
    """A stable number from 0 to `folds` - 1 for `key`."""
    data = key.encode("utf-8", "surrogatepass")  # JSON can hold a half of a code point
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big") % folds
