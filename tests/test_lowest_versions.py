"""The lowest versions that the gate tests are those of pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / ".ci" / "lowest_versions.py"

tomllib = pytest.importorskip("tomllib", reason="the gate's script needs Python 3.11 or later")


def lowest_versions(script: Path, *extras: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, script, *extras], capture_output=True, text=True, check=False
    )


def test_every_dependency_but_torch_is_tested_at_its_lower_bound() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    expected = set()
    for requirement in map(Requirement, listed):
        (bound,) = requirement.specifier
        assert bound.operator == ">="
        expected.add(f"{requirement.name}=={bound.version}")
    printed = lowest_versions(SCRIPT, "test").stdout.split()
    assert len(printed) == len(set(printed))
    assert set(printed) < expected
    assert [bound.partition("==")[0] for bound in expected - set(printed)] == ["torch"]


@pytest.mark.parametrize("entry", ["numpy", "numpy<3", "numpy>=1.26,<3", "numpy==2.0"])
def test_a_dependency_without_one_lower_bound_is_refused(tmp_path: Path, entry: str) -> None:
    (tmp_path / ".ci").mkdir()
    script = tmp_path / ".ci" / SCRIPT.name
    script.write_bytes(SCRIPT.read_bytes())
    project = f'[project]\ndependencies = ["{entry}"]\n[project.optional-dependencies]\n'
    (tmp_path / "pyproject.toml").write_text(project)
    refused = lowest_versions(script)
    assert refused.returncode == 1
    assert f"must give each dependency one lower bound: {[entry]}" in refused.stderr.replace(
        '"', "'"
    )
