"""The layers of docs/architecture.md: no import climbs, and importing toponet stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import toponet

PACKAGE = Path(toponet.__file__).parent

# Each layer may import the layers named before it, and itself.
LAYERS = [
    {"_core", "_validation", "_boxes", "_valid", "labelling", "cleaning", "reading"},
    {"archive", "diagram_checks", "interchange"},
    {"diagrams", "persistence", "matching", "explanation", "binary_loss", "diagram_loss"},
    {"losses", "functional"},
    {"metrics"},
    {"models"},
    {"data"},
    {"plots"},
    {"reporting", "writing"},
    {"evaluation", "inspection"},
    {"checkpoint"},
    {"prediction"},
    {"training"},
    {"cli"},
]
INDEPENDENT = {"metrics", "models", "data", "plots"}
WITHOUT_TORCH = set().union(*LAYERS[:3])


def imported_modules(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
            if node.module == "toponet":
                found |= {f"toponet.{alias.name}" for alias in node.names}
    return found


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


SOURCES = [p for p in sorted(PACKAGE.rglob("*.py")) if p != PACKAGE / "__init__.py"]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_import_climbs(path: Path) -> None:
    part = part_of(path)
    level = next(k for k, layer in enumerate(LAYERS) if part in layer)
    allowed = set().union(*LAYERS[: level + 1])
    if part in INDEPENDENT:
        allowed -= INDEPENDENT - {part}
    for module in imported_modules(path):
        names = module.split(".")
        if names[0] == "toponet" and len(names) > 1:
            assert names[1] in allowed, f"{path} imports {module}"
        if part in WITHOUT_TORCH:
            assert names[0] != "torch", f"{path} imports torch"


def test_importing_toponet_stays_light() -> None:
    heavy = (
        "monai lightning lightning_fabric torchmetrics matplotlib h5py ot skimage tifffile PIL "
        "jsonargparse"
    )
    code = f"import sys, toponet; print([m for m in {heavy.split()} if m in sys.modules])"
    output = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert output.strip() == "[]"


@pytest.mark.parametrize("name", ["data", "functional", "metrics", "models", "plots"])
def test_subpackages_are_there_after_import_toponet_alone(name: str) -> None:
    code = f"import toponet; print(toponet.{name}.__name__)"
    output = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert output.strip() == f"toponet.{name}"


def test_what_isnt_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'metric'"):
        _ = toponet.metric
