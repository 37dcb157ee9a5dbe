"""The pages of docs/: their code runs from top to bottom, links and pictures are there."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from packaging.version import Version

from nnunet_stand_in import StandIn

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
README = ROOT / "README.md"
BENCHMARKS = ROOT / "benchmarks" / "README.md"
EVERY_PAGE = [README, *PAGES, BENCHMARKS, ROOT / "CHANGELOG.md"]
every_page = pytest.mark.parametrize(
    "page", EVERY_PAGE, ids=lambda page: str(page.relative_to(ROOT))
)

# Of runs and benchmarks, not of docs/make_figures.py.
PICTURES_FROM_ELSEWHERE = {
    "losses.png",
    "methods.png",
    "patch_size.png",
    "segmentation.png",
    "tunnels.png",
}

# "py" on the pages: "python" blocks are also run by test_readme.py, each by itself.
BLOCK = re.compile(
    r"^(?:<!-- needs (?P<module>\w+)(?:, (?P<older>\w+ below [\d.]+))? -->\n+)?"
    r"```py(?:thon)?\n(?P<code>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """Python on a page.

    Attributes:
        page: Where it stands.
        line: Of its first line of code, from 1.
        code: What it says.
        module: The package beyond what importing toponet loads that it can't run without; None =
            none.
        older: A package and the version that it must be older than; None = none.
    """

    page: Path
    line: int
    code: str
    module: str | None
    older: str | None

    def __str__(self) -> str:
        """The name of its test."""
        return f"{self.module}-{self.page.stem}-{self.line}"

    def run(self, namespace: dict[str, Any]) -> None:
        """With the page's own line numbers in tracebacks."""
        source = "\n" * (self.line - 1) + self.code
        exec(compile(source, str(self.page), "exec"), namespace)


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            page,
            text.count("\n", 0, found.start("code")) + 1,
            found["code"],
            found["module"],
            found["older"],
        )
        for found in BLOCK.finditer(text)
    ]


