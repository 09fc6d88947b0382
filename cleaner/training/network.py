"""Train the first pass's network with torch; it runs on numpy (`cleaner.network`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from cleaner import network as runtime
from cleaner.network import Array, Fragments, Layer, Network, TermEmbeddings

_LONGEST = 160  # fragments of a document seen at once in training
_BATCH = 1_500  # fragments, padding included
_SORTED_TOGETHER = 800  # documents among which those of like length share a batch
_RATE = 2e-3
_DROPOUT = 0.1
_DECAY = 0.02
_FAR = -1e9  # bias of attention to padding
_TERMS = 20_000  # known to the network at the most
_FEWEST = 30  # documents with a fragment to remove in which a term stands
_PHRASE = 16  # dimensions of a term's vector
_PHRASE_DECAY = 0.1
_TERM_DROPOUT = 0.3  # share of the terms left out in training: no phrase is to decide alone
_TERMLESS = 0.25  # share of the documents that are shown without any
# Share of the documents whose vectors are zeroed at the entry, which leaves their likeness to each
# other: by themselves they say what the articles were about, and a network learns that by heart.
_VECTORLESS = 0.5
_LIKELY = 0.5  # what is more likely to go than that has its terms learned
_TAUGHT = 3  # of so many batches one is of what is new


@dataclass(frozen=True, slots=True)
class Lesson:
    """A document to learn from: its fragments, and what is said of each.

    1 remove, 0 keep, between them how likely it is to go; -1 nothing.
    """

    fragments: Fragments
    labels: npt.NDArray[np.int64] | npt.NDArray[np.float64]


def fit_network(
    lessons: Sequence[Lesson],
    *,
    steps: int,
    known: npt.NDArray[np.uint32] | None = None,
    width: int = 72,
    heads: int = 4,
    layers: int = 2,
    seed: int = 0,
    say: Callable[[str], object] = print,
) -> Network:
    """Train a network on `lessons`; the same lessons and seed give the same network.

    Parameters
    ----------
    steps
        Batches of about 1,500 fragments to learn from.
    known
        Hashes of the terms whose wording is learned, ascending (see `known_terms`); None: those of
        `lessons`.
    width, heads, layers
        Size of the network; `width` is a multiple of `heads`.
    """
    with _one_thread():
        terms = known_terms(lessons) if known is None else known
        return _fit(lessons, terms, steps, (width, heads, layers), seed, say)


@contextmanager
def _one_thread() -> Iterator[None]:
    """The products are small: on more threads they take longer, and ten times so on busy cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _fit(  # private: what `fit_network` was given
    lessons: Sequence[Lesson],
    known: npt.NDArray[np.uint32],
    steps: int,
    size: tuple[int, int, int],
    seed: int,
    say: Callable[[str], object],
) -> Network:
    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    evidence = np.concatenate([lesson.fragments.evidence for lesson in lessons[::5]])
    mean, deviation = evidence.mean(axis=0), evidence.std(axis=0) + 1e-6
    dimensions = lessons[0].fragments.vectors.shape[1]
    empty = TermEmbeddings(known, np.zeros((len(known) + 1, _PHRASE), np.float32))
    indexed = [_indexed(lesson, empty) for lesson in lessons]
    model = _Model(len(mean), dimensions, len(known), *size)
    phrases = list(model.phrases.parameters())
    others = [p for p in model.parameters() if p is not phrases[0]]
    optimizer = torch.optim.AdamW(
        [
            {"params": others, "weight_decay": _DECAY},
            {"params": phrases, "weight_decay": _PHRASE_DECAY},
        ],
        lr=_RATE / 10,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, _RATE, total_steps=steps + 1, pct_start=0.1
    )
    losses: list[float] = []
    for batch in _batches(indexed, generator, steps):
        tensors = _tensors(batch, mean, deviation, generator)
        losses.append(_step(model, tensors, optimizer))
        schedule.step()
        if len(losses) % 500 == 0:
            say(f"network: step {len(losses)} of {steps}, loss {np.mean(losses[-500:]):.4f}")
    return _exported(model, known, mean, deviation)


