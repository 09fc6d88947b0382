"""Documents side by side in one array: each gets what it would get alone, to the last bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaner.layout import Layout

LINES = st.lists(st.integers(0, 1), min_size=1, max_size=12).map(np.cumsum)
DOCUMENTS = st.lists(LINES, min_size=1, max_size=5)


def everything(layout, values, mark):
    """What a layout computes, one array a kind, n rows each."""
    yield layout.total(values)[layout.owner]
    yield layout.mean(values)[layout.owner]
    yield from (layout.shifted(values, by) for by in (2, 1, -1, -2))
    yield from layout.windows(values, (1, 3))
    yield from layout.windows(np.stack([values, -values], axis=1), (2,))
    yield from layout.distances(mark)
    yield layout.rest_of_line(values, np.abs(values) + 0.1)


@given(DOCUMENTS, st.integers(0, 2**32 - 1))
@settings(max_examples=100)
def test_each_document_gets_what_it_gets_alone(documents, seed):
    generator = np.random.default_rng(seed)
    layout = Layout.of(documents)
    values = generator.normal(size=len(layout)) * 10.0 ** generator.integers(-6, 6, len(layout))
    mark = generator.random(len(layout)) < 0.3
    together = list(everything(layout, values, mark))
    for extent, lines in zip(layout, documents, strict=True):
        alone = everything(Layout.of([lines]), values[extent], mark[extent])
        assert all(np.array_equal(a, b[extent]) for a, b in zip(alone, together, strict=True))


def test_a_small_example():
    layout = Layout.of([np.array([0, 0, 2]), np.array([5])])
    values = np.array([1.0, 2.0, 6.0, 10.0])
    assert layout.total(values).tolist() == [9.0, 10.0]
    assert layout.mean(values).tolist() == [3.0, 10.0]
    assert layout.lines.tolist() == [0, 0, 1, 2]
    assert layout.shifted(values, 1).tolist() == [1.0, 1.0, 2.0, 10.0]
    assert layout.shifted(values, -1).tolist() == [2.0, 6.0, 6.0, 10.0]
    assert layout.windows(values, [1])[0].tolist() == [2.0, 3.5, 2.0, 0.0]
    assert layout.rest_of_line(values, np.ones(4)).tolist() == [2.0, 1.0, 6.0, 10.0]


def test_distances_do_not_see_the_next_document():
    layout = Layout.of([np.arange(3), np.arange(2)])
    before, after = layout.distances(np.array([True, False, False, False, True]))
    assert before == pytest.approx([6.0, 0.0, np.log(2), 6.0, 6.0])
    assert after == pytest.approx([6.0, 6.0, 6.0, 0.0, 6.0])
