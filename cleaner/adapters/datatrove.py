"""datatrove: a pipeline step between a reader and a writer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from cleaner.adapters.options import (
    CleanerKeywords,
    CleanerOptions,
    is_share,
    missing_host,
)
from cleaner.adapters.texts import clean_texts, explanation, title_in
from cleaner.errors import OptionError
from cleaner.options import is_count

try:
    from datatrove.pipeline.filters.base_filter import BaseFilter
except ImportError as error:
    raise missing_host(__name__, extra="datatrove", cause=error) from error

if TYPE_CHECKING:
    from datatrove.data import Document
    from datatrove.pipeline.writers.disk_base import DiskWriter

    from cleaner.results import CleanResult

TOO_MUCH_REMOVED = "too_much_removed"


class ArticleCleaner(BaseFilter):  # type: ignore[misc]
    """Cleans the text of documents, and drops those of which too much would go.

    Parameters
    ----------
    title_key
        Where the title stands in a document's metadata; passed over where it is no string. None:
        nowhere.
    explain
        Whether to put ``removed``, ``judged`` and ``why`` into the metadata, in the place of what
        is there under these names.
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
        If an option is out of its range or of a wrong type.
    ModelError
        If no detector has been fitted for the encoder, and no `model` is given.

    Notes
    -----
    Statistics, beside those of every filter: documents ``changed``, ``unchanged`` and
    ``not_judged``; fragments removed, in all (``removed``) and by reason (``removed_advert``); and
    ``removed_characters``. A document without a text passes, and counts in none of these.
    """

    name = "🧹 Article cleaner"

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
        if not is_share(max_removed):
            raise OptionError(
                f"max_removed is {max_removed!r}", next_step="use a share from 0 to 1"
            )
        if not is_count(batch_size):
            raise OptionError(f"batch_size is {batch_size!r}", next_step="use 1 or more")
        self.title_key = title_key
        self.explain = explain
        self.max_removed = max_removed
        self.options = CleanerOptions.of(**options)

    def filter(self, doc: Document) -> bool | tuple[bool, str]:
        """Clean one document in place; False, and the reason, where too much would go."""
        return self.filter_batch([doc])[0]

    def filter_batch(self, batch: list[Document]) -> list[bool | tuple[bool, str]]:
        """Clean documents in place, as `filter` does it."""
        texts = (document.text for document in batch)
        titles = (title_in(document.metadata, self.title_key) for document in batch)
        results = clean_texts(self.options.cleaner(), texts, titles)
        return [self._finish(doc, result) for doc, result in zip(batch, results, strict=True)]

    def update_doc_stats(self, document: Document) -> None:
        """Take the length of a text into the statistics, where there is a text."""
        if document.text is not None:
            super().update_doc_stats(document)

    def _finish(self, doc: Document, result: CleanResult | None) -> bool | tuple[bool, str]:
        if result is not None:
            removed = sum(len(finding.text) for finding in result.findings)
            if removed > self.max_removed * len(result.source):
                return False, TOO_MUCH_REMOVED
            self._count(result, removed)
            doc.text = result.text
        if self.explain:
            doc.metadata |= explanation(result)
        return True

    def _count(self, result: CleanResult, removed: int) -> None:
        """Put what was done into the statistics."""
        self.stat_update("changed" if result.changed else "unchanged")
        if not result.judged:
            self.stat_update("not_judged")
        for finding in result.findings:
            self.stat_update("removed", f"removed_{finding.reason}")
        self.stat_update("removed_characters", value=removed)
