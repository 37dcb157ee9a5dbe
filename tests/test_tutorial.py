"""The notebook of docs/ runs from top to bottom, is small, and shows one run without errors."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import matplotlib
import pytest

from short_runs import pixels_for_pictures

NOTEBOOK = Path(__file__).resolve().parents[1] / "docs" / "tutorial.ipynb"
CELLS: list[dict[str, Any]] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
CODE = [cell for cell in CELLS if cell["cell_type"] == "code"]
BUDGET = re.compile(r"^epochs, steps, side = \d+, \d+, \d+", re.MULTILINE)


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_notebook_runs_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a smaller budget, and without drawing the pictures to the end."""
    monkeypatch.chdir(tmp_path)
    backend = matplotlib.get_backend()
    matplotlib.use("agg")
    namespace: dict[str, Any] = {"__name__": "tutorial"}
    replaced = 0
    try:
        with pixels_for_pictures(), matplotlib.rc_context():
            for number, cell in enumerate(CODE):
                code, found = BUDGET.subn("epochs, steps, side = 2, 1, 96", source(cell))
                replaced += found
                exec(compile(code, f"tutorial.ipynb, code cell {number}", "exec"), namespace)
                namespace["plt"].close("all")
    finally:
        matplotlib.use(backend)
    assert replaced == 1
    printed = capsys.readouterr().out
    assert "with topology, by persistence" in printed
    assert len(list((tmp_path / "tutorial" / "masks").iterdir())) == 2


def test_every_cell_is_python_that_a_terminal_takes_too() -> None:
    """Reason: the test runs the cells without a notebook, where magics aren't known."""
    for cell in CODE:
        ast.parse(source(cell))


def test_the_notebook_is_small_and_has_about_fifteen_steps() -> None:
    assert NOTEBOOK.stat().st_size < 300_000
    assert 10 <= len(CODE) <= 15


def test_what_the_notebook_shows_is_of_one_run_without_errors() -> None:
    """Cells in order, no warnings, and no path of the machine that ran it."""
    shown = [cell for cell in CODE if cell["outputs"]]
    if shown:
        assert [cell["execution_count"] for cell in CODE] == list(range(1, len(CODE) + 1))
    for output in (output for cell in shown for output in cell["outputs"]):
        assert output["output_type"] != "error"
        assert output.get("name") != "stderr"
        assert "/home/" not in json.dumps(output)
        assert "/tmp/" not in json.dumps(output)


def test_links_of_the_notebook_lead_to_pages() -> None:
    for cell in CELLS:
        if cell["cell_type"] == "markdown":
            for link in re.findall(r"\]\((\w+\.md)\)", source(cell)):
                assert (NOTEBOOK.parent / link).exists(), link
