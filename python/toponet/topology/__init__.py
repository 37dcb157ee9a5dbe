"""The theory, on numpy arrays: diagrams, persistence, Betti numbers, matchings, cells."""

from toponet.topology.diagrams import PersistenceDiagrams
from toponet.topology.explanation import Explanation, explain_matching
from toponet.topology.features import Representative, representative
from toponet.topology.induced_matching import BettiMatching, betti_matching
from toponet.topology.labelling import label_cells
from toponet.topology.matching import Matching, match
from toponet.topology.superlevel import betti_numbers, persistence

__all__ = [
    "BettiMatching",
    "Explanation",
    "Matching",
    "PersistenceDiagrams",
    "Representative",
    "betti_matching",
    "betti_numbers",
    "explain_matching",
    "label_cells",
    "match",
    "persistence",
    "representative",
]
