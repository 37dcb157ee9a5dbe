"""What a release is made of: versions, wheels, and the tools that contributors call."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

tomllib = pytest.importorskip("tomllib", reason="reads pyproject.toml by Python 3.11 or later")

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT, WHEELS = PYPROJECT["project"], PYPROJECT["tool"]["cibuildwheel"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
WHEELS_WORKFLOW = ROOT / ".github" / "workflows" / "wheels.yml"
CITATION = ROOT / "CITATION.cff"
HOOKS = ROOT / ".pre-commit-config.yaml"


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps() -> list[dict[str, Any]]:
    jobs = [job for path in WORKFLOWS for job in read_yaml(path)["jobs"].values()]
    return [step for job in jobs for step in job["steps"]]


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        *((path, "vendor.github-workflows") for path in WORKFLOWS),
        (CITATION, "vendor.citation-file-format"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_what_others_read_has_the_form_that_they_expect(
    path: Path, schema: str, tmp_path: Path
) -> None:
    broken = tmp_path / path.name
    broken.write_text(path.read_text(encoding="utf-8") + "\nunheard-of: 1\n", encoding="utf-8")
    for file, status in ((path, 0), (broken, 1)):
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == status, done.stdout


def test_the_version_is_the_same_everywhere() -> None:
    """The changes of a version under work stand under "Unreleased", above the last release."""
    version = PROJECT["version"]
    assert read_yaml(CITATION)["version"] == version
    assert read_yaml(CITATION)["license"] == PROJECT["license"]
    headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    releases = [heading for heading in headings if heading != "Unreleased"]
    assert re.fullmatch(re.escape(version) + r" - \d{4}-\d\d-\d\d", releases[0])


def test_there_are_wheels_for_every_python_from_the_lowest_on() -> None:
    minors = [int(re.fullmatch(r"cp3(\d+)-\*", name)[1]) for name in WHEELS["build"]]  # type: ignore[index]
    assert minors == list(range(minors[0], minors[-1] + 1))
    allowed = SpecifierSet(PROJECT["requires-python"])
    assert f"3.{minors[0]}" in allowed
    assert f"3.{minors[0] - 1}" not in allowed
    assert sys.version_info[1] in minors


def test_the_first_and_the_last_wheel_of_a_machine_are_tried() -> None:
    assert WHEELS["test-skip"] == WHEELS["build"][1:-1]
    (script,) = re.findall(r"\{project\}/(\S+)", WHEELS["test-command"])
    assert (ROOT / script).is_file()


def test_the_first_loss_is_what_follows_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    script = (ROOT / ".ci" / "first_loss.py").read_text(encoding="utf-8")
    exec(script.replace('"__main__"', "__name__"), {"__name__": "__main__"})
    assert capsys.readouterr().out.endswith(": a loss of 0.65\n")
    with pytest.raises(AssertionError):
        exec(script.replace("2 * (WALL - 1)", "WALL"), {"__name__": "__main__"})


def test_wheels_are_made_for_all_kinds_of_machines() -> None:
    machines = read_yaml(WHEELS_WORKFLOW)["jobs"]["wheels"]["strategy"]["matrix"]["machine"]
    kinds = {re.sub(r"-\d[\d.]*", "", machine) for machine in machines}
    assert kinds == {"ubuntu", "ubuntu-arm", "windows", "macos"}


def test_workflows_have_no_secrets_publish_nothing_and_name_the_versions_that_they_use() -> None:
    for path in WORKFLOWS:
        assert "secrets" not in path.read_text(encoding="utf-8")
        assert read_yaml(path)["permissions"] == {"contents": "read"}
    for step in steps():
        assert re.search(r"@v\d+$", step.get("uses", "a@v1"))
        if "pip install" in step.get("run", ""):
            assert re.search(r"==[\d.]+$", step["run"])


def test_the_scripts_that_workflows_run_are_there() -> None:
    texts = [path.read_text(encoding="utf-8") for path in WORKFLOWS]
    scripts = {script for text in texts for script in re.findall(r"\.ci/\w+", text)}
    assert scripts >= {".ci/package", ".ci/run", ".ci/nnunet"}
    for script in scripts:
        assert (ROOT / script).stat().st_mode & 0o100


def test_hooks_call_the_tools_of_the_gate_in_the_versions_of_the_test_extra() -> None:
    (repository,) = read_yaml(HOOKS)["repos"]
    assert repository["repo"] == "local"
    extra = {Requirement(entry).name for entry in PROJECT["optional-dependencies"]["test"]}
    gate = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        tool, *arguments = hook["entry"].split()
        assert tool in extra
        words = [tool, *(word for word in arguments if not word.startswith("-"))]
        assert re.search(rf"(?:^|\s){' '.join(words)}\b", gate, re.M), hook["entry"]


def test_hooks_leave_no_source_out() -> None:
    pattern = next(
        hook["files"] for hook in read_yaml(HOOKS)["repos"][0]["hooks"] if "files" in hook
    )
    sources = [path.relative_to(ROOT).as_posix() for path in ROOT.glob("cpp/**/*.[ch]pp")]
    assert len(sources) > 50
    for source in sources:
        assert re.search(pattern, source)