def teach_network(
    network: Network,
    kept: Sequence[Lesson],
    taught: Sequence[Lesson],
    *,
    steps: int,
    seed: int = 0,
    say: Callable[[str], object] = print,
) -> Network:
    """`network`, taught what it does not know yet.

    Parameters
    ----------
    kept
        Documents of which it is to judge as they are labelled: as it does, if it labelled them.
    taught
        Documents that hold what is new. Their terms become known to it.
    steps
        Batches to learn from, every third of the `taught` ones.
    """
    with _one_thread():
        return _teach(network, kept, taught, steps, seed, say)


def _teach(  # private: what `teach_network` was given
    network: Network,
    kept: Sequence[Lesson],
    taught: Sequence[Lesson],
    steps: int,
    seed: int,
    say: Callable[[str], object],
) -> Network:
    torch.manual_seed(seed)
    known = np.union1d(network.phrases.known, known_terms(taught))
    model = _restored(network, known)
    model.eval()  # no dropout: it would blur what is to stay
    empty = TermEmbeddings(known, np.zeros((len(known) + 1, _PHRASE), np.float32))
    streams = [
        _batches(
            [_indexed(lesson, empty) for lesson in lessons], np.random.default_rng(seed), steps
        )
        for lessons in (kept, taught)
    ]
    optimizer = torch.optim.AdamW(model.parameters(), lr=_RATE / 5, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, _RATE / 5, total_steps=steps + 1, pct_start=0.1
    )
    generator = np.random.default_rng(seed)
    losses: list[float] = []
    for step in range(steps):
        is_new = step % _TAUGHT == _TAUGHT - 1
        # What is new is to be known by a part of its terms, too.
        hidden = generator if is_new else None
        batch = next(streams[is_new])
        tensors = _tensors(batch, network.mean, network.deviation, hidden)
        losses.append(_step(model, tensors, optimizer))
        schedule.step()
        if len(losses) % 500 == 0:
            say(f"network: step {len(losses)} of {steps}, loss {np.mean(losses[-500:]):.4f}")
    return _exported(model, known, network.mean, network.deviation)


def _step(
    model: nn.Module, tensors: tuple[list[Any], Tensor, Tensor], optimizer: torch.optim.Optimizer
) -> float:
    """Learn from a batch, and say how far off it was."""
    inputs, labels, weights = tensors
    each = functional.binary_cross_entropy_with_logits(model(*inputs), labels, reduction="none")
    loss = (each * weights).sum() / weights.sum().clamp(min=1e-9)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())


def known_terms(lessons: Sequence[Lesson]) -> npt.NDArray[np.uint32]:
    """Hashes of the terms that stand in fragments to remove of many documents, ascending."""
    seen = []
    for lesson in lessons:
        terms = lesson.fragments.terms
        gone = lesson.labels > _LIKELY
        words = terms.words[np.repeat(gone, terms.counts)]
        seen.append(
            np.unique(np.concatenate([words, terms.pairs[np.repeat(gone, terms.counts + 1)]]))
        )
    distinct, counts = np.unique(np.concatenate(seen), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_TERMS]
    return np.sort(distinct[order[counts[order] >= _FEWEST]])


@dataclass(frozen=True, slots=True)
class _Indexed:
    """A lesson, and the known terms of its fragments: row of each, and how many a fragment has."""

    lesson: Lesson
    rows: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.sizes)


def _indexed(lesson: Lesson, phrases: TermEmbeddings) -> _Indexed:
    terms = lesson.fragments.terms
    numbers = np.arange(len(terms.counts))
    owner = [np.repeat(numbers, terms.counts), np.repeat(numbers, terms.counts + 1)]
    rows = [phrases.rows(terms.words), phrases.rows(terms.pairs)]
    both, of = np.concatenate(rows), np.concatenate(owner)
    order = np.argsort(of, kind="stable")
    order = order[both[order] < len(phrases.known)]
    return _Indexed(lesson, both[order], np.bincount(of[order], minlength=len(numbers)))


