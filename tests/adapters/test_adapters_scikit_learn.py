"""The transformer of texts and the outlier detector, as scikit-learn's users use them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn")
pd = pytest.importorskip("pandas")

from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from cleaner.adapters.scikit_learn import ArticleCleaner, TopicOutlierDetector
from cleaner.errors import InputError, OptionError

pytestmark = pytest.mark.adapters


class WithMatrixChecks(ArticleCleaner):
    """`ArticleCleaner`, with all of scikit-learn's checks.

    They give matrices of numbers, so scikit-learn runs next to none of them on what takes texts,
    its own vectorizers included. Most look at the parameters or at `fit` alone, and must pass.
    """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        return tags


NUMBERS = "transforms a matrix of numbers, which the transformer of texts refuses"
# What scikit-learn expects of estimators in general and these do not keep, with the reason.
EXCEPTIONS = {
    WithMatrixChecks: dict.fromkeys(
        (
            "check_array_api_input",
            "check_dict_unchanged",
            "check_dont_overwrite_parameters",
            "check_estimator_sparse_array",
            "check_estimators_dtypes",
            "check_estimators_pickle",
            "check_f_contiguous_array_estimator",
            "check_fit2d_1feature",
            "check_fit2d_1sample",
            "check_fit_idempotent",
            "check_fit_score_takes_y",
            "check_methods_sample_order_invariance",
            "check_methods_subset_invariance",
            "check_pipeline_consistency",
            "check_transformer_general",
            "check_transformer_preserve_dtypes",
            "check_transformers_unfitted_stateless",
        ),
        NUMBERS,
    )
    | {"check_estimator_sparse_tag": "fits a sparse matrix; fit looks at no data"},
    TopicOutlierDetector: {
        "check_methods_subset_invariance": (
            "a sample is held against the others of its document: it has no score of its own"
        ),
    },
}


@parametrize_with_checks(
    [WithMatrixChecks(), TopicOutlierDetector(), TopicOutlierDetector(contamination=0.1)],
    expected_failed_checks=lambda estimator: EXCEPTIONS[type(estimator)],
)
def test_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


# --- ArticleCleaner -------------------------------------------------------------------------------


@pytest.fixture
def texts(seed):
    return [seed, "Too short.", ""]


@pytest.fixture
def clean(fast, texts):
    return [fast.clean(text) for text in texts]


def test_a_list_comes_out_as_an_array(texts, clean):
    cleaned = ArticleCleaner().fit_transform(texts)
    assert isinstance(cleaned, np.ndarray)
    assert cleaned.dtype == object
    assert cleaned.shape == (3,)
    assert cleaned.tolist() == clean


@pytest.mark.parametrize("dtype", [object, "str", "string", "category"])
def test_a_series_keeps_its_index_name_and_missing_values(texts, clean, dtype):
    series = pd.Series([*texts, None], index=list("abcd"), name="body", dtype=dtype)
    cleaned = ArticleCleaner().transform(series)
    assert cleaned.tolist()[:3] == clean
    assert cleaned.isna().tolist() == [False, False, False, True]
    assert cleaned.index.tolist() == list("abcd")
    assert cleaned.name == "body"
    assert str(cleaned.dtype) == str(series.dtype) or dtype == "category"


def test_a_frame_keeps_its_columns_and_gives_the_titles(fast, texts):
    frame = pd.DataFrame({"n": [1, 2, 3], "body": texts, "headline": ["A", None, "B"]})
    cleaned = ArticleCleaner(text_column="body", title_column="headline").fit_transform(frame)
    assert list(cleaned.columns) == ["n", "body", "headline"]
    assert cleaned["body"].tolist()[0] == fast.clean(texts[0], title="A")
    assert frame["body"].tolist() == texts  # what was given is not changed
    pd.testing.assert_frame_equal(cleaned.drop(columns="body"), frame.drop(columns="body"))


def test_a_column_need_not_be_called_by_a_string(texts, clean):
    frame = pd.DataFrame({0: texts, ("a", 1): [1, 2, 3]})
    cleaned = ArticleCleaner(text_column=0, title_column=None).fit_transform(frame)
    assert cleaned[0].tolist() == clean
    assert cleaned.columns.tolist() == [0, ("a", 1)]
    assert frame[0].tolist() == texts


def test_an_index_comes_out_as_an_array(texts, clean):
    cleaned = ArticleCleaner().fit_transform(pd.Index(texts, name="body"))
    assert isinstance(cleaned, np.ndarray)
    assert cleaned.tolist() == clean


@pytest.mark.parametrize("kind", ["Categorical", "Enum", "String"])
def test_a_series_of_polars_keeps_its_name_and_takes_the_clean_texts(texts, clean, kind):
    pl = pytest.importorskip("polars")
    dtype = pl.Enum(texts) if kind == "Enum" else getattr(pl, kind)
    cleaned = ArticleCleaner().fit_transform(pl.Series("body", [*texts, None], dtype=dtype))
    assert cleaned.name == "body"
    assert cleaned.to_list() == [*clean, None]


def test_a_frame_goes_before_a_vectorizer_with_what_picks_its_column(texts):
    frame = pd.DataFrame({"text": texts, "n": [1, 2, 3]})
    pick = ColumnTransformer([("text", TfidfVectorizer(), "text")])
    vectors = make_pipeline(ArticleCleaner(), pick).fit_transform(frame)
    assert vectors.shape[0] == len(texts)
    assert "ukraine" in pick.named_transformers_["text"].vocabulary_


@pytest.mark.parametrize(
    ("library", "make"),
    [
        ("polars", lambda polars: polars.LazyFrame({"text": ["a"]})),
        ("pyarrow", lambda pyarrow: pyarrow.table({"text": ["a"]})),
    ],
)
def test_a_table_that_is_no_frame_is_refused_with_the_way_out(library, make):
    table = make(pytest.importorskip(library))
    with pytest.raises(InputError, match="not a DataFrame of pandas or polars; make it one"):
        ArticleCleaner().fit_transform(table)


@pytest.mark.parametrize("empty", [[], np.array([], dtype=object), pd.Series([], dtype=object)])
def test_nothing_gives_nothing(empty):
    cleaned = ArticleCleaner().fit_transform(empty)
    assert len(cleaned) == 0
    assert isinstance(cleaned, pd.Series if isinstance(empty, pd.Series) else np.ndarray)


def test_it_goes_before_a_vectorizer(texts, seed, intruders):
    pipeline = make_pipeline(ArticleCleaner(), TfidfVectorizer())
    pipeline.fit_transform(texts)
    words = pipeline[-1].vocabulary_
    assert "anaphylaxis" in seed.lower()
    assert any("anaphylaxis" in line.lower() for line in intruders)
    assert "anaphylaxis" not in words
    assert "ukraine" in words


def test_it_goes_into_a_column_transformer(texts):
    frame = pd.DataFrame({"body": texts, "n": [1, 2, 3]})
    columns = ColumnTransformer(
        [("body", make_pipeline(ArticleCleaner(), TfidfVectorizer()), "body")],
        remainder="passthrough",
    )
    assert columns.fit_transform(frame).shape[0] == 3


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output_gives_a_series_that_a_vectorizer_takes(texts, clean, library):
    module = pytest.importorskip(library)
    transformer = ArticleCleaner().set_output(transform=library)
    cleaned = transformer.fit_transform(texts)
    assert isinstance(cleaned, module.Series)
    assert list(cleaned) == clean
    TfidfVectorizer().fit(cleaned)
    assert isinstance(clone(transformer).fit_transform(texts), module.Series)
    pipeline = make_pipeline(ArticleCleaner()).set_output(transform=library)
    assert isinstance(pipeline.fit_transform(texts), module.Series)


def test_names_of_features():
    assert ArticleCleaner().get_feature_names_out().tolist() == ["text"]
    assert ArticleCleaner().get_feature_names_out(["a", "text"]).tolist() == ["a", "text"]


def test_parameters_are_read_set_cloned_and_pickled(texts):
    transformer = ArticleCleaner(threshold=0.9, keep=["Putin"])
    assert transformer.get_params()["threshold"] == 0.9
    assert clone(transformer).get_params() == transformer.get_params()
    transformer.set_params(threshold=1.0)
    again = pickle.loads(pickle.dumps(transformer))
    assert again.get_params() == transformer.get_params()
    assert again.transform(texts).tolist() == texts  # at a threshold of 1 nothing goes


def test_a_text_comes_out_the_same_in_whatever_company_and_after_any_fit(texts, clean):
    transformer = ArticleCleaner()
    before = dict(vars(transformer))
    assert transformer.fit(["x"]).fit(texts).transform(texts[::-1]).tolist() == clean[::-1]
    assert [transformer.transform([text])[0] for text in texts] == clean
    assert vars(transformer) == before


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("a text", "X is of type str, not a sequence of texts"),
        (7, "X is of type int"),
        ({"text": ["a text"]}, "X is of type dict, not a sequence of texts"),
        ({"a text", "another"}, "X is of type set, not a sequence of texts"),
        (frozenset(["a text"]), "X is of type frozenset"),
        (["a text", 7], "X, row 1: 7 is of type int, not a string"),
        ([b"bytes"], "X, row 0: b'bytes' is of type bytes"),
        (np.array([["a"], ["b"]]), "X has 2 dimensions"),
        (pd.DataFrame({"body": ["a"]}), "there is no column 'text' among 'body'"),
        (pd.DataFrame({"text": [1.5]}), "column 'text', row 0: 1.5 is of type float"),
        (pd.DataFrame({"text": ["a"], "title": [2]}), "column 'title', row 0: 2 is of type int"),
        (pd.DataFrame([["a", "b"]], columns=["text", "text"]), "there are 2 columns 'text'"),
    ],
)
def test_what_holds_no_texts_is_refused(given, message):
    with pytest.raises(InputError) as caught:
        ArticleCleaner().fit_transform(given)
    assert message in str(caught.value)
    assert caught.value.next_step


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"threshold": 7}, "the threshold is 7"),
        ({"keep": ["("]}, "'(' is no regular expression"),
        ({"keep": "Putin"}, "keep is the string 'Putin'"),
        ({"only": ["because"]}, "'because' is no reason"),
        ({"encoder": 7}, "encoder is of type int"),
        ({"threshold": "0.5"}, "threshold is '0.5'"),
        ({"text_column": None}, "text_column is None"),
    ],
)
def test_fit_refuses_wrong_parameters(parameters, message):
    with pytest.raises(OptionError) as caught:
        ArticleCleaner(**parameters).fit([])
    assert message in str(caught.value)


def test_set_output_refuses_what_it_does_not_know():
    with pytest.raises(OptionError, match="transform is 'spark'"):
        ArticleCleaner().set_output(transform="spark")


# --- TopicOutlierDetector -------------------------------------------------------------------------

DOCUMENTS, FRAGMENTS, DIMENSIONS = 60, 10, 12


@pytest.fixture(scope="module")
def corpus():
    """Vectors of documents, each around a topic of its own, and the document of each."""
    random = np.random.default_rng(1)
    documents = np.repeat(np.arange(DOCUMENTS), FRAGMENTS)
    topics = random.normal(scale=3.0, size=(DOCUMENTS, DIMENSIONS))
    return topics[documents] + random.normal(size=(len(documents), DIMENSIONS)), documents


@pytest.fixture(scope="module")
def detector(corpus):
    vectors, documents = corpus
    return TopicOutlierDetector().fit(vectors, groups=documents)


@pytest.fixture
def mixed(corpus):
    """The first document with a fragment of each of two others: rows 2 and 7."""
    vectors, _ = corpus
    document = vectors[:FRAGMENTS].copy()
    document[2], document[7] = vectors[15], vectors[25]
    return document


def test_it_finds_what_comes_from_another_document(detector, mixed):
    assert np.flatnonzero(detector.predict(mixed) == -1).tolist() == [2, 7]


def test_it_predicts_where_the_decision_function_is_below_nought(detector, mixed):
    decision = detector.decision_function(mixed)
    assert ((decision < 0) == (detector.predict(mixed) == -1)).all()
    assert decision == pytest.approx(detector.score_samples(mixed) - detector.offset_)


def test_a_group_scores_as_it_does_alone(detector, corpus, mixed):
    """No document sees another, in whatever order their samples come."""
    vectors, _ = corpus
    together = np.concatenate([mixed, vectors[30:50]])
    groups = np.array(["first"] * FRAGMENTS + ["b"] * 10 + ["a"] * 10)
    order = np.random.default_rng(2).permutation(len(together))
    scores = np.empty(len(together))
    scores[order] = detector.decision_function(together[order], groups=groups[order])
    assert scores[:FRAGMENTS] == pytest.approx(detector.decision_function(mixed))
    assert scores[10:20] == pytest.approx(detector.decision_function(vectors[30:40]))
    assert scores[20:] == pytest.approx(detector.decision_function(vectors[40:50]))


def test_it_is_the_model_of_the_cleaner(detector, mixed):
    model = detector.topic_model_
    ratios, _, _ = model.ratios(model.project(mixed), np.ones(len(mixed)))
    assert detector.score_samples(mixed) == pytest.approx(ratios)


def test_contamination_sets_the_share_of_outliers(corpus):
    vectors, documents = corpus
    found = TopicOutlierDetector(contamination=0.05).fit_predict(vectors, groups=documents)
    assert np.mean(found == -1) == pytest.approx(0.05, abs=0.005)


def test_a_sample_alone_is_no_outlier(detector):
    alone = np.full((1, DIMENSIONS), 40.0)
    assert detector.score_samples(alone).tolist() == [0.0]
    assert detector.predict(alone).tolist() == [1]


def test_it_works_with_the_splitters_that_take_groups(corpus):
    vectors, documents = corpus
    for train, test in GroupKFold(n_splits=3).split(vectors, groups=documents):
        detector = TopicOutlierDetector(n_components=6).fit(vectors[train], groups=documents[train])
        assert (detector.predict(vectors[test], documents[test]) == 1).mean() > 0.9


def test_the_documents_of_the_seed_are_told_apart(fast, seed):
    """On vectors of one's own: here those of the fast tier, with its own topic model."""
    from cleaner.segment import segment

    detector = TopicOutlierDetector()
    detector.topic_model_, detector.offset_ = fast._detector.knowledge.topic, 0.0
    detector.n_features_in_ = fast._encoder.dimensions
    texts = segment(seed).texts
    scores = detector.decision_function(fast._encoder.encode(texts))
    about_vaccines = ["vaccine" in text for text in texts]
    assert np.median(scores[about_vaccines]) < np.median(scores)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_components": 0}, "n_components is 0"),
        ({"n_components": "a"}, "n_components is 'a'"),
        ({"contamination": True}, "contamination is True"),
        ({"contamination": 0.0}, "contamination is 0.0"),
        ({"contamination": 0.7}, "contamination is 0.7"),
        ({"contamination": "some"}, "contamination is 'some'"),
    ],
)
def test_wrong_parameters_are_refused(corpus, parameters, message):
    with pytest.raises(OptionError, match=message):
        TopicOutlierDetector(**parameters).fit(corpus[0], groups=corpus[1])


def test_groups_must_be_as_many_as_samples(detector, corpus):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        detector.predict(corpus[0], groups=[1, 2, 3])


def test_groups_must_be_of_one_kind(corpus):
    with pytest.raises(
        InputError, match="groups holds labels that cannot be put in order"
    ) as caught:
        TopicOutlierDetector().fit(corpus[0][:4], groups=["a", None, "b", "b"])
    assert caught.value.next_step == "give strings or numbers, one for each sample"


def test_documents_of_one_fragment_teach_nothing(corpus):
    vectors, _ = corpus
    with pytest.raises(ValueError, match="the samples of no group differ"):
        TopicOutlierDetector().fit(vectors, groups=np.arange(len(vectors)))
