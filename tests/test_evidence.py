"""Evidence: finite for every document, the same whatever else, linear in its length."""

import time
import tracemalloc

import numpy as np
import pytest
from hash_encoder import HashEncoder
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import NAMED

from cleaner.evidence import Encoded, Knowledge, observe, review
from cleaner.formats import decode
from cleaner.segment import segment
from cleaner.topic import TopicModel
from cleaner.words import BUCKETS, Lexicon

ENCODER = HashEncoder()


@pytest.fixture(scope="module")
def knowledge():
    """Knowledge drawn at random: what evidence says does not rest on what was learned."""
    generator = np.random.default_rng(0)
    dimensions = ENCODER.dimensions
    vectors = generator.normal(size=(4 * dimensions, dimensions)).astype(np.float32) / 16
    topic = TopicModel.fit(vectors, np.arange(len(vectors)) // 8, axes=16)
    return Knowledge(
        topic=topic,
        frequency=generator.uniform(0, 8, BUCKETS).astype(np.float32),
        wording=generator.normal(size=BUCKETS).astype(np.float32),
        wording_bias=-1.0,
        wording_vector=generator.normal(size=dimensions + 1).astype(np.float32),
    )


def both_passes(text, knowledge, *, title="", lexicon=None, vectors=None):
    """Names and matrix of the second pass; the first pass's verdicts are made up."""
    segments = segment(text)
    if vectors is None:
        vectors = ENCODER.encode(segments.texts)
    title_vector = ENCODER.encode([title])[0] if title else None
    observed = observe(
        [Encoded(segments, vectors, title, title_vector)],
        knowledge=knowledge,
        lexicon=lexicon or Lexicon(),
    )
    first = np.linspace(0, 1, len(segments)) ** 2
    observed = review(observed, first, knowledge=knowledge)
    return list(observed.columns), observed.matrix()


ODD = {name: decode(data) for name, data in NAMED.items()}
ODD |= {
    "two fragments": "One here.\nTwo here.",
    "all the same": "The same line.\n" * 40,
    "no words in common": "\n".join(f"word{n}x" for n in "abcdefghijk"),
    "lone surrogates": "\udcff\ud800 text\n" * 8,
    "beyond the basic plane": "\U0001f600\U00020000\n" * 8,
    "spaces that are no words": "\u200b\n\u200b\u200b\n\ufeff\n" * 4,
}


@pytest.mark.parametrize("title", ["", "The harbour bridge"])
@pytest.mark.parametrize("name", [name for name, text in ODD.items() if segment(text).texts])
def test_all_is_finite(name, title, knowledge):
    names, matrix = both_passes(ODD[name], knowledge, title=title)
    broken = [n for n, column in zip(names, matrix.T, strict=True) if not np.isfinite(column).all()]
    assert not broken
    assert matrix.shape == (len(segment(ODD[name])), len(names))


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_all_is_finite_whatever_the_first_pass_says(value, knowledge):
    segments = segment(ODD["plain"])
    vectors = ENCODER.encode(segments.texts)
    observed = observe([Encoded(segments, vectors)], knowledge=knowledge, lexicon=Lexicon())
    reviewed = review(observed, np.full(len(segments), value), knowledge=knowledge)
    assert np.isfinite(reviewed.matrix()).all()


def test_all_is_finite_without_vectors(knowledge):
    text = ODD["plain"]
    vectors = np.zeros((len(segment(text)), ENCODER.dimensions), dtype=np.float32)
    assert np.isfinite(both_passes(text, knowledge, vectors=vectors)[1]).all()


@given(text=st.text(st.one_of(st.sampled_from("ab. \n"), st.characters(codec=None)), min_size=1))
@settings(max_examples=60)
def test_all_is_finite_for_any_text(text, knowledge):
    if segment(text).texts:
        assert np.isfinite(both_passes(text, knowledge)[1]).all()


def test_the_same_columns_for_every_document(knowledge):
    names = {tuple(both_passes(ODD[name], knowledge)[0]) for name in ("plain", "two fragments")}
    assert len(names) == 1


def test_what_was_seen_before_does_not_matter(knowledge):
    used = Lexicon()
    for name in ("emoji", "Chinese", "full stops"):
        both_passes(ODD[name], knowledge, lexicon=used)
    _, again = both_passes(ODD["plain"], knowledge, lexicon=used)
    _, fresh = both_passes(ODD["plain"], knowledge)
    assert np.array_equal(again, fresh)


def test_lines_endings_do_not_matter(knowledge):
    _, one = both_passes(ODD["plain"], knowledge)
    _, other = both_passes(ODD["CRLF"], knowledge)
    assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("question", [1, 0, 0, 0]),
        ("full_stop", [1, 1, 1, 0]),
        ("in_line", [0, 1, 0, 0]),
        ("blank_before", [0, 0, 1, 0]),
        ("blank_after", [0, 1, 0, 0]),
        ("closes_colon", [0, 0, 0, 1]),
        ("address", [0, 0, 1, 0]),
        ("words", np.log1p([5, 3, 2, 2])),
        ("repeated", [0, 0, 0, 0]),
    ],
)
def test_columns_of_a_small_document(column, expected, knowledge):
    text = "Who closed the harbour bridge? Nobody knows that.\n\nSee www.example.org.\nRead more:\n"
    names, matrix = both_passes(text, knowledge)
    assert matrix[:, names.index(column)] == pytest.approx(expected, abs=1e-6)


def test_shared_words_are_noticed(knowledge):
    text = "The harbour bridge closed.\nThe harbour bridge opened.\nVaccines protect everybody."
    names, matrix = both_passes(text, knowledge)
    shared = matrix[:, names.index("rare_shared")]
    assert shared[0] > 0
    assert shared[2] == 0


def long_document(count):
    generator = np.random.default_rng(1)
    words = [f"word{n}" for n in range(4000)]
    lines = generator.choice(words, (count, 8))
    return "\n".join(" ".join(line) + "." for line in lines)


def test_cost_grows_with_the_length_and_no_faster(knowledge):
    vectors = np.random.default_rng(2).normal(size=(20_000, ENCODER.dimensions))
    vectors = (vectors / 16).astype(np.float32)
    seconds = {}
    for count in (2_500, 20_000):
        text = long_document(count)
        started = time.perf_counter()
        both_passes(text, knowledge, vectors=vectors[:count])
        seconds[count] = time.perf_counter() - started
    # Eight times the fragments; a square would be sixty-four.
    assert seconds[20_000] < 24 * seconds[2_500] + 0.5


def test_memory_for_a_long_document_is_bounded(knowledge):
    text = long_document(20_000)
    vectors = np.zeros((20_000, ENCODER.dimensions), dtype=np.float32)
    tracemalloc.start()
    try:
        both_passes(text, knowledge, vectors=vectors)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # All pairs of fragments would be 1,600 MB in single precision.
    assert peak < 400e6