def without_code(page: Path) -> str:
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def anchors(page: Path) -> set[str]:
    """As GitHub names headings."""
    headings = re.findall(r"^#+ (.*)$", without_code(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


# Lightning's, MONAI's and the peers' own, at import and in use.
FOREIGN_WARNINGS = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
WITH_CODE = [
    pytest.param(
        page,
        marks=[pytest.mark.slow, *FOREIGN_WARNINGS] if page.name == "integrations.md" else [],
        id=page.stem,
    )
    for page in PAGES
    if any(block.module is None for block in blocks(page))
]
NEEDY = [block for page in PAGES for block in blocks(page) if block.module is not None]


@pytest.mark.parametrize("page", WITH_CODE)
def test_the_code_of_a_page_runs_from_top_to_bottom(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    namespace: dict[str, Any] = {"__name__": page.stem}
    for block in blocks(page):
        if block.module is None:
            block.run(namespace)


# How to have the packages that a page can't run without.
INSTALL = {
    "cripser": "'.[bench]'",
    "gudhi": "'.[bench]'",
    "monai": "'.[test]'",
    "nnunetv2": "'.[nnunet]'",
    "segmentation_models_pytorch": "segmentation-models-pytorch",
    "topolosses": "'.[bench]'",
    "torch_topological": "torch-topological",
}


def skip_without_what_it_needs(block: Block) -> None:
    assert block.module is not None
    advice = f"to run this block of {block.page.name}: pip install {INSTALL[block.module]}"
    pytest.importorskip(block.module, reason=advice)
    if block.older is not None:
        package, version = block.older.split(" below ")
        if Version(metadata.version(package)) >= Version(version):
            pytest.skip(f"{advice} '{package}<{version}'")


@pytest.mark.parametrize("block", [pytest.param(b, marks=FOREIGN_WARNINGS) for b in NEEDY], ids=str)
def test_blocks_that_need_another_package_run_where_it_is(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_without_what_it_needs(block)
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    namespace: dict[str, Any] = {"__name__": block.page.stem}
    exec("import torch, toponet", namespace)
    block.run(namespace)


def test_every_peer_of_the_page_has_a_block_that_runs_against_it() -> None:
    page = DOCS / "from_peers.md"
    peers = {"topolosses", "torch_topological", "gudhi", "cripser", "monai"}
    assert {block.module for block in blocks(page)} - {None} == peers


def test_the_nnunet_trainer_of_the_page_trains_with_its_options(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On top of a stand-in: nnU-Net itself may not be here."""
    (block,) = (block for block in NEEDY if block.module == "nnunetv2")
    names = ["nnunetv2", "nnunetv2.training", "nnunetv2.training.nnUNetTrainer"]
    for name in [*names, "nnunetv2.training.nnUNetTrainer.nnUNetTrainer"]:
        module: Any = ModuleType(name)
        module.nnUNetTrainer = StandIn
        monkeypatch.setitem(sys.modules, name, module)
    namespace: dict[str, Any] = {"__name__": "trainer"}
    block.run(namespace)
    trainer = namespace["nnUNetTrainerHoles"]()
    for epoch, active in ((799, False), (800, True)):
        trainer.current_epoch = epoch
        trainer.on_train_epoch_start()
        assert trainer.loss.active == active
    assert trainer.loss.ratio == 30
    assert trainer.loss.topological.options.dims == (1,)
    assert trainer.loss.topological.class_weights == [1, 2]


@every_page
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for link in LINK.findall(without_code(page)):
        if "://" in link:
            continue
        file, _, heading = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        assert not heading or heading in anchors(target), link


def test_every_picture_is_used() -> None:
    used = {
        (page.parent / link).resolve()
        for page in EVERY_PAGE
        for link in LINK.findall(page.read_text(encoding="utf-8"))
        if link.endswith(".png")
    }
    assert set((DOCS / "images").iterdir()) <= used


@every_page
def test_the_rows_of_a_table_stand_below_its_head(page: Path) -> None:
    """Reason: rows that stand apart, or whose number of cells differs, are shown as text."""
    rows: list[str] = []
    for line in [*without_code(page).splitlines(), ""]:
        if line.lstrip().startswith("|"):
            rows.append(line.strip())
            continue
        if rows:
            assert len(rows) > 2, rows
            assert re.fullmatch(r"\|(-+\|)+", rows[1]), rows[0]
            for row in rows:
                cells = re.sub(r"`[^`]*`", "", row).replace("\\|", "").count("|")
                assert cells == rows[1].count("|"), row
        rows = []


# With a unit or sign, or with three decimals: what somebody measured. Not in code.
FIGURE = re.compile(
    r"[+\u2212-]\d+(?:\.\d+)? ?%|(?<![\w.])\d+(?:\.\d+)? (?:\u00b5s|ms|%)"
    r"|(?<![\w.])\d+\.\d{3,}(?![\w.])"
)
# Equal figures of different things.
COINCIDENCES = {
    "0.0039", "0.012", "0.028", "0.049", "0.434", "0.848", "0.872", "0.911", "0.953",
}  # fmt: skip


def test_a_measured_figure_stands_on_one_page_only() -> None:
    """Reason: of two copies, one isn't mended when the measurement is made again."""
    pages: dict[str, set[str]] = {}
    for page in EVERY_PAGE:
        for figure in FIGURE.findall(without_code(page)):
            pages.setdefault(figure, set()).add(str(page.relative_to(ROOT)))
    assert {figure for figure, found in pages.items() if len(found) > 1} == COINCIDENCES


def test_the_readme_can_be_read_in_one_go() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 175


def test_the_readme_lists_every_page() -> None:
    _, _, section = README.read_text(encoding="utf-8").partition("## Documentation\n")
    listed = re.findall(
        r"^- \[.*?\]\(docs/(\w+\.md)\)", section.partition("\n## ")[0], re.MULTILINE
    )
    assert sorted(listed) == [page.name for page in PAGES]


@pytest.mark.slow
def test_the_pictures_are_those_of_the_script(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, DOCS / "make_figures.py", "--out", tmp_path],
        check=True,
        capture_output=True,
    )
    here = {picture.name for picture in (DOCS / "images").iterdir()}
    assert {picture.name for picture in tmp_path.iterdir()} == here - PICTURES_FROM_ELSEWHERE
