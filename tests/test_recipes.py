"""The recipes of docs/architecture.md: what they name is there, and their code does what they say.

A recipe's Python is run against the package itself, whose registries get the recipe's lines for the
time of a test. Its C++ is compiled beside the kernel's own.
"""

from __future__ import annotations

import importlib
import json
import re
import shutil
import subprocess
import sys
import textwrap
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.console import Console

import toponet
from toponet.cli import train
from toponet.data import catalogue, load_data
from toponet.losses.binary_loss import LossOptions, whole_images
from toponet.losses.diagram_loss import explain_patches, patch_diagrams
from toponet.models import NETWORKS
from toponet.prediction import load_model
from toponet.topology import matching
from toponet.training import TrainConfig, Trainer, topology_terms

pytestmark = pytest.mark.usefixtures("no_pictures")

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "architecture.md"

# How many files each recipe may have its reader edit.
MOST_FILES = {
    "Add a network": 2,
    "Add a data format": 2,
    "Add a file format": 1,
    "Add a matching": 3,
    "Add a loss to the trainer": 2,
    "Add an option to the trainer": 2,
}


@dataclass(frozen=True)
class Code:
    """A block of a recipe.

    Attributes:
        file: Where it belongs.
        place: What it becomes a part of; empty = the file as a whole, or its own place there.
        text: Without the line that names the file.
    """

    file: str
    place: str
    text: str


@dataclass
class Recipe:
    """A section of the page.

    Attributes:
        title: Its heading.
        files: What to do by file, as the table says.
        new: Files that aren't there yet.
        code: Its blocks.
    """

    title: str
    files: dict[str, str] = field(default_factory=dict)
    new: set[str] = field(default_factory=set)
    code: list[Code] = field(default_factory=list)

    def text(self, file: str, place: str = "") -> str:
        """The one block of this file and place."""
        (found,) = (code.text for code in self.code if (code.file, code.place) == (file, place))
        return found


def recipes() -> dict[str, Recipe]:
    page = PAGE.read_text(encoding="utf-8")
    page = page.partition("\n## Recipes\n")[2].partition("\n## ")[0]
    found = {}
    for section in page.split("\n### ")[1:]:
        recipe = Recipe(section.splitlines()[0])
        for file, new, what in re.findall(r"^\| `(\S+/\S+)`( \(new\))? \| (.*) \|$", section, re.M):
            recipe.files[file] = what
            recipe.new |= {file} if new else set()
        pattern = r"^```\w+\n(?:#|//) (\S+?/[^\s:]+)(?:: (\S+))?\n(.*?)^```"
        for file, place, text in re.findall(pattern, section, re.M | re.S):
            recipe.code.append(Code(file, place, text))
        found[recipe.title] = recipe
    return found


RECIPES = recipes()
every_recipe = pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.title)


def test_the_page_has_these_recipes() -> None:
    assert set(RECIPES) == set(MOST_FILES)


@every_recipe
def test_a_recipe_edits_few_files(recipe: Recipe) -> None:
    assert 1 <= len(recipe.files) <= MOST_FILES[recipe.title]


@every_recipe
def test_the_files_of_a_recipe_are_there(recipe: Recipe) -> None:
    for file in recipe.files:
        assert (ROOT / file).parent.is_dir(), file
        assert (ROOT / file).exists() != (file in recipe.new), file


@every_recipe
def test_what_a_recipe_names_is_in_its_file(recipe: Recipe) -> None:
    for file, what in recipe.files.items():
        if file not in recipe.new:
            for name in re.findall(r"`(\w+)`", what):
                assert re.search(rf"\b{name}\b", (ROOT / file).read_text(encoding="utf-8")), name


@every_recipe
def test_the_code_of_a_recipe_belongs_to_its_files(recipe: Recipe) -> None:
    assert {code.file for code in recipe.code} == set(recipe.files)
    for code in recipe.code:
        if code.place:
            assert code.place in recipe.files[code.file], code.place


def test_every_file_that_the_page_names_is_there() -> None:
    folders = [ROOT, ROOT / "cpp" / "include" / "toponet"]
    new = {file for recipe in RECIPES.values() for file in recipe.new}
    named = set(re.findall(r"`([\w/]+\.(?:hpp|cpp|py))`", PAGE.read_text(encoding="utf-8"))) - new
    assert len(named) > 10
    for file in named:
        assert any((folder / file).is_file() for folder in folders), file


def test_every_package_has_a_row_in_the_table_of_layers() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("| layer |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| `(\w+)` \|", table, re.M)
    packages = {path.parent.name for path in (ROOT / "python" / "toponet").glob("*/__init__.py")}
    assert sorted(rows) == sorted(packages)


