"""The two-covariance model, on articles drawn from Gaussians that are known."""

import numpy as np
import pytest

from cleaner.topic import TopicModel

DIMENSIONS = 6
BETWEEN = np.array([9.0, 4.0, 2.0, 1.0, 0.5, 0.25])  # within: 1 along each axis


def draw(articles, fragments, *, seed=0):
    """Fragments of articles, each around a centre of its own."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(articles, DIMENSIONS)) * np.sqrt(BETWEEN)
    numbers = np.repeat(np.arange(articles), fragments)
    noise = generator.normal(size=(len(numbers), DIMENSIONS))
    return (centres[numbers] + noise + 3.0).astype(np.float32), numbers


@pytest.fixture(scope="module")
def model():
    return TopicModel.fit(*draw(2000, 12), axes=DIMENSIONS)


def test_fit_recovers_the_mean(model):
    assert np.allclose(model.mean, 3.0, atol=0.2)


def test_fit_recovers_the_variances_between(model):
    assert np.all(np.diff(model.between) <= 0)
    assert np.allclose(model.between, BETWEEN, rtol=0.15, atol=0.05)


def test_projection_makes_the_within_covariance_unit(model):
    vectors, numbers = draw(500, 12, seed=1)
    points = model.project(vectors)
    centres = np.stack([points[numbers == n].mean(axis=0) for n in range(500)])
    inner = points - centres[numbers]
    covariance = inner.T @ inner / (len(points) - 500)
    assert np.allclose(covariance, np.eye(DIMENSIONS), atol=0.1)


def test_only_the_axes_asked_for_are_kept():
    model = TopicModel.fit(*draw(300, 8), axes=2)
    assert model.project(np.zeros((5, DIMENSIONS), dtype=np.float32)).shape == (5, 2)


def test_on_topic_above_off_topic(model):
    vectors, numbers = draw(200, 10, seed=2)
    points = model.project(vectors)
    higher = 0
    for article in range(0, 200, 2):
        own, other = points[numbers == article], points[numbers == article + 1][:2]
        ratios, _, trust = model.ratios(np.concatenate([own, other]), np.ones(12))
        higher += ratios[:10].mean() > ratios[10:].mean()
        assert np.all((trust >= 0) & (trust <= 1))
    assert higher >= 95


def test_a_suspect_loses_its_weight(model):
    points = np.zeros((10, DIMENSIONS))
    points[9, 0] = 12.0
    ratios, _, trust = model.ratios(points, np.ones(10))
    assert np.argmin(ratios) == 9
    assert trust[9] < 0.01 < trust[0]


def test_no_fragment_speaks_for_itself(model):
    """With `leave_out`, the ratio is that against the other fragments."""
    points = model.project(draw(1, 7, seed=3)[0])
    weights = np.array([1.0, 0.5, 1.0, 0.2, 1.0, 0.0, 1.0])
    title = points[0] * 0.5
    together = model.log_likelihood_ratio(points, points, weights, title=title, leave_out=True)
    for index in range(7):
        others = np.delete(np.arange(7), index)
        alone = model.log_likelihood_ratio(
            points[[index]], points[others], weights[others], title=title
        )
        assert together[index] == pytest.approx(alone[0], abs=1e-9)


def test_without_members_nothing_is_said(model):
    points = model.project(draw(1, 3, seed=4)[0])
    assert np.allclose(model.log_likelihood_ratio(points, points, np.zeros(3)), 0.0)


def test_the_ratio_is_that_of_two_gaussians():
    """One axis, worked by hand: p(point | one member) over p(point)."""
    model = TopicModel(np.zeros(1), np.eye(1), np.array([4.0]))

    def log_density(value, mean, variance):
        return -0.5 * ((value - mean) ** 2 / variance + np.log(2 * np.pi * variance))

    point, member = 1.5, 2.0
    mean, variance = 4.0 / 5.0 * member, 1.0 + 4.0 / 5.0
    expected = log_density(point, mean, variance) - log_density(point, 0.0, 5.0)
    ratio = model.log_likelihood_ratio(np.array([[point]]), np.array([[member]]), np.ones(1))
    assert ratio[0] == pytest.approx(expected)


def test_the_title_draws_the_topic(model):
    points = np.zeros((2, DIMENSIONS))
    points[:, 0] = (6.0, -6.0)
    ratios, _, _ = model.ratios(points, np.ones(2), title=points[0])
    assert ratios[0] > ratios[1]
