"""Which language a text is in."""

import pytest

from cleaner import language
from cleaner.errors import ModelError
from cleaner.language import language_of

ENGLISH = "The council voted on Monday to rebuild the old harbour bridge. Work begins in March."
GERMAN = "Der Stadtrat hat am Montag beschlossen, die alte Hafenbrücke wieder aufzubauen."

RUSSIAN = "Городской совет решил в понедельник восстановить старый мост."
CHINESE = "这个城市的议会在星期一投票决定重建旧港口的大桥，工程将从三月开始，预计需要两年时间。"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (ENGLISH, "en"),
        (GERMAN, "de"),
        ("Le conseil a décidé lundi de reconstruire le vieux pont du port.", "fr"),
        (RUSSIAN, "ru"),
        (CHINESE, "zh"),
        ("", None),
        (" \n\t", None),
        ("12345 ... 67 !!! \U0001f600", None),
        ("\udcff\ud800", None),
    ],
)
def test_language(text, code):
    assert language_of(text) == code


@pytest.mark.parametrize("end", ["\n", "\r\n", "\u2028", "\x00", " \udcff "])
def test_odd_characters_do_not_matter(end):
    assert language_of(ENGLISH.replace(" ", end)) == "en"


def test_the_middle_of_a_long_text_counts():
    assert language_of(ENGLISH * 5 + GERMAN * 80 + ENGLISH * 5) == "de"


def test_a_missing_model_is_told_in_one_line(monkeypatch):
    monkeypatch.setattr(language.importlib.util, "find_spec", lambda _: None)
    language._model.cache_clear()
    with pytest.raises(ModelError, match="language model is missing; install it anew") as caught:
        language_of(ENGLISH)
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    language._model.cache_clear()
    assert language_of(ENGLISH) == "en"


@pytest.mark.parametrize("text", [ENGLISH * 3, ENGLISH.upper() * 3])
def test_plain_english_needs_no_model(text, monkeypatch):
    monkeypatch.setattr(language, "_model", None)
    assert language_of(text) == "en"


@pytest.mark.parametrize("text", [GERMAN * 5, RUSSIAN * 5, CHINESE * 5, "bridge harbour " * 40])
def test_what_is_not_plain_english_is_left_to_the_model(text):
    assert not language._is_plainly_english(text.lower().split())