def module_name(file: str) -> str:
    return (
        file.removeprefix("python/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    )


def new_module(recipe: Recipe, file: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module that a recipe writes, importable by its name for the time of a test."""
    name = module_name(file)
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    exec(compile(recipe.text(file), file, "exec"), vars(module))
    return module


def lines_of(recipe: Recipe, file: str, place: str, names: dict[str, Any]) -> dict[str, Any]:
    """A recipe's lines of a registry, by name; they see what their module sees, and ``names``."""
    module = importlib.import_module(module_name(file))
    found = eval("{" + recipe.text(file, place) + "}", {**vars(module), **names})
    assert not set(found) & set(getattr(module, place))
    assert isinstance(found, dict)
    return found


def tiny_run(out: Path, kind: type[TrainConfig] = TrainConfig, **options: Any) -> TrainConfig:
    few = {
        "data": "synthetic:membranes,count=3,size=48", "epochs": 1, "iterations_per_epoch": 1,
        "batch_size": 1, "patch_size": 17, "metric_patches": 2, "device": "cpu",
        "topo_start_epoch": 1, "num_threads": 1,
        "segmentation_metric": "none",
    }  # fmt: skip
    return kind(**{**few, "out": str(out), **options})


def test_the_network_of_the_recipe_trains_and_predicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = RECIPES["Add a network"]
    module = new_module(recipe, "python/toponet/models/plain.py", monkeypatch)
    lines = lines_of(recipe, "python/toponet/models/__init__.py", "NETWORKS", vars(module))
    for name, network in lines.items():
        monkeypatch.setitem(NETWORKS, name, network)
    Trainer(tiny_run(tmp_path / "run", network="plain"), Console(quiet=True)).train()
    model = load_model(tmp_path / "run", device="cpu")
    likelihood = model.likelihood(np.random.default_rng(0).random((40, 30)))
    assert likelihood.shape == (40, 30)
    assert likelihood.std() > 0


def test_the_data_format_of_the_recipe_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = RECIPES["Add a data format"]
    module = new_module(recipe, "python/toponet/data/numpy_files.py", monkeypatch)
    lines = lines_of(recipe, "python/toponet/data/catalogue.py", "FORMATS", vars(module))
    replace_everywhere("FORMATS", catalogue.FORMATS, {**catalogue.FORMATS, **lines}, monkeypatch)
    images = np.random.default_rng(0).random((3, 5, 7), np.float32)
    labels = (images > 0.5).astype(np.uint8) * 255
    np.save(tmp_path / "images.npy", images)
    with pytest.raises(ValueError, match=r"labels\.npy does not exist"):
        load_data(f"npy:{tmp_path}")
    np.save(tmp_path / "labels.npy", labels)
    data = load_data(f"npy:{tmp_path}")
    np.testing.assert_array_equal(np.stack(data.images)[:, 0], images)
    np.testing.assert_array_equal(np.stack(data.masks), labels // 255)
    with pytest.raises(SystemExit):
        train.main(["--help"])
    assert "npy:PATH" in capsys.readouterr().out
    np.save(tmp_path / "labels.npy", labels[1:])
    with pytest.raises(ValueError, match="2 slices"):
        load_data(f"npy:{tmp_path}")


def replace_everywhere(name: str, before: Any, after: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In all modules of the package that hold this very object by this name."""
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith("toponet") and getattr(module, name, None) is before:
            monkeypatch.setattr(module, name, after)


MATCHING = "python/toponet/topology/matching.py"


@pytest.fixture
def matching_of_the_recipe(monkeypatch: pytest.MonkeyPatch) -> str:
    """Its name, which the package knows for the time of a test."""
    recipe = RECIPES["Add a matching"]
    names = dict(vars(matching))
    exec(compile(recipe.text(MATCHING), MATCHING, "exec"), names)
    lines = lines_of(recipe, MATCHING, "PARTNERS", names)
    partners = {**matching.PARTNERS, **lines}
    replace_everywhere("PARTNERS", matching.PARTNERS, partners, monkeypatch)
    replace_everywhere("MATCHINGS", matching.MATCHINGS, tuple(partners), monkeypatch)
    (name,) = lines
    return name


def test_the_matching_of_the_recipe_pairs_dots_by_their_place(matching_of_the_recipe: str) -> None:
    values = np.random.default_rng(0).random((2, 1, 1, 9, 12), np.float32)
    f, g = (toponet.topology.persistence(image[0, 0], frame=True) for image in values)
    loss = toponet.TopologicalLoss(matching=matching_of_the_recipe, num_threads=1)
    image = values[0, 0]
    ((_, explanation),) = explain_patches(image, g, whole_images(image), loss.options)
    matched = explanation.fates == "matched"
    assert (explanation.pixels[matched, 1] == explanation.goal_pixels[matched, 1]).all()
    deaths = [
        [Counter(d.pixels[d.dimensions == dimension, 1].tolist()) for dimension in (0, 1)]
        for d in (f[0], g[0])
    ]
    common = sum(sum((of_f & of_g).values()) for of_f, of_g in zip(*deaths, strict=True))
    assert matched.sum() == common > 0


# Reads images and masks of one size, and prints loss and gradient of each.
DRIVER = """
#include <cstdio>
#include <vector>

#include "toponet/loss/topological_loss.hpp"

int main() {
    using namespace toponet;
    long height, width;
    int frame, connectivity;
    while (std::scanf("%ld %ld %d %d", &height, &width, &frame, &connectivity) == 4) {
        std::vector<double> f(height * width), gradient(height * width);
        std::vector<std::uint8_t> mask(height * width);
        for (double& value : f) (void)!std::scanf("%lf", &value);
        for (auto& value : mask) (void)!std::scanf("%hhu", &value);
        PatchBatch<double> batch{{{f.data(), height, width, width}}, {{0, 0, height, width}}, {1.0},
                                 false};
        Truths truths{{{mask.data(), MaskType::uint8, width}}, {}};
        LossOptions options;
        options.filtration.frame = frame;
        options.filtration.connectivity = Connectivity(connectivity);
        options.matching = "place";
        options.min_persistence = 0.125;
        options.dimension_weights[1] = 0.5;
        double loss;
        topological_loss(batch, truths, options, 1, gradient.data(), &loss);
        std::printf("%.17g", loss);
        for (double value : gradient) std::printf(" %.17g", value);
        std::printf("\\n");
    }
}
"""
KERNEL = "cpp/src/loss/topological_loss.cpp"


def build_with_the_comparison(recipe: Recipe, folder: Path, compiler: str) -> Path:
    """The kernel's sources with the recipe's header and line, and the driver."""
    (header,) = (file for file in recipe.new if file.endswith(".hpp"))
    include = header.removeprefix("cpp/include/")
    (folder / include).parent.mkdir(parents=True)
    (folder / include).write_text(recipe.text(header))
    table, source = "comparisons[] = {\n", (ROOT / KERNEL).read_text()
    assert table in source
    line = recipe.text(KERNEL, "comparisons")
    source = f'#include "{include}"\n' + source.replace(table, table + line)
    (folder / "topological_loss.cpp").write_text(source)
    (folder / "driver.cpp").write_text(DRIVER)
    others = [path for path in ROOT.glob("cpp/src/*/*.cpp") if path != ROOT / KERNEL]
    program = folder / "driver"
    sources = [folder / "topological_loss.cpp", folder / "driver.cpp", *others]
    subprocess.run(
        [compiler, "-std=c++17", "-O0", "-Wall", "-pthread", f"-I{folder}",
         f"-I{ROOT / 'cpp/include'}", *map(str, sources), "-o", str(program)],
        check=True,
    )  # fmt: skip
    return program


def as_input(f: NDArray[np.float64], g: NDArray[np.uint8], frame: bool, connectivity: int) -> str:
    numbers = [*f.shape, int(frame), connectivity, *map(repr, f.ravel().tolist()), *g.ravel()]
    return " ".join(map(str, numbers))


@pytest.mark.slow
@pytest.mark.slow
def test_the_comparison_of_the_recipe_agrees_with_its_general_route(
    tmp_path: Path, matching_of_the_recipe: str
) -> None:
    compiler = shutil.which("c++")
    if compiler is None:
        pytest.skip("to compile the recipe's comparison: a C++ compiler named c++")
    program = build_with_the_comparison(RECIPES["Add a matching"], tmp_path, compiler)
    generator = np.random.default_rng(0)
    cases = []
    for frame in (True, False):
        for connectivity in (4, 8):
            for shape in ((1, 5), (2, 3), (7, 9), (12, 8)):
                f = generator.integers(0, 9, shape) / 8  # Ties.
                g = generator.integers(0, 2, shape, np.uint8)
                cases.append((f, g, frame, connectivity))
    printed = subprocess.run(
        [program], input="\n".join(as_input(*case) for case in cases), check=True,
        capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    assert len(printed) == len(cases)
    for line, (f, g, frame, connectivity) in zip(printed, cases, strict=True):
        options = LossOptions(
            connectivity=connectivity, frame=frame, matching=matching_of_the_recipe,
            min_persistence=0.125, dim_weights=(1, 0.5), num_threads=1,
        )  # fmt: skip
        patches = whole_images(f[None])
        targets = patch_diagrams(g[None].astype(float), patches, options)
        ((_, explanation),) = explain_patches(f[None], targets, patches, options)
        loss, *gradient = map(float, line.split())
        assert loss == pytest.approx(explanation.loss)
        np.testing.assert_allclose(np.reshape(gradient, f.shape), explanation.gradient())


TERMS_FILE = "python/toponet/training/topology_terms/__init__.py"


@pytest.fixture
def config_with_the_loss(monkeypatch: pytest.MonkeyPatch) -> type[TrainConfig]:
    """The trainer's configuration with the recipe's loss and its option."""
    recipe = RECIPES["Add a loss to the trainer"]
    file = "python/toponet/training/topology_terms/area.py"
    module = new_module(recipe, file, monkeypatch)
    for name, term in lines_of(recipe, TERMS_FILE, "TERMS", vars(module)).items():
        monkeypatch.setitem(topology_terms.TERMS, name, term)
    names = {**vars(topology_terms), **vars(module)}
    line = recipe.text(TERMS_FILE, "TermOptions")
    exec(f"@dataclass(frozen=True, kw_only=True)\n{line}    pass", names)
    monkeypatch.setattr(topology_terms, "TermOptions", names["TermOptions"])

    @dataclass(frozen=True)
    class WithLoss(TrainConfig, module.AreaOptions):  # type: ignore[misc, name-defined]
        __doc__ = TrainConfig.__doc__

    return WithLoss


def test_the_loss_of_the_recipe_leaves_torch_to_the_run() -> None:
    """``toponet-train --help`` reads its file, and torch takes seconds to import."""
    for code in RECIPES["Add a loss to the trainer"].code:
        assert not re.search(r"^(?:import|from) torch\b", code.text, re.M)


def test_the_loss_of_the_recipe_trains_with_its_own_option(
    config_with_the_loss: type[TrainConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "TrainConfig", config_with_the_loss)
    plain: Any = train.parse(["--topo-loss", "area"])
    assert (plain.area_power, plain.dims) == (2.0, None)
    with pytest.raises(ValueError, match=r"--area-power must be left out: it belongs to .* area"):
        train.parse(["--area-power", "1.5"])
    topo = []
    for power in ("1", "3"):
        config = tiny_run(
            tmp_path / power, config_with_the_loss, topo_loss="area", area_power=float(power)
        )
        Trainer(config, Console(quiet=True)).train()
        report = json.loads((tmp_path / power / "report.json").read_text())
        assert report["config"]["area_power"] == float(power)
        topo.append((tmp_path / power / "metrics.csv").read_text().splitlines()[1].split(",")[2])
    assert float(topo[0]) > float(topo[1]) > 0


CONFIG = "python/toponet/training/config.py"


@pytest.fixture
def config_of_the_recipe() -> type[TrainConfig]:
    """The trainer's configuration with the option."""
    recipe = RECIPES["Add an option to the trainer"]
    (lines,) = re.findall(r"^```text\n(.*?)^```", section_of(recipe), re.M | re.S)
    names = dict(vars(importlib.import_module(module_name(CONFIG))))
    body = [
        '"""As before, and with the option.',
        *("\nAttributes:", textwrap.indent(lines, "    ") + '"""'),
        recipe.text(CONFIG, "TrainConfig"),
        "def __post_init__(self):\n    super(type(self), self).__post_init__()",
        textwrap.indent(recipe.text(CONFIG, "__post_init__"), "    "),
    ]
    code = "@dataclass(frozen=True)\nclass WithOption(TrainConfig):\n" + textwrap.indent(
        "\n".join(body), "    "
    )
    exec(compile(code, CONFIG, "exec"), names)
    config: type[TrainConfig] = names["WithOption"]
    return config


def section_of(recipe: Recipe) -> str:
    page = PAGE.read_text(encoding="utf-8")
    return page.partition(f"\n### {recipe.title}\n")[2].partition("\n##")[0]


def test_the_option_of_the_recipe_is_on_the_command_line(
    config_of_the_recipe: type[TrainConfig],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(train, "TrainConfig", config_of_the_recipe)
    given: Any = train.parse(["--weight-decay", "0.25"])
    assert given.weight_decay == 0.25
    assert given.to_plain()["weight_decay"] == 0.25
    with pytest.raises(ValueError, match="weight-decay must be at least 0"):
        train.parse(["--weight-decay", "-1"])
    with pytest.raises(SystemExit):
        train.parse(["--help"])
    assert "Weight decay of Adam, at least 0." in " ".join(capsys.readouterr().out.split())
