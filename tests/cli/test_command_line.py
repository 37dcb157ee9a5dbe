"""What all commands share: how options are written, spelled, and refused."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any, get_origin, get_type_hints

import pytest

import toponet
from toponet.cli import evaluate, inspect, nnunet, predict, segment, train
from toponet.cli._arguments import given_type
from toponet.cli._options import parse
from toponet.evaluation.config import EvaluateConfig
from toponet.inspection.config import InspectConfig
from toponet.integrations.nnunet_search import SearchConfig
from toponet.prediction.config import PredictConfig
from toponet.prediction.segment_config import SegmentConfig
from toponet.training import TrainConfig
from toponet.training.presets import find_preset

ROOT = Path(__file__).resolve().parents[2]
COMMANDS: dict[str, tuple[Any, type, list[str]]] = {
    "toponet-train": (train, TrainConfig, []),
    "toponet-predict": (predict, PredictConfig, ["a.ckpt", "image.png", "--out=p"]),
    "toponet-segment": (segment, SegmentConfig, ["likelihood.tif", "--out=p"]),
    "toponet-evaluate": (evaluate, EvaluateConfig, ["a", "b"]),
    "toponet-inspect": (inspect, InspectConfig, ["a"]),
    "toponet-nnunet": (nnunet, SearchConfig, []),
}

# Other programs spell their options as they like.
FOREIGN_COMMANDS = re.compile(r"^(?:nnUNetv2_\w+|python -m monai\.bundle) .*$", re.MULTILINE)


def parsed(program: str, *arguments: str) -> Any:
    _, config, places = COMMANDS[program]
    more = "inputs" if "inputs" in get_type_hints(config) else None
    return parse(program, "", config, [*places, *arguments], more=more)


# Two items for each list option of each command.
ITEMS: dict[tuple[str, str], tuple[Any, Any]] = {
    ("toponet-train", "dims"): (0, 1),
    ("toponet-predict", "outputs"): ("cells", "mask"),
    ("toponet-segment", "outputs"): ("cells", "mask"),
    ("toponet-segment", "dims"): (0, 1),
}
# Taken without their option as well.
PLACES = [("toponet-predict", "inputs"), ("toponet-segment", "inputs")]


def test_every_list_option_is_among_those_tested() -> None:
    found = {
        (program, name)
        for program, (_, config, _) in COMMANDS.items()
        for name, hint in get_type_hints(config).items()
        if get_origin(given_type(hint)) is tuple
    }
    assert found == {*ITEMS, *PLACES}


@pytest.mark.parametrize(("option", "items"), ITEMS.items(), ids=str)
def test_lists_are_taken_in_every_form(option: tuple[str, str], items: tuple[Any, Any]) -> None:
    program, name = option
    first, second = items
    for arguments in (
        [f"--{name}", f"{second}"],
        [f"--{name}={second}"],
        [f"--{name}", f"[{second}]"],
    ):
        assert getattr(parsed(program, *arguments), name) == (second,)
    for arguments in (
        [f"--{name}", f"{first},{second}"],
        [f"--{name}={first},{second}"],
        [f"--{name}", f"{first}", f"{second}"],
        [f"--{name}", f"[{first}, {second}]"],
        [f"--{name}=[{first},{second}]"],
        [f"--{name}", f"{first}", f"{second}", "--out", "p"],
    ):
        assert getattr(parsed(program, *arguments), name) == items


@pytest.mark.parametrize(("option", "items"), ITEMS.items(), ids=str)
def test_files_take_lists_in_the_forms_of_the_command_line(
    option: tuple[str, str], items: tuple[Any, Any], tmp_path: Path
) -> None:
    program, name = option
    first, second = items
    file = tmp_path / "options.yaml"
    for written, expected in (
        (f"{second}", (second,)),
        (f"[{second}]", (second,)),
        (f"{first},{second}", items),
        (f"'{first}, {second}'", items),
        (f"[{first}, {second}]", items),
        (f"\n- {first}\n- {second}", items),
    ):
        file.write_text(f"{name}: {written}\n")
        assert getattr(parsed(program, f"--config={file}"), name) == expected


def test_a_list_ends_where_its_items_do() -> None:
    config = parsed("toponet-predict", "--outputs", "mask", "cells", "more.png", "--flips")
    assert config.outputs == ("mask", "cells")
    assert config.inputs == ("image.png", "more.png")
    assert config.flips is True


def test_flags_need_no_value() -> None:
    flags = {
        (program, name)
        for program, (_, config, _) in COMMANDS.items()
        for name, hint in get_type_hints(config).items()
        if hint is bool
    }
    assert ("toponet-train", "compile") in flags
    for program, name in flags:
        option = f"--{name.replace('_', '-')}"
        for arguments, value in (
            ([option], True), ([option, "false"], False), ([f"{option}=true"], True),
        ):  # fmt: skip
            assert getattr(parsed(program, *arguments), name) is value


@pytest.mark.parametrize("program", COMMANDS)
def test_help_spells_options_as_the_documentation_does(
    program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main, config, _ = COMMANDS[program]
    with pytest.raises(SystemExit):
        main.main(["--help"])
    shown = capsys.readouterr().out
    for field in fields(config):
        if "_" in field.name:
            assert f"--{field.name.replace('_', '-')} " in shown
            assert not re.search(rf"\b{field.name}\b", shown)
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    for page in pages:
        ours = FOREIGN_COMMANDS.sub("", page.read_text(encoding="utf-8"))
        assert not re.findall(r"--[a-z]+_[a-z_]+", ours), page


@pytest.mark.parametrize("program", COMMANDS)
def test_help_loads_no_library_that_only_the_work_needs(program: str) -> None:
    """Importing them takes seconds."""
    heavy = [
        "lightning_fabric",
        "matplotlib",
        "monai",
        "scipy",
        "skimage",
        "tifffile",
        "torch",
        "torchmetrics",
    ]
    code = (
        f"import sys; from toponet.cli.{program.removeprefix('toponet-')} import main\n"
        "try: main(['--help'])\n"
        f"except SystemExit: print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("program", COMMANDS)
def test_every_command_tells_its_version(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        COMMANDS[program][0].main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"{program} {toponet.__version__}\n"


def test_the_version_is_there_without_an_import_of_its_own() -> None:
    code = "import toponet; print(toponet.__version__)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", done.stdout)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--topo-weight", "high"], "--topo-weight must be a number or 'auto', got high"),
        (["--epochs=3.5"], "--epochs must be a whole number, got 3.5"),
        (["--compile=maybe"], "--compile must be true or false, got maybe"),
        (["--dims", "holes"], "--dims must be a list, each of it a whole number, got holes"),
        (["--dims", "2"], "--dims must be (0,), (1,) or (0, 1), got (2,)"),
        (["--batch-size=0"], "--batch-size must be at least 1, got 0"),
        (["--fold=1", "--folds=1"], "with --folds 1 the images aren't divided"),
        (["--dims"], "--dims: expected one argument"),
        (["--clip-norm"], "--clip-norm: expected one argument"),
        (["--clip-norm", "x"], "--clip-norm must be a number, got x"),
        (["--topo_weigth=1"], "unknown option --topo-weigth; did you mean --topo-weight?"),
        (["--lr", "-1"], "--lr must be above 0 and finite, got -1.0"),
    ],
    ids=str,
)
def test_a_value_that_an_option_cannot_have_gets_a_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main(arguments) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert "class" not in error


def shell_examples() -> list[str]:
    """Command lines in the documentation, one for each line of a shell block.

    To resume a training is no option of a training, and has tests of its own.
    """
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    blocks = re.findall(r"^```bash\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).splitlines()
    return [line for line in lines if line.split(" ")[0] in COMMANDS and "--resume" not in line]


def test_every_command_has_an_example_in_the_documentation() -> None:
    shown = {line.split(" ")[0] for line in shell_examples()}
    assert set(COMMANDS) - shown == {"toponet-inspect"}  # It stands in a sentence.


@pytest.mark.parametrize("line", shell_examples())
def test_the_examples_of_the_documentation_have_options_that_exist(line: str) -> None:
    program, *arguments = shlex.split(line)
    _, config, _ = COMMANDS[program]
    more = "inputs" if "inputs" in get_type_hints(config) else None
    find = find_preset if program == "toponet-train" else None
    assert parse(program, "", config, arguments, find_preset=find, more=more)
