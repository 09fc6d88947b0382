"""LangChain: a document transformer."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Unpack

import cleaner
from cleaner.adapters.options import CleanerKeywords, CleanerOptions, missing_host
from cleaner.adapters.texts import explanation, listed, title_in

try:
    from langchain_core.documents import BaseDocumentTransformer, Document
except ImportError as error:
    raise missing_host(__name__, extra="langchain", cause=error) from error

if TYPE_CHECKING:
    from cleaner.results import CleanResult


class ArticleCleaner(BaseDocumentTransformer):  # type: ignore[misc]
    """Cleans the ``page_content`` of documents; goes before a text splitter.

    Parameters
    ----------
    title_key
        Where the title stands in a document's metadata; passed over where it is no string. None:
        nowhere.
    explain
        Whether to put ``removed``, ``judged`` and ``why`` into the metadata, in the place of what
        is there under these names.
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
    >>> documents = [Document("Too short to be judged.", metadata={"source": "a.html"})]
    >>> ArticleCleaner().transform_documents(documents)
    [Document(metadata={'source': 'a.html'}, page_content='Too short to be judged.')]
    """

    def __init__(
        self,
        *,
        title_key: str | None = "title",
        explain: bool = False,
        **options: Unpack[CleanerKeywords],
    ) -> None:
        self.title_key = title_key
        self.explain = explain
        self.options = CleanerOptions.of(**options)

    def transform_documents(
        self,
        documents: Iterable[Document],
        **kwargs: Any,  # noqa: ARG002 -- of the interface
    ) -> list[Document]:
        """Return new documents in the same order, with id and metadata as they were.

        Raises
        ------
        InputError
            If something is no document.
        """
        given = listed(documents, Document, "langchain_core.documents.Document")
        articles = (
            cleaner.Document(document.page_content, title_in(document.metadata, self.title_key))
            for document in given
        )
        results = self.options.cleaner().clean_many(articles)
        return [
            self._cleaned(document, result) for document, result in zip(given, results, strict=True)
        ]

    def _cleaned(self, document: Document, result: CleanResult) -> Document:
        added = explanation(result) if self.explain else {}
        metadata = {**deepcopy(document.metadata), **added}
        return document.model_copy(update={"page_content": result.text, "metadata": metadata})
