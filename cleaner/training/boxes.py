"""Put fact boxes of other articles into clean ones: a heading and a few short lines.

A box stands together or is scattered, and so does the rest of it: what it says is short, plain and
often advice, unlike the sentences of an article. Many of the articles are cut short, for in a short
one a box is much of the document.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from cleaner.evaluation.intruders import Host, record_of

_CLEAN = 0.3  # documents without a box
_CUT = 0.6  # articles that are cut short
_SHORT = (10, 36)  # sentences of those
_LINES = (2, 7)  # of a box, heading aside
_LENGTH = (12, 140)  # code points of a line
_AMONG = 14  # sentences of the donor, in a row, among which the short ones are chosen
_HEADED = 0.6  # boxes with the donor's title above
_LONGEST_HEADING = 90
_CAPITALS = 0.4  # headings in capitals
_BULLETS = 0.25  # boxes whose lines have marks before them
_TOGETHER = 0.6  # boxes that stand together
_MARKS = ("\u2022 ", "- ", "* ", "\u00b7 ", "\u2013 ")


def fact_box_records(hosts: Sequence[Host], *, seed: int) -> Iterator[dict[str, Any]]:
    """One record for each host: lines of a box that another one's sentences make up, and labels."""
    generator = np.random.default_rng(seed)
    for host in hosts:
        sentences = _body(host, generator)
        box: list[str] = []
        if generator.random() >= _CLEAN:
            donor = hosts[int(generator.integers(len(hosts)))]
            box = _box(donor, generator) if donor.identity != host.identity else []
        kind = "box" if box else "clean"
        yield record_of(host, with_box(sentences, box, generator), kind, generator)


def _body(host: Host, generator: np.random.Generator) -> list[tuple[str, int, int]]:
    """The host's sentences, or some in a row: text, paragraph, label."""
    first, last = 0, len(host.sentences)
    if generator.random() < _CUT:
        size = min(int(generator.integers(*_SHORT)), last)
        first = int(generator.integers(0, last - size + 1))
        last = first + size
    return [(host.sentences[i], host.paragraphs[i], 0) for i in range(first, last)]


def _box(donor: Host, generator: np.random.Generator) -> list[str]:
    """The lines of a box; none where the donor has too few short sentences in a row."""
    start = int(generator.integers(max(1, len(donor.sentences) - _AMONG)))
    short, long = _LENGTH
    lines = [s for s in donor.sentences[start : start + _AMONG] if short <= len(s) <= long]
    if len(lines) < _LINES[0]:
        return []
    lines = lines[: int(generator.integers(*_LINES))]
    if generator.random() < _BULLETS:
        mark = str(generator.choice(_MARKS))
        lines = [mark + line for line in lines]
    title = donor.title.strip()
    if title and len(title) <= _LONGEST_HEADING and generator.random() < _HEADED:
        lines.insert(0, title.upper() if generator.random() < _CAPITALS else title)
    return lines


def boxed_records(
    hosts: Sequence[Host], boxes: Sequence[Sequence[str]], *, seed: int
) -> Iterator[dict[str, Any]]:
    """One record for each host, whole: one of `boxes` put into it, in turn, and labels."""
    generator = np.random.default_rng(seed)
    for number, host in enumerate(hosts):
        whole = zip(host.sentences, host.paragraphs, strict=True)
        sentences = [(sentence, paragraph, 0) for sentence, paragraph in whole]
        mixed = with_box(sentences, boxes[number % len(boxes)], generator)
        yield record_of(host, mixed, "box", generator)


def with_box(
    sentences: list[tuple[str, int, int]], box: Sequence[str], generator: np.random.Generator
) -> list[tuple[str, int, int]]:
    """The sentences with the lines of `box` between paragraphs, in one place or in several."""
    mixed = list(sentences)
    lines = [(line, 3_000_000 + number, 1) for number, line in enumerate(box)]
    breaks = [i for i in range(1, len(mixed)) if mixed[i][1] != mixed[i - 1][1]]
    places = [*breaks, len(mixed)]
    if generator.random() < _TOGETHER:
        at = int(generator.choice(places))
        return mixed[:at] + lines + mixed[at:]
    chosen = sorted(generator.choice(places, len(lines)).tolist(), reverse=True)
    for at, line in zip(chosen, reversed(lines), strict=True):
        mixed.insert(at, line)
    return mixed
