"""A data set before training: what is in it, what is wrong with it, which connectivity fits."""

from typing import TYPE_CHECKING

from toponet._ground.on_demand import on_demand

if TYPE_CHECKING:
    from toponet.inspection.config import InspectConfig
    from toponet.inspection.run import run_inspection
    from toponet.inspection.survey import Survey
    from toponet.topology.cleaning import clean_mask, find_tiny

__getattr__ = on_demand(
    __name__,
    {
        "InspectConfig": "toponet.inspection.config",
        "Survey": "toponet.inspection.survey",
        "clean_mask": "toponet.topology.cleaning",
        "find_tiny": "toponet.topology.cleaning",
        "run_inspection": "toponet.inspection.run",
    },
)

__all__ = [
    "InspectConfig",
    "Survey",
    "clean_mask",
    "find_tiny",
    "run_inspection",
]
