"""Prints the lowest version of every dependency that pyproject.toml allows, one constraint a line.

The bounds of pyproject.toml are the only place where they stand. Torch is left out: which of its
versions can be had depends on the machine.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import tomllib

PYPROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
BOUND = re.compile(r"(?P<name>[\w.-]+)(?:\[[\w,-]+\])?>=(?P<version>[\w.]+)")


def constraints(extras: list[str]) -> list[str]:
    """``name==version`` for each dependency of the package and of the extras."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    listed = [*project["dependencies"], *(entry for extra in extras for entry in optional[extra])]
    found = [BOUND.fullmatch(entry) for entry in listed]
    without = [entry for entry, bound in zip(listed, found, strict=True) if bound is None]
    if without:
        raise SystemExit(f"pyproject.toml must give each dependency one lower bound: {without}")
    bounds = [(bound["name"], bound["version"]) for bound in found if bound is not None]
    return [f"{name}=={version}" for name, version in bounds if name != "torch"]


if __name__ == "__main__":
    print("\n".join(constraints(sys.argv[1:])))
