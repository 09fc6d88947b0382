"""Labelled documents from records, and intruders put into clean articles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cleaner.document import Span
from cleaner.evaluation.labelled import Labelled
from cleaner.sites import identity_of

# Shares of the intruder benchmark.
_CLEAN = 0.3  # documents without an intruder
_SAME_SUBJECT = 0.3  # donors on the host's subject, at least
_SHUFFLED = 0.25  # documents in scrambled order
_LINE_EACH = 0.3  # of the others: a sentence a line
_TITLED = 0.7  # documents with a title
_OWN_LINE = 0.5  # scattered intruders on lines of their own
_CAPITALS = 0.3  # documents whose headlines are in capitals
_RELATED = 0.6  # headlines of articles on the same subject, at least
_PAIR = 0.3  # lines of a fact box with two sentences

KINDS = ("scattered", "block", "paragraphs", "box")
PASSAGE = "passage"  # a stretch of another article in its paragraphs


def compose(record: dict[str, Any], *, site: str = "", source: str = "") -> Labelled:
    """A document from a record of ``lines``, ``labels`` and, optionally, ``paragraph``.

    Lines of one paragraph number are joined by a blank, others by a line feed.
    """
    lines: list[str] = record["lines"]
    paragraphs: list[int] | None = record.get("paragraph")
    parts: list[str] = []
    spans: list[Span] = []
    at = 0
    for index, line in enumerate(lines):
        if index:
            joined = paragraphs is not None and paragraphs[index] == paragraphs[index - 1]
            parts.append(" " if joined else "\n")
            at += 1
        readable = line.replace("\n", " ").replace("\r", " ")
        spans.append(Span(at, at + len(readable)))
        parts.append(readable)
        at += len(readable)
    return Labelled(
        text="".join(parts) + "\n",
        title=record.get("title"),
        spans=tuple(spans),
        labels=tuple(record.get("labels") or [0] * len(lines)),
        site=site or str(record.get("source") or ""),
        source=source,
        identity=identity_of(record, ""),
    )


@dataclass(frozen=True, slots=True)
class Host:
    """A clean article to put intruders into: sentences and the paragraph each stands in.

    Attributes
    ----------
    site
        Where it is from; its identity where nothing else is of its site.
    """

    identity: str
    title: str
    subject: str
    sentences: tuple[str, ...]
    paragraphs: tuple[int, ...]
    site: str = ""


def intruder_records(
    hosts: Sequence[Host], *, seed: int = 0, kinds: Sequence[str] = KINDS
) -> Iterator[dict[str, Any]]:
    """One record for each host: intruding sentences of other hosts put into it, and labels.

    30 % of the documents stay clean, 30 % of the donors share the host's subject, a quarter of the
    documents are shuffled. Intruders come as scattered sentences, as a block, as whole paragraphs,
    or as a fact box of two to six short lines, scattered as lines of their own; where `kinds` say
    so, as a `PASSAGE`: a stretch of the donor in its paragraphs, behind one of the host's.
    """
    generator = np.random.default_rng(seed)
    by_subject = _by_subject(hosts)
    for index, host in enumerate(hosts):
        sentences = _kept(host)
        kind = "clean"
        if len(hosts) > 1 and generator.random() >= _CLEAN:  # one alone has no donor
            kind = str(generator.choice(list(kinds)))
            donor = _donor(hosts, by_subject, index, generator)
            sentences = _intrude(sentences, donor, kind, generator)
        yield record_of(host, _rearranged(sentences, generator), kind, generator)


def box_records(hosts: Sequence[Host], *, seed: int = 0) -> Iterator[dict[str, Any]]:
    """One record for each host: a fact box of a host on another subject put into it, and labels.

    The box is two to six short lines, scattered; a quarter of the documents are shuffled.
    """
    generator = np.random.default_rng(seed)
    for host in hosts:
        others = [other for other in hosts if other.subject != host.subject]
        if not others:
            continue
        donor = others[int(generator.integers(len(others)))]
        sentences = _intrude(_kept(host), donor, "box", generator)
        yield record_of(host, _rearranged(sentences, generator), "box", generator)


def headline_records(
    hosts: Sequence[Host], *, seed: int = 0, leads: Sequence[str] | None = None
) -> Iterator[dict[str, Any]]:
    """One record for each host: headlines of other hosts put between its paragraphs, and labels.

    Six in ten headlines are of articles on the host's subject, as related links are; they come as
    they are, in capitals, or behind words such as "Read more:", or behind `leads`, "{}" being the
    headline.
    """
    generator = np.random.default_rng(seed)
    by_subject = _by_subject(hosts)
    for index, host in enumerate(hosts):
        mixed = _kept(host)
        lead = str(generator.choice(leads or LEADS))
        capitals = generator.random() < _CAPITALS
        for number in range(int(generator.integers(1, 7))):
            same = generator.random() < _RELATED and len(by_subject[host.subject]) > 1
            pool = by_subject[host.subject] if same else range(len(hosts))
            donor = int(generator.choice(pool))
            title = hosts[donor].title.strip()
            if donor == index or not title:
                continue
            line = lead.format(title.upper() if capitals else title)
            at = int(generator.choice(_ends(mixed)))
            mixed.insert(at, (line, 2_000_000 + number, 1))
        yield record_of(host, mixed, "headlines", generator)


# How sites introduce a related headline, {} being the headline.
LEADS = (
    *["{}"] * 8, "Related: {}", "RELATED: {}", "Read more: {}", "READ MORE: {}", "See also: {}",
    "SEE ALSO: {}", "MORE: {}", "READ: {}", "Also read: {}", "More on this: {}", "Watch: {}",
    "VIDEO: {}", "( Also: {})", "[{}]", "Don't miss: {}", "» {}", "- {}", "RELATED STORY: {}",
)  # fmt: skip


def record_of(
    host: Host, sentences: list[_Sentence], kind: str, generator: np.random.Generator
) -> dict[str, Any]:
    """The record of `host` with these sentences (text, paragraph, label); some without a title."""
    return {
        "id": host.identity,
        "title": host.title if generator.random() < _TITLED else None,
        "source": host.identity,
        "site": host.site,
        "lines": [text for text, _, _ in sentences],
        "paragraph": [paragraph for _, paragraph, _ in sentences],
        "labels": [label for _, _, label in sentences],
        "kind": kind,
    }


_Sentence = tuple[str, int, int]


def _by_subject(hosts: Sequence[Host]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for index, host in enumerate(hosts):
        found.setdefault(host.subject, []).append(index)
    return found


def _kept(host: Host) -> list[_Sentence]:
    """The host's own sentences: text, paragraph, label."""
    return list(zip(host.sentences, host.paragraphs, [0] * len(host.sentences), strict=True))


