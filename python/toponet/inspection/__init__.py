"""A data set before training: what is in it, what is wrong with it, which connectivity fits."""

from toponet.inspection.config import InspectConfig
from toponet.inspection.run import run_inspection
from toponet.inspection.survey import Survey
from toponet.topology.cleaning import clean_mask, find_tiny

__all__ = ["InspectConfig", "Survey", "clean_mask", "find_tiny", "run_inspection"]
