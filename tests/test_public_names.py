"""The names of the package that README and documentation promise are there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

import toponet

ROOT = Path(__file__).resolve().parents[1]
# The architecture names what is inside; test_recipes.py follows it.
PAGES = [
    ROOT / "README.md",
    ROOT / "benchmarks" / "README.md",
    *(page for page in sorted((ROOT / "docs").glob("*.md")) if page.stem != "architecture"),
]

# A name that is missing here, or that no page has any more, fails a test.
PUBLIC = [
    "toponet.PersistenceDiagrams.concatenate",
    "toponet.PersistenceDiagrams.from_gudhi",
    "toponet.PersistenceDiagrams.load",
    "toponet.TopoNetLoss",
    "toponet.TopologicalLoss",
    "toponet.betti_matching",
    "toponet.betti_numbers",
    "toponet.choose_segmentation",
    "toponet.data",
    "toponet.data.synthetic_membranes",
    "toponet.integrations.lightning",
    "toponet.integrations.lightning.TopologyCallback",
    "toponet.integrations.monai",
    "toponet.integrations.monai.SegmentByPersistenced",
    "toponet.integrations.monai.TopologyMetric",
    "toponet.integrations.monai.labelled_dicts",
    "toponet.integrations.nnunet",
    "toponet.integrations.nnunet.WithTopology",
    "toponet.match",
    "toponet.metrics",
    "toponet.metrics.BettiError",
    "toponet.metrics.CldiceScore",
    "toponet.metrics.InstanceRandScore",
    "toponet.metrics.betti_error",
    "toponet.metrics.betti_matching_error",
    "toponet.metrics.betti_matching_score",
    "toponet.metrics.cldice_score",
    "toponet.metrics.euler_number_error",
    "toponet.metrics.instance_rand_score",
    "toponet.metrics.protocol_metrics",
    "toponet.metrics.scalar_metric",
    "toponet.persistence",
    "toponet.plots",
    "toponet.plots.plot_critical_pixels",
    "toponet.plots.plot_decision_diagram",
    "toponet.plots.plot_decisions",
    "toponet.plots.plot_diagram",
    "toponet.plots.plot_mistakes",
    "toponet.plots.plot_volume_feature",
    "toponet.prediction",
    "toponet.prediction.load_model",
    "toponet.representative",
    "toponet.segment",
    "toponet.segmentation",
    "toponet.segmentation.SegmentationOptions",
    "toponet.training",
    "toponet.training.TrainConfig",
    "toponet.training.Trainer",
]


def named_on(page: Path) -> set[str]:
    """Dotted names, and what is imported from the package or one of its modules."""
    text = page.read_text(encoding="utf-8")
    found = set(re.findall(r"\btoponet(?:\.\w+)+", text))
    for module, names in re.findall(r"from (toponet[\w.]*) import (\([^)]*\)|[^\n#]*)", text):
        found |= {f"{module}.{name}" for name in re.findall(r"\w+", names)}
    return found


def resolve(name: str) -> Any:
    """The object of a dotted name; its packages are imported where they aren't yet."""
    package, *rest = name.split(".")
    found = importlib.import_module(package)
    path = package
    for part in rest:
        path += f".{part}"
        if not hasattr(found, part):
            importlib.import_module(path)
        found = getattr(found, part)
    return found


def test_every_name_of_the_pages_is_in_this_list() -> None:
    assert set().union(*map(named_on, PAGES)) == set(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_can_be_imported(name: str) -> None:
    assert resolve(name) is not None


def test_what_the_package_exports_is_there() -> None:
    for name in toponet.__all__:
        assert getattr(toponet, name).__module__.startswith("toponet."), name
