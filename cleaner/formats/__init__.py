"""Formats: documents out of text, JSONL and Parquet, and what is left of them back again.

Bytes that are no UTF-8 are carried as lone surrogates (``surrogateescape``), so that what is kept
goes out as it came in. Line endings are never translated.
"""

from __future__ import annotations

from cleaner.formats.encoding import STDIN, decode, dump_json, encode, shown
from cleaner.formats.guards import check_in_place, check_standard_output, check_target
from cleaner.formats.kinds import KINDS, Kind, kind_of
from cleaner.formats.sinks import AtomicFile, PackedSink, Sink, StandardOutput, standard_text
from cleaner.formats.sources import Inputs, Source, check_sources, source

__all__ = [
    "KINDS",
    "STDIN",
    "AtomicFile",
    "Inputs",
    "Kind",
    "PackedSink",
    "Sink",
    "Source",
    "StandardOutput",
    "check_in_place",
    "check_sources",
    "check_standard_output",
    "check_target",
    "decode",
    "dump_json",
    "encode",
    "kind_of",
    "shown",
    "source",
    "standard_text",
]
