"""Haystack: a component for an indexing pipeline."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Unpack

from cleaner.adapters.options import CleanerKeywords, CleanerOptions, missing_host
from cleaner.adapters.texts import clean_texts, explanation, listed, title_in

try:
    from haystack import Document, component, default_to_dict
except ImportError as error:
    raise missing_host(__name__, extra="haystack", cause=error) from error

if TYPE_CHECKING:
    from cleaner.results import CleanResult


@component
class ArticleCleaner:
    """Cleans the content of documents; goes before a splitter.

    Parameters
    ----------
    title_key
        Where the title stands in a document's meta; passed over where it is no string. None:
        nowhere.
    explain
        Whether to put ``removed``, ``judged`` and ``why`` into the meta, in the place of what is
        there under these names; None each where there is no content.
    keep_id
        Whether a document that changes keeps its id, as in Haystack's ``DocumentCleaner``. Without
        it, it gets a new one from what it now holds.
    **options
        The parameters of `cleaner.Cleaner`, the encoder by its name or folder.

    Raises
    ------
    OptionError
        If an option is out of its range.
    ModelError
        If no detector has been fitted for the encoder, and no `model` is given.

    Examples
    --------
    >>> documents = [Document(id="a", content="Too short to be judged.")]
    >>> ArticleCleaner().run(documents=documents)["documents"][0].content
    'Too short to be judged.'
    """

    def __init__(
        self,
        *,
        title_key: str | None = "title",
        explain: bool = False,
        keep_id: bool = False,
        **options: Unpack[CleanerKeywords],
    ) -> None:
        self.title_key = title_key
        self.explain = explain
        self.keep_id = keep_id
        self.options = CleanerOptions.of(**options)

    def warm_up(self) -> None:
        """Load the model, once in a process.

        Raises
        ------
        ModelError
            If the encoder or its detector cannot be had.
        """
        self.options.cleaner()

    def to_dict(self) -> dict[str, Any]:
        """Return what a pipeline is saved as."""
        options = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self.options).items()
        }
        saved: dict[str, Any] = default_to_dict(
            self,
            title_key=self.title_key,
            explain=self.explain,
            keep_id=self.keep_id,
            **options,
        )
        return saved

    @component.output_types(documents=list[Document])  # type: ignore[untyped-decorator]
    def run(self, documents: list[Document]) -> dict[str, list[Document]]:
        """Return new documents in the same order, under the name ``documents``.

        One with nothing to remove, or without content, keeps its content and its id.

        Raises
        ------
        InputError
            If something is no document.
        """
        given = listed(documents, Document, "haystack.Document")
        texts = (document.content for document in given)
        titles = (title_in(document.meta, self.title_key) for document in given)
        results = clean_texts(self.options.cleaner(), texts, titles)
        pairs = zip(given, results, strict=True)
        return {"documents": [self._cleaned(document, result) for document, result in pairs]}

    def _cleaned(self, document: Document, result: CleanResult | None) -> Document:
        changed = result is not None and result.changed
        if not (changed or self.explain):
            return document
        return replace(
            document,
            id="" if changed and not self.keep_id else document.id,
            content=document.content if result is None else result.text,
            meta={**deepcopy(document.meta), **(explanation(result) if self.explain else {})},
        )
