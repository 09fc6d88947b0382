"""Bytes to text and back without a loss, and JSON in either."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import orjson

STDIN = "-"


def decode(data: bytes) -> str:
    """Bytes to text; `encode` gives the same bytes back, whatever they are."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """Text from `decode` back to its bytes."""
    return text.encode("utf-8", "surrogateescape")


def dump_json(
    value: object, *, indent: bool = False, default: Callable[[Any], object] | None = None
) -> bytes:
    """`value` as JSON without a line ending, compact unless indented.

    UTF-8 where it can be; where a string holds a lone surrogate (a byte that is no UTF-8), or an
    integer has more than 64 bits, ASCII with escapes. Numbers that JSON does not have become null.

    Parameters
    ----------
    default
        Gives what stands for a value of a type that JSON does not have.
    """
    try:
        return orjson.dumps(value, default, orjson.OPT_INDENT_2 if indent else None)
    except orjson.JSONEncodeError:
        return json.dumps(
            _finite(value),
            default=default,
            separators=None if indent else (",", ":"),
            indent=2 if indent else None,
            allow_nan=False,
        ).encode("ascii")


def _finite(value: Any) -> Any:
    """`value` with None in place of numbers that JSON does not have."""
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def shown(name: str) -> str:
    """What messages call the source of that name."""
    return "standard input" if name == STDIN else name
