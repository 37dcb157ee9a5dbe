"""The layers of docs/architecture.md: no import climbs, and importing toponet stays light."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import toponet

PACKAGE = Path(toponet.__file__).parent

# Each floor may import the floors named before it, and itself.
FLOORS = [
    {"_core", "_ground"},
    {"topology"},
    {"losses"},
    {"metrics", "models", "data", "plots"},
    {"segmentation", "pages"},
    {"prediction", "evaluation", "inspection"},
    {"training"},
    {"integrations"},
    {"cli"},
]
# Packages of one floor that don't know each other.
INDEPENDENT = {"metrics", "models", "data", "plots"}
WITHOUT_TORCH = {"_ground", "topology"}


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


def package_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0]


SOURCES = [p for p in sorted(PACKAGE.rglob("*.py")) if p != PACKAGE / "__init__.py"]
every_source = pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))


def test_the_root_holds_packages_only() -> None:
    expected = {"__init__.py", "_core.pyi", "py.typed", *set().union(*FLOORS) - {"_core"}}
    found = {path.name for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    # Where the package isn't installed for work on it, the extension lies beside its types.
    assert {
        name for name in found if not name.startswith("_core.") or name == "_core.pyi"
    } == expected


@every_source
def test_no_import_climbs(path: Path) -> None:
    package = package_of(path)
    level = next(k for k, floor in enumerate(FLOORS) if package in floor)
    allowed = set().union(*FLOORS[: level + 1])
    if package in INDEPENDENT:
        allowed -= INDEPENDENT - {package}
    for module in imported_modules(path):
        names = module.split(".")
        if names[0] == "toponet" and len(names) > 1:
            assert names[1] in allowed, f"{path} imports {module}"
        if package in WITHOUT_TORCH:
            assert names[0] != "torch", f"{path} imports torch"


@every_source
def test_private_modules_are_imported_in_their_own_package_only(path: Path) -> None:
    for module in imported_modules(path):
        names = module.split(".")
        if names[0] == "toponet" and len(names) > 2 and names[1] != package_of(path):
            private = [name for name in names[2:] if name.startswith("_")]
            assert not private, f"{path} imports {module}"


@pytest.mark.parametrize("name", ["", ".topology", ".losses", ".metrics", ".plots", ".data"])
def test_no_module_has_the_name_of_a_public_function_beside_it(name: str) -> None:
    """Else the attribute of the package would be one or the other, by the order of imports."""
    package = importlib.import_module(f"toponet{name}")
    folder = Path(str(package.__file__)).parent
    functions = [each for each in package.__all__ if each.islower()]
    assert not [each for each in functions if (folder / f"{each}.py").exists()]


def test_importing_toponet_stays_light() -> None:
    heavy = (
        "torch monai lightning lightning_fabric torchmetrics matplotlib h5py ot skimage tifffile "
        "PIL jsonargparse"
    )
    code = f"import sys, toponet; print([m for m in {heavy.split()} if m in sys.modules])"
    output = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert output.strip() == "[]"


@pytest.mark.parametrize("name", ["data", "functional", "losses", "metrics", "models", "plots"])
def test_subpackages_are_there_after_import_toponet_alone(name: str) -> None:
    code = f"import toponet; print(toponet.{name}.__name__)"
    output = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert output.strip().split(".")[0] == "toponet"
    assert output.strip().split(".")[-1] == name


def test_what_isnt_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'metric'"):
        _ = toponet.metric
