"""Bytes to text and back without a loss, and JSON in either."""

from __future__ import annotations

import json

import orjson

STDIN = "-"


def decode(data: bytes) -> str:
    """Bytes to text; `encode` gives the same bytes back, whatever they are."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """Text from `decode` back to its bytes."""
    return text.encode("utf-8", "surrogateescape")


def dump_json(value: object, *, indent: bool = False) -> bytes:
    """`value` as JSON without a line ending, compact unless indented.

    UTF-8 where it can be; where a string holds a lone surrogate (a byte that is no UTF-8), or an
    integer has more than 64 bits, ASCII with escapes.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else None)
    except orjson.JSONEncodeError:
        separators = None if indent else (",", ":")
        return json.dumps(value, separators=separators, indent=2 if indent else None).encode()


def shown(name: str) -> str:
    """What messages call the source of that name."""
    return "standard input" if name == STDIN else name
