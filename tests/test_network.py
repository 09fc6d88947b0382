"""The network of the first pass: what numpy computes is what torch was trained on."""

from dataclasses import replace

import numpy as np
import pytest

from cleaner.network import LANDMARKS, Fragments, Network, TermEmbeddings, _biases, log_odds_of
from cleaner.words import Lexicon


def fragments(count: int, *, seed: int = 0) -> Fragments:
    """A document of random fragments: two topics, five kinds of evidence, vectors of eight."""
    texts = ["", "Sign up now", "The bridge is closed.", "Read more"]
    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(count, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Fragments(
        evidence=generator.normal(size=(count, 5)).astype(np.float32),
        vectors=vectors,
        points=vectors[:, :4],
        weights=generator.random(count).astype(np.float32),
        lines=np.arange(count) // 2,
        title=vectors[0],
        terms=Lexicon().words([texts[i % len(texts)] for i in range(count)]).terms(),
    )


@pytest.fixture(scope="module")
def trained() -> Network:
    """A small network that has learned the sign of the first kind of evidence."""
    training = pytest.importorskip("cleaner.training.network")
    lessons = []
    for seed in range(40):
        own = fragments(12, seed=seed)
        lessons.append(training.Lesson(own, (own.evidence[:, 0] > 0).astype(np.int64)))
    sizes = {"width": 16, "heads": 2, "layers": 2}
    return training.fit_network(lessons, steps=120, say=lambda _: None, **sizes)


def test_what_was_learned_holds_for_a_document_never_seen(trained):
    unseen = fragments(30, seed=99)
    right = (trained.log_odds(unseen) > 0) == (unseen.evidence[:, 0] > 0)
    assert right.mean() > 0.8


def test_a_batch_of_torch_and_a_document_of_numpy_give_the_same_log_odds(trained):
    training = pytest.importorskip("cleaner.training.network")
    torch = pytest.importorskip("torch")
    known = np.unique(fragments(3).terms.pairs)
    model = training._Model(5, 8, len(known), 16, 2, 2).eval()
    network = training._exported(model, known, trained.mean, trained.deviation)
    documents = [fragments(count, seed=count) for count in (1, 7, 40)]
    lessons = [training.Lesson(own, np.zeros(len(own), np.int64)) for own in documents]
    indexed = [training._indexed(lesson, network.phrases) for lesson in lessons]
    inputs, _, _ = training._tensors(indexed, trained.mean, trained.deviation)
    with torch.no_grad():
        expected = model(*inputs).numpy()
    for own, row in zip(documents, expected, strict=True):
        np.testing.assert_allclose(network.log_odds(own), row[: len(own)], atol=1e-4)


def test_the_same_lessons_give_the_same_network():
    training = pytest.importorskip("cleaner.training.network")
    own = fragments(12)
    lessons = [training.Lesson(own, np.arange(12) % 2)]
    sizes = {"width": 8, "heads": 2, "layers": 1, "say": lambda _: None}
    once, again = (training.fit_network(lessons, steps=3, **sizes) for _ in range(2))
    for name, array in once.to_arrays().items():
        np.testing.assert_array_equal(array, again.to_arrays()[name])


def test_a_network_that_is_taught_judges_all_else_as_before(trained):
    """New is a phrase; where it does not stand, what was learned first holds."""
    training = pytest.importorskip("cleaner.training.network")
    phrase = Lexicon().words(["pin it for later"]).terms()
    kept, taught, told = [], [], trained.log_odds
    for seed in range(60):
        own = fragments(12, seed=seed)
        kept.append(training.Lesson(own, 1 / (1 + np.exp(-told(own).astype(np.float64)))))
        new = with_terms(own, 3, phrase)
        said = 1 / (1 + np.exp(-told(new).astype(np.float64)))
        taught.append(training.Lesson(new, np.where(np.arange(12) == 3, 0.98, said)))
    learned = training.teach_network(trained, kept, taught, steps=400, say=lambda _: None)
    assert set(phrase.words) <= set(learned.phrases.known)
    unseen = fragments(30, seed=99)
    assert ((learned.log_odds(unseen) > 0) == (told(unseen) > 0)).mean() > 0.9
    new = with_terms(unseen, 7, phrase)
    assert learned.log_odds(new)[7] > told(new)[7] + 1


def test_a_network_that_is_taught_begins_as_what_it_was(trained):
    training = pytest.importorskip("cleaner.training.network")
    known = np.union1d(trained.phrases.known, np.arange(5, dtype=np.uint32))
    again = training._exported(
        training._restored(trained, known), known, trained.mean, trained.deviation
    )
    unseen = fragments(30, seed=99)
    np.testing.assert_allclose(again.log_odds(unseen), trained.log_odds(unseen), atol=1e-4)


def test_what_is_taught_is_sure_and_what_is_kept_is_what_the_network_says(trained):
    training = pytest.importorskip("cleaner.training.network")
    teach = pytest.importorskip("cleaner.training.teach")
    own = fragments(12, seed=5)
    labels = np.array([1, 0, -1] * 4)
    lesson = training.Lesson(own, labels)
    (before,) = teach.as_before([lesson], trained)
    (taught,) = teach.as_taught([lesson], trained)
    np.testing.assert_allclose(before.labels, 1 / (1 + np.exp(-trained.log_odds(own))), atol=1e-6)
    assert (taught.labels[labels == 1] > 0.97).all()
    assert (taught.labels[labels == 0] < 0.03).all()
    assert (taught.labels[labels == -1] == -1).all()


def with_terms(own: Fragments, at: int, terms) -> Fragments:
    """`own`, its fragment at a place in the words of `terms`, which are those of one fragment."""
    before, behind = own.terms.part(slice(0, at)), own.terms.part(slice(at + 1, None))
    joined = {
        name: np.concatenate([getattr(part, name) for part in (before, terms, behind)])
        for name in ("words", "pairs", "counts")
    }
    return replace(own, terms=replace(own.terms, **joined))


def test_a_phrase_is_the_sum_of_what_its_known_terms_say():
    terms = Lexicon().words(["sign up", "", "the bridge"]).terms()
    known = np.unique(terms.words[:2])  # "sign" and "up", and no pair
    vectors = np.array([[1.0, 0.0], [0.0, 3.0], [0.0, 0.0]], np.float32)
    found = TermEmbeddings(known, vectors).of(terms)
    np.testing.assert_allclose(found, np.array([[1.0, 3.0], [0.0, 0.0], [0.0, 0.0]]) / 5**0.5)
    nothing = TermEmbeddings(known[:0], vectors[2:]).of(terms)
    np.testing.assert_array_equal(nothing, np.zeros((3, 2)))


def test_terms_of_many_documents_are_known():
    training = pytest.importorskip("cleaner.training.network")
    lessons = [training.Lesson(fragments(4), np.array([0, 1, 0, 0]))] * training._FEWEST
    known = training.known_terms(lessons)
    own = Lexicon().words(["Sign up now"]).terms()
    np.testing.assert_array_equal(known, np.unique([*own.words, *own.pairs]))
    assert not len(training.known_terms(lessons[1:]))


def test_a_network_goes_through_its_arrays(trained):
    again = Network.from_arrays(trained.to_arrays())
    np.testing.assert_array_equal(again.log_odds(fragments(9)), trained.log_odds(fragments(9)))


def test_a_document_longer_than_the_landmarks_is_read_in_blocks(trained):
    long = fragments(3 * LANDMARKS + 5)
    log_odds = trained.log_odds(long)
    assert log_odds.shape == (len(long),)
    assert np.isfinite(log_odds).all()
    # A landmark sees the same whether it is read as one or with the others.
    chosen = np.linspace(0, len(long) - 1, LANDMARKS).astype(np.int64)
    own = trained.embedded(long, trained.phrases.of(long.terms), chosen)
    biases = _biases([trained], long.pair_features(chosen, chosen))[0]
    states, _ = trained.self_attended(own, biases)
    np.testing.assert_allclose(log_odds[chosen], trained.log_odds_from(states), atol=1e-4)


def test_networks_say_together_what_each_says_alone(trained):
    long = fragments(LANDMARKS + 30)
    other = replace(trained, layers=trained.layers[:1])
    both = log_odds_of([trained, other], long)
    for network, log_odds in zip((trained, other), both, strict=True):
        np.testing.assert_allclose(log_odds, network.log_odds(long), atol=1e-5)


def test_attention_beyond_all_bounds_gives_a_number(trained):
    loud = [replace(layer, query_key_value=layer.query_key_value * 1e4) for layer in trained.layers]
    assert np.isfinite(replace(trained, layers=tuple(loud)).log_odds(fragments(20))).all()
