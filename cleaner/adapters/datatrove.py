"""datatrove: a pipeline step between a reader and a writer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import cleaner
from cleaner.adapters.options import CleanerKeywords, CleanerOptions, missing_host
from cleaner.adapters.texts import explanation, title_in
from cleaner.errors import OptionError

try:
    from datatrove.pipeline.filters.base_filter import BaseFilter
except ImportError as error:
    raise missing_host(__name__, extra="datatrove", cause=error) from error

if TYPE_CHECKING:
    from datatrove.data import Document
    from datatrove.pipeline.writers.disk_base import DiskWriter

TOO_MUCH_REMOVED = "too_much_removed"


class ArticleCleaner(BaseFilter):  # type: ignore[misc]
    """Cleans the text of documents, and drops those of which too much would go.

    Parameters
    ----------
    title_key
        Where the title stands in a document's metadata; passed over where it is no string. None:
        nowhere.
    explain
        Whether to put ``removed``, ``judged`` and ``why`` into the metadata.
    max_removed
        Share of a text's characters, 0 to 1, above which the document is dropped, for the reason
        ``too_much_removed``. At 1 none is.
    exclusion_writer
        Takes the documents that are dropped, with their text as it came.
    batch_size
        How many documents are cleaned at a time.
    **options
        The parameters of `cleaner.Cleaner`, the encoder by its name or folder.

    Raises
    ------
    OptionError
        If an option is out of its range.

    Notes
    -----
    Statistics, beside those of every filter: documents ``changed``, ``unchanged`` and
    ``not_judged``; fragments removed, in all (``removed``) and by reason (``removed_advert``); and
    ``removed_characters``.
    """

    name = "🧹 Article cleaner"
    _requires_dependencies = ("onnxruntime", "tokenizers")

    def __init__(
        self,
        *,
        title_key: str | None = "title",
        explain: bool = False,
        max_removed: float = 1.0,
        exclusion_writer: DiskWriter | None = None,
        batch_size: int = 100,
        **options: Unpack[CleanerKeywords],
    ) -> None:
        super().__init__(exclusion_writer, batch_size)
        if not 0.0 <= max_removed <= 1.0:
            raise OptionError(f"max_removed is {max_removed}", next_step="use a share from 0 to 1")
        self.title_key = title_key
        self.explain = explain
        self.max_removed = max_removed
        self.options = CleanerOptions(**options)

    def filter(self, doc: Document) -> bool | tuple[bool, str]:
        """Clean one document in place; False, and the reason, where too much would go."""
        return self.filter_batch([doc])[0]

    def filter_batch(self, batch: list[Document]) -> list[bool | tuple[bool, str]]:
        """Clean documents in place, as `filter` does it."""
        articles = (cleaner.Document(d.text, title_in(d.metadata, self.title_key)) for d in batch)
        results = self.options.cleaner().clean_many(articles)
        return [self._finish(doc, result) for doc, result in zip(batch, results, strict=True)]

    def _finish(self, doc: Document, result: cleaner.CleanResult) -> bool | tuple[bool, str]:
        removed = sum(len(finding.text) for finding in result.findings)
        if removed > self.max_removed * len(result.source):
            return False, TOO_MUCH_REMOVED
        self._count(result, removed)
        doc.text = result.text
        if self.explain:
            doc.metadata |= explanation(result)
        return True

    def _count(self, result: cleaner.CleanResult, removed: int) -> None:
        """Put what was done into the statistics."""
        self.stat_update("changed" if result.changed else "unchanged")
        if not result.judged:
            self.stat_update("not_judged")
        for finding in result.findings:
            self.stat_update("removed", f"removed_{finding.reason}")
        self.stat_update("removed_characters", value=removed)
