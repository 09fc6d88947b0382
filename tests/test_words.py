"""Words as numbers: stable hashes, classes, terms."""

import zlib

import numpy as np
import pytest

from cleaner import words
from cleaner.words import BUCKETS, Lexicon


def flags_of(word):
    return int(Lexicon().words([word]).flags[0])


@pytest.mark.parametrize(
    ("word", "flags"),
    [
        ("the", words.STOP),
        ("The", words.STOP | words.CAPITAL),
        ("harbour", words.CONTENT),
        ("Harbour,", words.CONTENT | words.CAPITAL),
        ("NATO", words.CONTENT | words.CAPITAL | words.UPPER),
        ("2021", words.CONTENT | words.NUMBER),
        ("ab", 0),
        ("---", 0),
        ("\u00c9cole", words.CONTENT | words.CAPITAL),
    ],
)
def test_classes(word, flags):
    assert flags_of(word) == flags


@pytest.mark.parametrize(
    ("one", "other"),
    [("Harbour", "harbour,"), ("'quoted'", "quoted"), ("1987", "2021"), ("don\u2019t", "Don't")],
)
def test_same_key(one, other):
    found = Lexicon().words([one, other])
    assert found.keys[0] == found.keys[1]


def test_keys_are_the_same_everywhere():
    # CRC-32 of the word: a frequency table made elsewhere must fit.
    assert Lexicon().words(["Harbour"]).keys.tolist() == [zlib.crc32(b"harbour")]


def test_what_was_seen_before_does_not_matter():
    used = Lexicon()
    used.words(["quite other words", "the Harbour"])
    texts = ["the Harbour is closed", "", "2021 \udcff"]
    fresh, again = Lexicon().words(texts), used.words(texts)
    assert fresh.keys.tolist() == again.keys.tolist()
    assert fresh.flags.tolist() == again.flags.tolist()
    assert fresh.counts.tolist() == [4, 0, 2]
    assert fresh.owner.tolist() == [0, 0, 0, 0, 2, 2]


def test_a_full_cache_is_emptied(monkeypatch):
    monkeypatch.setattr(words, "_CACHE_LIMIT", 3)
    lexicon = Lexicon()
    for _ in range(3):
        found = lexicon.words(["one two three four five"])
        assert found.keys.tolist() == Lexicon().words(["one two three four five"]).keys.tolist()


def test_long_words_are_forgotten_sooner(monkeypatch):
    """Addresses and Base64 are never met again: memory is bounded by what the words hold."""
    monkeypatch.setattr(words, "_CACHE_LIMIT", 100)
    lexicon = Lexicon()
    for number in range(50):
        text = " ".join(f"{'A' * 400}{number}{part}" for part in range(8))
        assert lexicon.words([text]).keys.tolist() == Lexicon().words([text]).keys.tolist()
        assert len(lexicon._table) <= 16  # of 400 in all


def test_share():
    found = Lexicon().words(["the Harbour is closed", "", "NATO"])
    assert found.share(words.STOP).tolist() == [0.5, 0.0, 0.0]
    assert found.share(words.UPPER).tolist() == [0.0, 0.0, 1.0]


def test_terms_are_words_and_pairs():
    found = Lexicon().words(["read more", "", "read"])
    buckets, owner = found.terms().buckets()
    assert len(buckets) == 2 * 3 + 3
    assert owner.tolist() == [0, 0, 2, 0, 0, 0, 1, 2, 2]
    assert buckets.min() >= 0
    assert buckets.max() < BUCKETS
    # "read" opens both fragments: the same word and the same opening pair.
    assert buckets[0] == buckets[2]
    assert buckets[3] == buckets[7]
    assert buckets[5] != buckets[8]


def test_a_fragment_has_the_terms_it_has_alone():
    lexicon = Lexicon()
    texts = ["read more here", "sign up now", "", "x"]
    buckets, owner = lexicon.words(texts).terms().buckets()
    for index, text in enumerate(texts):
        alone, _ = lexicon.words([text]).terms().buckets()
        assert np.array_equal(np.sort(buckets[owner == index]), np.sort(alone))


@pytest.mark.parametrize("texts", [["", "sign up"], ["read more here", "", "x"], ["", ""]])
def test_a_part_of_the_terms_is_that_of_the_part(texts):
    before, behind = ["one two three", ""], ["four"]
    whole = Lexicon().words([*before, *texts, *behind]).terms()
    part, alone = whole.part(slice(2, 2 + len(texts))), Lexicon().words(texts).terms()
    for name in ("words", "pairs", "counts"):
        assert np.array_equal(getattr(part, name), getattr(alone, name))


@pytest.mark.parametrize("texts", [[], [""], ["", ""]])
def test_no_words(texts):
    found = Lexicon().words(texts)
    assert found.counts.tolist() == [0] * len(texts)
    assert len(found.terms().buckets()[0]) == len(texts)
