"""Put fact boxes into clean articles: a heading and a few short lines about something else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from cleaner.evaluation.intruders import Host, record_of

_TOGETHER = 0.6  # boxes that stand together


def boxed_records(
    hosts: Sequence[Host], boxes: Sequence[Sequence[str]], *, seed: int
) -> Iterator[dict[str, Any]]:
    """One record for each host: one of `boxes`, in turn, put between its paragraphs, and labels."""
    generator = np.random.default_rng(seed)
    for number, host in enumerate(hosts):
        whole = zip(host.sentences, host.paragraphs, strict=True)
        sentences = [(sentence, paragraph, 0) for sentence, paragraph in whole]
        mixed = _with_box(sentences, boxes[number % len(boxes)], generator)
        yield record_of(host, mixed, "box", generator)


def _with_box(
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
