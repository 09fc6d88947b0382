"""Inputs the contract names. Bytes, as they would come from a file."""

from __future__ import annotations

_TOPIC = (
    b"The council voted on Monday to rebuild the old harbour bridge.",
    b"Work on the bridge will begin in March, the council said.",
    b"Engineers found cracks in two of the bridge's pillars last year.",
    b"The harbour bridge was built in 1931 and carries 40,000 cars a day.",
    b"Traffic will be led over the northern bridge while work goes on.",
    b"The council expects the bridge to be open again in two years.",
    b"JUNK Sign up for our newsletter and never miss a recipe.",
    b"Shop owners at the harbour fear for their trade while the bridge is closed.",
)
_ARTICLE = b"\n".join(_TOPIC) + b"\n"

NAMED = {
    "empty": b"",
    "one line": b"One line.\n",
    "one line, no end": b"One line",
    "only blanks": b"   \n\t\n \n",
    "only newlines": b"\n" * 50,
    "plain": _ARTICLE,
    "no final newline": _ARTICLE.rstrip(b"\n"),
    "CRLF": _ARTICLE.replace(b"\n", b"\r\n"),
    "CR": _ARTICLE.replace(b"\n", b"\r"),
    "mixed line endings": _ARTICLE.replace(b"\n", b"\r\n", 3).replace(b"\n", b"\n\r", 5),
    "blank lines": _ARTICLE.replace(b"\n", b"\n\n"),
    "many blank lines": b"\n\n\n" + _ARTICLE.replace(b"\n", b"\n \n\t\n") + b"\n\n",
    "form feed": _ARTICLE.replace(b"\n", b"\x0c"),
    "vertical tab": _ARTICLE.replace(b"\n", b"\x0b\n"),
    "NEL": _ARTICLE.replace(b"\n", "\x85".encode()),
    "U+2028": _ARTICLE.replace(b"\n", "\u2028".encode()),
    "U+2029": _ARTICLE.replace(b"\n", "\u2029".encode()),
    "byte order mark": b"\xef\xbb\xbf" + _ARTICLE,
    "byte order mark within": _ARTICLE.replace(b"\n", b"\n\xef\xbb\xbf"),
    "NUL": _ARTICLE.replace(b" ", b"\0 ", 20),
    "all NUL": b"\0" * 200,
    "invalid UTF-8": _ARTICLE.replace(b" ", b" \xff\xfe\x80", 20),
    "cut UTF-8": _ARTICLE.replace(b"e", b"\xf0\x9f\x98", 20),
    "Latin-1": "Le pont a été fermé.\n".encode("latin-1") * 12,
    "UTF-16": _ARTICLE.decode().encode("utf-16"),
    "encoded surrogate": _ARTICLE.replace(b".", b"\xed\xa0\xbd\xed\xb8\x80.", 4),
    "one paragraph": _ARTICLE.replace(b"\n", b" "),
    "paragraph, two blanks": _ARTICLE.replace(b"\n", b"  "),
    "emoji": _ARTICLE.replace(b".", " \U0001f468\u200d\U0001f469\u200d\U0001f467.".encode()),
    "only emoji": ("\U0001f600 \U0001f44d\U0001f3fd\n" * 20).encode(),
    "combining": ("e\u0301a\u0308\u0323 o\u0302.\n" * 20).encode(),
    "Arabic": ("أعلن المجلس عن إعادة بناء الجسر. سيبدأ العمل في مارس؟\n" * 10).encode(),
    "Hebrew, marked": ("\u202bהמועצה הצביעה ביום שני\u202c \u200f.\n" * 10).encode(),
    "Chinese": ("市议会周一投票决定重建旧港大桥。工程将于三月开始。\n" * 10).encode(),
    "Thai": ("สภาลงมติเมื่อวันจันทร์ให้สร้างสะพานใหม่\n" * 10).encode(),
    "one line a thousand times": b"The same line again.\n" * 1000,
    "one word a line": b"word\n" * 300,
    "full stops": b". " * 3000,
    "no-break spaces": _ARTICLE.replace(b" ", "\u00a0".encode()),
    "long word": b"x" * 50_000 + b"\n" + _ARTICLE,
    "title, date, address": b"A bridge is built anew\n20220215\nhttps://example.org/a\n" + _ARTICLE,
    "only a header": b"A bridge is built anew\n2022-02-15\nhttps://example.org/a\n",
}


# Run in a process of its own, behind the command: its peak memory in KiB on standard error. What
# getrusage says would count the memory of the process that started it.
TELL_PEAK_MEMORY = """
import pathlib, re, sys
status = pathlib.Path("/proc/self/status").read_text()
sys.stderr.write(re.search(r"VmHWM:\\s+(\\d+)", status)[1])
"""