class _Block(nn.Module):
    """`cleaner.network.Layer`, to be trained."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention, self.norm_dense = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.attended = nn.Linear(width, width)
        self.pair = nn.Linear(runtime.PAIR_FEATURES, heads)
        self.dense_in, self.dense_out = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(_DROPOUT)

    def forward(self, states: Tensor, pairs: Tensor, mask: Tensor) -> Tensor:
        documents, count, width = states.shape
        mixed = self.query_key_value(self.norm_attention(states))
        shape = (documents, count, 3, self.heads, width // self.heads)
        queries, keys, values = mixed.view(shape).permute(2, 0, 3, 1, 4)
        logits = queries @ keys.transpose(-1, -2) / (width // self.heads) ** 0.5
        logits = logits + self.pair(pairs).permute(0, 3, 1, 2) + mask
        joined = (logits.softmax(-1) @ values).transpose(1, 2).reshape(documents, count, width)
        states = states + self.dropout(self.attended(joined))
        inner = functional.relu(self.dense_in(self.norm_dense(states)))
        following: Tensor = states + self.dropout(self.dense_out(inner))
        return following


class _Model(nn.Module):
    """`cleaner.network.Network`, to be trained."""

    def __init__(  # the sizes of one thing
        self, names: int, dimensions: int, terms: int, width: int, heads: int, layers: int
    ) -> None:
        super().__init__()
        self.phrases = nn.EmbeddingBag(terms + 1, _PHRASE, mode="sum", padding_idx=terms)
        nn.init.normal_(self.phrases.weight, std=0.02)
        self.entry = nn.Linear(names + dimensions + _PHRASE + 1, width)
        self.layers = nn.ModuleList(_Block(width, heads) for _ in range(layers))
        self.norm, self.out = nn.LayerNorm(width), nn.Linear(width, 1)

    def forward(  # noqa: PLR0913, PLR0917  # one for each input
        self,
        evidence: Tensor,
        vectors: Tensor,
        titles: Tensor,
        points: Tensor,
        weights: Tensor,
        lines: Tensor,
        absent: Tensor,
        terms: tuple[Tensor, Tensor, Tensor],
        seen: Tensor,
    ) -> Tensor:
        pairs = _pairs(vectors, points, weights, lines)
        count = evidence.shape[1]
        mask = absent[:, None, None, :] * _FAR + torch.eye(count) * runtime.SELF_BIAS
        titled = (vectors @ titles[:, :, None]) * runtime.TITLE_SCALE
        rows, starts, scale = terms
        phrases = self.phrases(rows, starts).view(*scale.shape, -1) * scale[..., None]
        scaled = vectors * seen[:, None, None] * runtime.VECTOR_SCALE
        states = self.entry(torch.cat([evidence, scaled, phrases, titled], -1))
        for layer in self.layers:
            states = layer(states, pairs, mask)
        log_odds: Tensor = self.out(self.norm(states))
        return log_odds[..., 0]


def _pairs(vectors: Tensor, points: Tensor, weights: Tensor, lines: Tensor) -> Tensor:
    """`Fragments.pair_features` of all fragments of all documents, features last."""
    documents, count, _ = vectors.shape
    index = torch.arange(count)
    steps = (index[:, None] - index).abs().float()
    shape = (documents, count, count)
    cosine = vectors @ vectors.transpose(1, 2)
    features = [
        cosine,
        functional.relu(cosine - 0.2),
        functional.relu(cosine - 0.4),
        points @ points.transpose(1, 2),
        (lines[:, :, None] == lines[:, None]).float(),
        (steps == 1).float().expand(shape),
        torch.exp(-steps.clamp(max=runtime.FARTHEST) / runtime.REACH).expand(shape),
        weights[:, None].expand(shape),
    ]
    return torch.stack(features, -1)


def _batches(
    lessons: Sequence[_Indexed], generator: np.random.Generator, steps: int
) -> Iterator[list[_Indexed]]:
    """`steps` batches, each lesson once before any comes again."""
    done = 0
    while done < steps:
        for batch in _once_through(lessons, generator):
            yield batch
            done += 1
            if done == steps:
                return


def _once_through(
    lessons: Sequence[_Indexed], generator: np.random.Generator
) -> Iterator[list[_Indexed]]:
    order = generator.permutation(len(lessons))
    for at in range(0, len(order), _SORTED_TOGETHER):
        some = [_cropped(lessons[i], generator) for i in order[at : at + _SORTED_TOGETHER]]
        some.sort(key=len)
        batches: list[list[_Indexed]] = [[]]
        for lesson in some:
            if batches[-1] and (len(batches[-1]) + 1) * len(lesson) > _BATCH:
                batches.append([])
            batches[-1].append(lesson)
        for index in generator.permutation(len(batches)):
            yield batches[index]


def _cropped(indexed: _Indexed, generator: np.random.Generator) -> _Indexed:
    """A stretch of a long document: its evidence says where in the document it stands."""
    if len(indexed) <= _LONGEST:
        return indexed
    at = int(generator.integers(0, len(indexed) - _LONGEST + 1))
    part = slice(at, at + _LONGEST)
    whole = indexed.lesson.fragments
    fragments = replace(
        whole,
        evidence=whole.evidence[part],
        vectors=whole.vectors[part],
        points=whole.points[part],
        weights=whole.weights[part],
        lines=whole.lines[part],
        terms=whole.terms.part(part),
    )
    first = int(indexed.sizes[:at].sum())
    sizes = indexed.sizes[part]
    rows = indexed.rows[first : first + int(sizes.sum())]
    return _Indexed(Lesson(fragments, indexed.lesson.labels[part]), rows, sizes)


def _tensors(
    batch: Sequence[_Indexed],
    mean: Array,
    deviation: Array,
    generator: np.random.Generator | None = None,
) -> tuple[list[Any], Tensor, Tensor]:
    """Inputs of the model, labels, and what each fragment counts; padded to the longest.

    With a `generator`, some terms and vectors are left out.
    """
    longest = max(map(len, batch))
    limit = runtime.CLIP

    def padded(values: Sequence[npt.NDArray[Any]], fill: float = 0.0) -> Tensor:
        out = np.full((len(values), longest, *values[0].shape[1:]), fill, dtype=np.float32)
        for row, value in enumerate(values):
            out[row, : len(value)] = value
        return torch.from_numpy(out)

    parts = [indexed.lesson.fragments for indexed in batch]
    standard = [np.clip((p.evidence - mean) / deviation, -limit, limit) for p in parts]
    labels = padded([indexed.lesson.labels for indexed in batch], -1.0)
    sizes = torch.tensor([len(indexed) for indexed in batch], dtype=torch.float32)
    # Long documents count by the root of their length.
    weights = (labels >= 0).float() / sizes.sqrt()[:, None]
    inputs = [
        padded(standard),
        padded([p.vectors for p in parts]),
        torch.from_numpy(np.stack([p.title.astype(np.float32) for p in parts])),
        padded([p.points for p in parts]),
        padded([p.weights for p in parts]),
        padded([p.lines for p in parts], -1.0),
        padded([np.zeros(len(p)) for p in parts], 1.0),
        (*_bags(batch, longest, generator), padded([_scale(p) for p in parts])),
        torch.from_numpy(_seen(len(batch), generator)),
    ]
    return inputs, labels.clamp(min=0), weights


def _seen(count: int, generator: np.random.Generator | None) -> Array:
    """1 for each document whose vectors are shown, else 0."""
    shown = np.ones(count) if generator is None else generator.random(count) >= _VECTORLESS
    return shown.astype(np.float32)


def _scale(fragments: Fragments) -> Array:
    return (1 / np.sqrt(2 * fragments.terms.counts + 1)).astype(np.float32)


def _bags(
    batch: Sequence[_Indexed], longest: int, generator: np.random.Generator | None
) -> tuple[Tensor, Tensor]:
    """Rows of the known terms, and where each fragment's begin; padding has none."""
    rows = np.concatenate([indexed.rows for indexed in batch])
    sizes = np.zeros((len(batch), longest), dtype=np.int64)
    for row, indexed in enumerate(batch):
        sizes[row, : len(indexed)] = indexed.sizes
    flat = sizes.ravel()
    if generator is not None:
        kept = generator.random(len(rows)) >= _TERM_DROPOUT
        termless = generator.random(len(batch)) < _TERMLESS
        kept &= ~np.repeat(termless, [len(indexed.rows) for indexed in batch])
        owner = np.repeat(np.arange(len(flat)), flat)
        rows, flat = rows[kept], np.bincount(owner[kept], minlength=len(flat))
    return torch.from_numpy(rows), torch.from_numpy(np.cumsum(flat) - flat)