def _rearranged(sentences: list[_Sentence], generator: np.random.Generator) -> list[_Sentence]:
    """Some documents in scrambled order, and some with a sentence a line."""
    if generator.random() < _SHUFFLED:
        order = generator.permutation(len(sentences))
        return [(sentences[i][0], n, sentences[i][2]) for n, i in enumerate(order)]
    if generator.random() < _LINE_EACH:
        return [(text, n, label) for n, (text, _, label) in enumerate(sentences)]
    return sentences


def _donor(
    hosts: Sequence[Host],
    by_subject: dict[str, list[int]],
    index: int,
    generator: np.random.Generator,
) -> Host:
    pool: Sequence[int] = range(len(hosts))
    same = by_subject[hosts[index].subject]
    if generator.random() < _SAME_SUBJECT and len(same) > 1:
        pool = same
    while True:
        chosen = int(generator.choice(pool))
        if chosen != index:
            return hosts[chosen]


def _intrude(
    sentences: list[_Sentence], donor: Host, kind: str, generator: np.random.Generator
) -> list[_Sentence]:
    """Put lines or sentences of `donor` into `sentences`."""
    if kind == PASSAGE:
        return _with_passage(sentences, donor, generator)
    groups = _groups(donor, kind, generator)
    budget = _budget(sentences, generator)
    if kind == "box":
        size = min(int(generator.integers(2, 7)), len(groups))
    elif kind == "paragraphs":
        size = max(1, min(round(budget / 2), len(groups)))
    else:
        size = min(budget, len(groups))
    if kind == "block":
        at = int(generator.integers(0, len(groups) - size + 1))
        chosen = groups[at : at + size]
    else:
        picked = generator.choice(len(groups), size, replace=False)
        chosen = [groups[i] for i in sorted(picked)]
    own_line = kind != "scattered" or generator.random() < _OWN_LINE
    mixed = list(sentences)
    place = int(generator.integers(0, len(sentences) + 1))
    for number, group in enumerate(chosen):
        at = place if kind == "block" else int(generator.integers(0, len(mixed) + 1))
        paragraph = 1_000_000 + number if own_line else mixed[min(at, len(mixed) - 1)][1]
        mixed[at:at] = [(sentence, paragraph, 1) for sentence in group]
        place += len(group)
    return mixed


def _with_passage(
    sentences: list[_Sentence], donor: Host, generator: np.random.Generator
) -> list[_Sentence]:
    """A stretch of `donor` in its paragraphs, put behind one of `sentences`'."""
    size = max(2, _budget(sentences, generator))
    whole = [(text, 4_000_000 + own, 1) for text, own, _ in _kept(donor)]
    first = int(generator.choice([0, *_ends(whole)[:-1]]))
    at = int(generator.choice(_ends(sentences)))
    return sentences[:at] + whole[first : first + size] + sentences[at:]


def _budget(sentences: list[_Sentence], generator: np.random.Generator) -> int:
    """How many sentences are put in: 2 to 20 %."""
    return max(1, round(len(sentences) * generator.uniform(0.02, 0.2)))


def _ends(sentences: list[_Sentence]) -> list[int]:
    """Where a paragraph ends: the index behind its last sentence."""
    within = range(1, len(sentences))
    return [*(i for i in within if sentences[i][1] != sentences[i - 1][1]), len(sentences)]


def _groups(donor: Host, kind: str, generator: np.random.Generator) -> list[tuple[str, ...]]:
    """What of `donor` goes into the host together: the sentences of one line."""
    if kind == "paragraphs":
        paragraphs: dict[int, list[str]] = {}
        for sentence, paragraph in zip(donor.sentences, donor.paragraphs, strict=True):
            paragraphs.setdefault(paragraph, []).append(sentence)
        return [tuple(sentences[:4]) for sentences in paragraphs.values()]
    if kind == "block":
        return [(sentence,) for sentence in donor.sentences]
    low, high = (25, 200) if kind == "box" else (40, 1_000)
    usable = [i for i, s in enumerate(donor.sentences) if low <= len(s) <= high]
    groups = []
    for index in usable or range(len(donor.sentences)):
        pair = kind == "box" and generator.random() < _PAIR
        groups.append(donor.sentences[index : index + 1 + pair])
    return groups
