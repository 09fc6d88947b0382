"""scikit-learn: a transformer of texts, and the topic model as an outlier detector."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from cleaner.adapters.options import CleanerOptions, missing_host
from cleaner.adapters.texts import check_column, clean_texts, has_titles, string_or_none
from cleaner.errors import InputError, OptionError
from cleaner.options import is_count, is_number
from cleaner.topic import TopicModel

try:
    from sklearn.base import BaseEstimator, OutlierMixin, TransformerMixin, check_is_fitted
    from sklearn.utils.validation import check_array, check_consistent_length, validate_data
except ImportError as error:
    raise missing_host(__name__, extra="scikit-learn", cause=error) from error

if TYPE_CHECKING:
    import numpy.typing as npt
    from sklearn.utils import Tags

    from cleaner.topic import Floats

_MOST_OUTLIERS = 0.5  # scikit-learn's own limit


class ArticleCleaner(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):  # type: ignore[misc, call-arg]
    """Takes out of texts what does not belong to them: a transformer without a state to fit.

    Parameters
    ----------
    text_column, title_column
        Where text and title stand in a DataFrame; without meaning for a sequence of texts. None
        as title: there is none. A DataFrame without a column called ``title`` is taken as it is.
        A name need not be a string.
    encoder, threshold, keep, drop, only, exclude, model
        As in `cleaner.Cleaner`; the encoder by its name or folder.

    Notes
    -----
    `transform` takes texts in one dimension (a list, an array, a Series) or a DataFrame of pandas
    or polars. It gives the kind it was given: an array of shape (n,) for a list or an array, and
    otherwise a Series or DataFrame, with index, names and other columns as they were. After
    ``set_output(transform="pandas")`` or ``"polars"`` a list or an array comes out as a Series of
    that library, which a vectorizer takes as it takes a list. A missing text (None, NaN, NA) stays.

    A vectorizer takes no DataFrame: it would go through the names of the columns. Between the two
    goes a ``ColumnTransformer`` that picks the text.

    Examples
    --------
    >>> ArticleCleaner().fit_transform(["Too short to be judged."])
    array(['Too short to be judged.'], dtype=object)
    """

    def __init__(  # noqa: PLR0913 -- get_params and clone want each by its name
        self,
        *,
        text_column: str = "text",
        title_column: str | None = "title",
        encoder: str | None = None,
        threshold: float | None = None,
        keep: Sequence[str] = (),
        drop: Sequence[str] = (),
        only: Sequence[str] = (),
        exclude: Sequence[str] = (),
        model: str | Path | None = None,
    ) -> None:
        self.text_column = text_column
        self.title_column = title_column
        self.encoder = encoder
        self.threshold = threshold
        self.keep = keep
        self.drop = drop
        self.only = only
        self.exclude = exclude
        self.model = model

    def fit(self, X: Any, y: object = None) -> Self:  # noqa: ARG002 -- scikit-learn's
        """Check the parameters; there is nothing to learn.

        Raises
        ------
        OptionError
            If a parameter is out of its range or of a wrong type.
        ModelError
            If no detector has been fitted for the encoder, and no `model` is given.
        """
        self._options()
        return self

    def transform(self, X: Any) -> Any:
        """Return the clean texts, in the form they were given in.

        Parameters
        ----------
        X
            Texts: a sequence of shape (n,), a Series, or a DataFrame.

        Raises
        ------
        InputError
            If `X` is a single string, a mapping, a set, a table of another library, or has more
            dimensions, a column is missing, or a text is neither a string nor missing.
        """
        if hasattr(type(X), "columns"):
            return self._transform_frame(X)
        texts = _texts(X, place="X")
        cleaned = np.array(self._clean(texts, [None] * len(texts)), dtype=object)
        return _contained(cleaned, X, self._container())

    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose what a list or an array of texts comes out as.

        Parameters
        ----------
        transform
            ``default`` (an array), ``pandas`` or ``polars`` (a Series). None: no change.
        """
        if transform not in (None, "default", "pandas", "polars"):
            raise OptionError(
                f"transform is {transform!r}", next_step="use default, pandas or polars"
            )
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}
        return self

    def get_feature_names_out(self, input_features: Sequence[str] | None = None) -> Any:
        """Return the names of the columns that come out: those that go in.

        Parameters
        ----------
        input_features
            The names of the columns of a DataFrame; None: there is the text alone.
        """
        names = [self.text_column] if input_features is None else list(input_features)
        return np.array(names, dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.no_validation = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        return tags

    def _options(self) -> CleanerOptions:
        if self.text_column is None:
            raise OptionError("text_column is None", next_step="name the column of the text")
        names = CleanerOptions.__dataclass_fields__
        return CleanerOptions(**{name: getattr(self, name) for name in names})

    def _container(self) -> str:
        from sklearn import get_config

        config = getattr(self, "_sklearn_output_config", {})
        return str(config.get("transform", get_config()["transform_output"]))

    def _clean(self, texts: Sequence[str | None], titles: Sequence[str | None]) -> list[str | None]:
        results = clean_texts(self._options().cleaner(), texts, titles)
        return [None if result is None else result.text for result in results]

    def _transform_frame(self, frame: Any) -> Any:
        self._options()  # a column without a name is refused before it is looked for
        _check_frame(frame)
        names = list(frame.columns)
        with_titles = has_titles(self.title_column, names)
        check_column(self.text_column, names)
        if with_titles:
            check_column(self.title_column, names)
        column = frame[self.text_column]
        texts = _texts(column, place=f"column {self.text_column!r}")
        titles: Sequence[str | None] = [None] * len(texts)
        if with_titles:
            place = f"column {self.title_column!r}"
            titles = _texts(frame[self.title_column], place=place)
        cleaned = _contained(np.array(self._clean(texts, titles), dtype=object), column, "default")
        if hasattr(frame, "with_columns"):  # polars
            return frame.with_columns(cleaned)
        frame = frame.copy(deep=False)
        frame[self.text_column] = cleaned
        return frame


class TopicOutlierDetector(OutlierMixin, BaseEstimator):  # type: ignore[misc]
    """Finds the fragments of a document that do not share its topic, on vectors of one's own.

    The two-covariance model (`cleaner.topic.TopicModel`) in the form of scikit-learn's outlier
    detectors. A group is a document, its samples are the vectors of its fragments: how vectors
    differ within a document and between documents is learned by `fit` from many groups; a sample is
    then scored against the other samples of its own group, so that the outliers of a document do
    not depend on other documents.

    Parameters
    ----------
    n_components
        How many axes to keep: those along which groups differ most. At most the number of features.
    contamination
        Share of outliers among the samples of `fit`, above 0 and at most 0.5, which sets the
        threshold. ``auto``: the threshold is a log-likelihood ratio of 0, at which a sample is as
        likely under its document's topic as under any.

    Attributes
    ----------
    topic_model_ : cleaner.topic.TopicModel
        The learned model.
    offset_ : float
        The ratio below which a sample is an outlier.
    n_features_in_ : int
        Length of a vector.

    Notes
    -----
    `groups` is a parameter of the methods, as in scikit-learn's splitters: shape (n_samples,), any
    labels. Without it all samples are one group, that is one document. A model fitted on one group
    has not seen how groups differ; it takes them to differ as much as samples within a group do.

    Examples
    --------
    >>> import numpy as np
    >>> random = np.random.default_rng(0)
    >>> documents = np.repeat(np.arange(50), 8)
    >>> topics = random.normal(scale=3.0, size=(50, 16))
    >>> vectors = topics[documents] + random.normal(size=(400, 16))
    >>> detector = TopicOutlierDetector().fit(vectors, groups=documents)
    >>> document = vectors[:8].copy()
    >>> document[3] = vectors[-1]  # from another document
    >>> detector.predict(document)
    array([ 1,  1,  1, -1,  1,  1,  1,  1])
    """

    def __init__(self, *, n_components: int = 64, contamination: float | str = "auto") -> None:
        self.n_components = n_components
        self.contamination = contamination

    def fit(self, X: Any, y: object = None, groups: Any = None) -> Self:  # noqa: ARG002 -- scikit-learn's
        """Learn how vectors differ within and between documents.

        Parameters
        ----------
        X
            Shape (n_samples, n_features).
        y
            Passed over; there for scikit-learn's sake.
        groups
            Shape (n_samples,): the document of each sample. None: all are of one document.

        Raises
        ------
        OptionError
            If a parameter is out of its range.
        InputError
            If the labels in `groups` are of different kinds, None among them.
        ValueError
            If the samples of no group differ.
        """
        self._check_parameters()
        X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        articles = _numbers(groups, X)
        _check_spread(X, articles)
        model = TopicModel.fit(X, articles, axes=self.n_components)
        if not articles.any():
            model = replace(model, between=np.ones_like(model.between))
        self.topic_model_ = model
        self.offset_ = 0.0
        if self.contamination != "auto":
            share = 100.0 * float(self.contamination)
            self.offset_ = float(np.percentile(self._ratios(X, articles), share))
        return self

    def score_samples(self, X: Any, groups: Any = None) -> Floats:
        """Log-likelihood ratio of each sample, shape (n_samples,); higher: closer to the topic.

        Parameters
        ----------
        X
            Shape (n_samples, n_features).
        groups
            Shape (n_samples,), as in `fit`; the labels need not be those of `fit`. A sample that is
            alone in its group has a ratio of 0: there is no topic to hold it against.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        return self._ratios(X, _numbers(groups, X))

    def decision_function(self, X: Any, groups: Any = None) -> Floats:
        """`score_samples` less the threshold, shape (n_samples,); below 0: an outlier."""
        return self.score_samples(X, groups) - self.offset_

    def predict(self, X: Any, groups: Any = None) -> npt.NDArray[np.int64]:
        """Return -1 for an outlier, 1 for a sample that fits its document, shape (n_samples,)."""
        return np.where(self.decision_function(X, groups) < 0.0, -1, 1)

    def fit_predict(
        self,
        X: Any,
        y: object = None,
        groups: Any = None,
    ) -> npt.NDArray[np.int64]:
        """`fit`, then `predict` of the same samples and groups."""
        return self.fit(X, y, groups).predict(X, groups)

    def _check_parameters(self) -> None:
        if not is_count(self.n_components):
            raise OptionError(f"n_components is {self.n_components!r}", next_step="use 1 or more")
        share = self.contamination
        if share != "auto" and not (is_number(share) and 0.0 < float(share) <= _MOST_OUTLIERS):
            raise OptionError(
                f"contamination is {share!r}", next_step="use auto, or a share up to 0.5"
            )

    def _ratios(self, X: Any, articles: npt.NDArray[np.int64]) -> Floats:
        points = self.topic_model_.project(X)
        ratios = np.zeros(len(points))
        for rows in _rows_of_each(articles):
            ratios[rows], _, _ = self.topic_model_.ratios(points[rows], np.ones(len(rows)))
        return ratios


def _numbers(groups: Any, X: Any) -> npt.NDArray[np.int64]:
    """The number of each sample's group, from 0."""
    if groups is None:
        return np.zeros(len(X), dtype=np.int64)
    labels = check_array(groups, ensure_2d=False, dtype=None, input_name="groups")
    check_consistent_length(X, labels)
    try:
        numbers = np.unique(labels, return_inverse=True)[1]
    except TypeError as error:  # None beside strings, for one
        raise InputError(
            f"groups holds labels that cannot be put in order ({error})",
            next_step="give strings or numbers, one for each sample",
        ) from error
    return cast("npt.NDArray[np.int64]", numbers.reshape(-1).astype(np.int64))


def _rows_of_each(articles: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    order = np.argsort(articles, kind="stable")
    ends = np.cumsum(np.bincount(articles))[:-1]
    yield from np.split(order, ends)


def _check_spread(X: Any, articles: npt.NDArray[np.int64]) -> None:
    """Refuse samples from which nothing can be learned about how those of a document differ."""
    if not any(np.ptp(X[rows], axis=0).any() for rows in _rows_of_each(articles)):
        raise ValueError(
            "the samples of no group differ from each other; give groups, the document of each"
            " sample, and two samples or more of some document"
        )


def _check_frame(frame: Any) -> None:
    """Refuse a table that is no DataFrame in memory: of Arrow or Spark, or a lazy one of polars."""
    polars = hasattr(frame, "with_columns") and not hasattr(frame, "collect")
    if not (polars or hasattr(frame, "iloc")):
        raise InputError(
            f"X is of type {type(frame).__name__}, not a DataFrame of pandas or polars",
            next_step="make it one: collect() of a lazy frame, to_pandas() of Arrow's tables",
        )


def _texts(X: Any, *, place: str) -> list[str | None]:
    # The order of a set is arbitrary: nobody could tell which text became which.
    if isinstance(X, str | bytes | Mapping | set | frozenset) or not isinstance(X, Iterable):
        raise InputError(
            f"{place} is of type {type(X).__name__}, not a sequence of texts",
            next_step="give a list, an array or a Series of strings, or a DataFrame",
        )
    if getattr(X, "ndim", 1) != 1:
        raise InputError(
            f"{place} has {X.ndim} dimensions",  # type: ignore[attr-defined]
            next_step="give texts in one dimension, or a DataFrame with a column of them",
        )
    return [string_or_none(value, place=f"{place}, row {row}") for row, value in enumerate(X)]


def _contained(cleaned: Any, given: Any, container: str) -> Any:
    """`cleaned` as a Series where it was given as one, or where one is asked for."""
    if hasattr(given, "to_numpy") and hasattr(given, "index"):  # pandas; its Index has no index
        # What is missing stays what it was: None, NaN and NA are not the same to pandas.
        pairs = zip(cleaned, given, strict=True)
        values = [old if new is None else new for new, old in pairs]
        # A categorical's own categories do not hold the clean texts.
        dtype = "category" if str(given.dtype) == "category" else given.dtype
        return type(given)(values, index=given.index, name=given.name, dtype=dtype)
    if hasattr(given, "to_physical"):  # polars
        import polars as pl

        dtype = pl.String if given.dtype == pl.Enum else given.dtype  # nor do those of an Enum
        return type(given)(given.name, cleaned, dtype=dtype)
    if container == "pandas":
        import pandas as pd

        return pd.Series(cleaned, name="text", dtype=object)
    if container == "polars":
        import polars as pl

        return pl.Series("text", cleaned, dtype=pl.String)
    return cleaned