def _exported(
    model: _Model, known: npt.NDArray[np.uint32], mean: Array, deviation: Array
) -> Network:
    layers = tuple(
        Layer(
            query_key_value=_behind(block.norm_attention, block.query_key_value),
            attended=_dense(block.attended),
            pair=_dense(block.pair),
            dense_in=_behind(block.norm_dense, block.dense_in),
            dense_out=_dense(block.dense_out),
        )
        for block in model.layers
        if isinstance(block, _Block)
    )
    with torch.no_grad():
        vectors = model.phrases.weight.numpy().copy()
    vectors[-1] = 0.0
    return Network(
        phrases=TermEmbeddings(known, vectors.astype(np.float16).astype(np.float32)),
        mean=mean.astype(np.float32),
        deviation=deviation.astype(np.float32),
        entry=_dense(model.entry),
        layers=layers,
        out=_behind(model.norm, model.out),
    )


def _restored(network: Network, known: npt.NDArray[np.uint32]) -> _Model:
    """`network` to be trained further, with rows for all `known` terms, among which are its own."""
    width, heads = network.layers[0].attended.shape[1], network.layers[0].pair.shape[1]
    dimensions = len(network.entry) - len(network.mean) - _PHRASE - 2  # a title's cosine, a bias
    model = _Model(len(network.mean), dimensions, len(known), width, heads, len(network.layers))
    _put(model.entry, network.entry)
    _put(model.out, network.out)
    for block, layer in zip(model.layers, network.layers, strict=True):
        for name in ("query_key_value", "attended", "pair", "dense_in", "dense_out"):
            _put(getattr(block, name), getattr(layer, name))
    vectors = np.zeros((len(known) + 1, _PHRASE), np.float32)
    vectors[np.searchsorted(known, network.phrases.known)] = network.phrases.vectors[:-1]
    with torch.no_grad():
        model.phrases.weight.copy_(torch.from_numpy(vectors))
    return model


def _put(linear: nn.Linear, weights: Array) -> None:
    """What `_dense` and `_behind` took out of a layer; a normalisation before it scales by one."""
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(weights[:-1].T.copy()))
        linear.bias.copy_(torch.from_numpy(weights[-1].copy()))


def _dense(linear: nn.Linear) -> Array:
    """Weights, bias in the last row."""
    with torch.no_grad():
        return torch.cat([linear.weight.T, linear.bias[None]]).numpy().copy()


def _behind(norm: nn.LayerNorm, linear: nn.Linear) -> Array:
    """The same of a step behind a normalisation, whose scale and shift become part of it."""
    with torch.no_grad():
        weights = linear.weight.T * norm.weight[:, None]
        bias = linear.bias + norm.bias @ linear.weight.T
        return torch.cat([weights, bias[None]]).numpy().copy()
