"""Labelled documents, intruders made from clean articles, and the figures of a cleaning."""

from cleaner.evaluation.figures import Figures, figures, removed_share
from cleaner.evaluation.intruders import (
    PASSAGE,
    Host,
    box_records,
    compose,
    headline_records,
    intruder_records,
)
from cleaner.evaluation.labelled import Labelled

__all__ = [
    "PASSAGE",
    "Figures",
    "Host",
    "Labelled",
    "box_records",
    "compose",
    "figures",
    "headline_records",
    "intruder_records",
    "removed_share",
]
