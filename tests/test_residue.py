"""Sentences that clean articles have in common: most are a site's, and nothing is said of them."""

import numpy as np
import pytest
from hash_encoder import HashEncoder

from cleaner.evaluation import compose
from cleaner.training.examples import prepare
from cleaner.training.residue import recurring, unsaid

PROMPT = "Please select your country from the list."
ARTICLES = [
    ["The council met.", PROMPT, "Why not?", "It is 5 km from here."],
    ["The river rose.", PROMPT.upper(), "Why not?", "It is 7 km  from here.", "The river rose."],
    ["A third one stands alone here."],
]


def test_a_sentence_recurs_that_stands_in_two_articles():
    """Whatever its case, its numbers and its blanks; in one article it may stand twice."""
    assert recurring(ARTICLES) == {PROMPT.casefold(), "it is 0 km from here."}


@pytest.mark.parametrize(("source", "said"), [("made", -1), ("scraped", 0)])
def test_nothing_is_said_of_what_recurs_in_made_documents(source, said):
    lines = ["The council met.", PROMPT, "It met again.", PROMPT, "It rained.", "Nobody came."]
    labels = [0, 0, 0, 1, 0, 0]
    record = {"id": "a", "lines": lines, "labels": labels, "source": "a"}
    examples = prepare([compose(record, source=source)], HashEncoder())
    (example,) = unsaid(examples, recurring(ARTICLES), ["made"])
    np.testing.assert_array_equal(example.labels, [0, said, 0, 1, 0, 0])
