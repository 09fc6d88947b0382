"""Put a page together: its templates, its data, and a policy that allows nothing else."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Sequence
from importlib.resources import files
from string import Template
from typing import Any

from cleaner.formats import dump_json

_SCRIPTS = ("text.js", "article.js", "map.js", "corpus.js", "main.js")
# What could end the element, open a comment or break a line in a script: as JSON escapes.
_ESCAPES = str.maketrans(
    {char: f"\\u{ord(char):04x}" for char in ("<", ">", "&", "\u2028", "\u2029")}
)


def page(data: dict[str, Any], articles: Sequence[dict[str, Any]]) -> bytes:
    """The page as one file.

    Everything that comes from a document goes into JSON that the page's script reads, and reaches
    the page as text. The Content-Security-Policy allows the one style sheet and the one script by
    their digests, and neither network, frames, forms nor evaluated code.

    Parameters
    ----------
    data
        What concerns the page as a whole, JSON types.
    articles
        One entry for each document with a page of its own, JSON types.
    """
    style = _template("style.css")
    script = '"use strict";\n' + "\n".join(_template(name) for name in _SCRIPTS)
    blocks = [_block("page-data", data)]
    blocks += [_block(f"article-{number}", article) for number, article in enumerate(articles)]
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src {_digest(style)}",
            f"script-src {_digest(script)}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    text = Template(_template("page.html")).substitute(
        policy=policy,
        title=html.escape(f"{data['name']}: what was removed, and why".replace("\0", "\ufffd")),
        style=style,
        data="\n".join(blocks),
        script=script,
    )
    return text.encode("utf-8", "replace")  # a name may hold what is no Unicode, the blocks do not


def _template(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text(encoding="utf-8")


def _digest(source: str) -> str:
    digest = hashlib.sha256(source.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _block(name: str, data: dict[str, Any]) -> str:
    text = dump_json(data).decode("utf-8").translate(_ESCAPES)
    return f'<script type="application/json" id="{name}">{text}</script>'
