"""Presets and files of options: what they hold, who wins, and what is refused."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from toponet.cli import evaluate as evaluate_cli
from toponet.cli import train as cli
from toponet.data import FORMATS
from toponet.training import TrainConfig, Trainer
from toponet.training import presets as preset_files
from toponet.training.presets import describe_presets, find_preset, find_presets
from toponet.training.run_folder import read_config

NAMES = {field.name for field in fields(TrainConfig)}
DATA_SETS = [name for name, path in find_presets().items() if path.parent == preset_files.FOLDER]
SYNTHETIC = [name for name in DATA_SETS if name.startswith("synthetic_")]
TINY = [
    "--epochs=1", "--iterations-per-epoch=1", "--batch-size=1", "--patch-size=17", "--device=cpu",
    "--metric-patches=2", "--segmentation-metric=none",
]  # fmt: skip


def preset(name: str) -> dict[str, Any]:
    content = yaml.safe_load(find_preset(name).read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def options_file(path: Path, **options: Any) -> str:
    path.write_text(yaml.safe_dump(options))
    return str(path)


def complaint(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_every_data_set_has_a_preset() -> None:
    wanted = {"isbi12", "isbi13", "cremi", "drive", "cracktree", "roads", "topomortar", "instances"}
    assert wanted < set(DATA_SETS)
    assert len(SYNTHETIC) == 4


@pytest.mark.parametrize("name", find_presets())
def test_a_preset_is_a_configuration_and_says_where_it_comes_from(name: str) -> None:
    values = preset(name)
    assert values
    assert values.keys() <= NAMES
    config = cli.parse(["--preset", name])
    plain = config.to_plain()
    assert {key: plain[key] for key in values} == values
    comment = [line for line in find_preset(name).read_text().splitlines() if line[:1] == "#"]
    assert len(comment[0]) > 20
    assert any(f"toponet-train --preset {name}" in line for line in comment)
    assert f"  {name} " in describe_presets()
    assert {"out", "start_from"}.isdisjoint(values)


@pytest.mark.parametrize("name", DATA_SETS)
def test_the_preset_of_a_data_set_names_its_format_but_no_path(name: str) -> None:
    values = preset(name)
    format_name, _, where = values["data"].partition(":")
    assert format_name in FORMATS
    assert bool(where) == (name in SYNTHETIC)
    assert {"patch_size", "folds", "connectivity", "topo_weight"} <= values.keys()


def test_a_data_set_without_its_path_is_not_replaced_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    error = complaint(["--preset", "isbi12"], capsys)
    assert "data 'isbi12' lacks its path; expected isbi12:PATH" in error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", SYNTHETIC)
def test_a_synthetic_preset_makes_a_trainer(name: str, tmp_path: Path) -> None:
    data = preset(name)["data"] + ",count=3,size=64"
    out = tmp_path / "run"
    config = cli.parse(["--preset", name, "--data", data, "--out", str(out), *TINY])
    trainer = Trainer(config, Console(quiet=True))
    assert len(trainer.validation) == 1
    assert read_config(out) == config


def test_options_win_over_files_and_files_over_presets_whatever_the_order(tmp_path: Path) -> None:
    file = options_file(tmp_path / "a.yaml", epochs=5, folds=4)
    arguments = ["--epochs=3", f"--config={file}", "--preset", "isbi12"]
    for given in (arguments, arguments[::-1][1::-1] + arguments[:2], arguments[1:] + arguments[:1]):
        config = cli.parse(given)
        assert (config.epochs, config.folds, config.iterations_per_epoch) == (3, 4, 40)


def test_later_files_and_presets_win_over_earlier_ones(tmp_path: Path) -> None:
    assert cli.parse(["--preset=isbi12", "--preset=cremi"]).epochs == 50
    assert cli.parse(["--preset=cremi", "--preset=isbi12"]).epochs == 14
    first = options_file(tmp_path / "a.yaml", epochs=5, folds=4)
    second = options_file(tmp_path / "b.yaml", epochs=6)
    config = cli.parse(["--config", first, "--config", second])
    assert (config.epochs, config.folds) == (6, 4)
    assert cli.parse(["--config", second, "--config", first]).epochs == 5


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--preset=drive", "--lr=1e-5", "--topo-weight=auto", "--dims=[0]", "--clip-norm=0.5"],
        ["--seed=9223372036854775807", "--data=folder:Größe, mit Komma", "--compile=true"],
    ],
)
def test_the_printed_configuration_gives_itself(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main([*arguments, "--print_config"])
    assert exit_.value.code == 0
    printed = capsys.readouterr().out
    assert yaml.safe_load(printed).keys() == NAMES
    file = tmp_path / "printed.yaml"
    file.write_text(printed, encoding="utf-8")
    assert cli.parse(["--config", str(file)]) == cli.parse(arguments)


def test_the_configuration_of_a_run_begins_another(tmp_path: Path) -> None:
    data = "--data=synthetic:membranes,count=3,size=48"
    first = cli.parse([data, f"--out={tmp_path / 'first'}", *TINY])
    Trainer(first, Console(quiet=True))
    file = tmp_path / "first" / "config.yaml"
    again = cli.parse([f"--config={file}", f"--out={tmp_path / 'second'}"])
    assert again.to_plain() == {**first.to_plain(), "out": str(tmp_path / "second")}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--epchs", "3"], "unknown option --epchs; did you mean --epochs?"),
        (["--epo=3"], "unknown option --epo; did you mean --epochs?"),
        (["--batchsize=3"], "unknown option --batchsize; did you mean --batch-size?"),
        (["--zzz=3"], "unknown option --zzz; --help lists all options"),
        (["--preset", "isbi14"], "there is no preset 'isbi14'; there are cracktree, cremi, drive"),
        (["--preset"], "--preset: expected one argument"),
        (["--config", "nowhere.yaml"], "can't read nowhere.yaml: No such file or directory"),
    ],
)
def test_what_no_command_line_can_mean_gets_one_line(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sentence in complaint(arguments, capsys)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("epchs: 3", "x.yaml has the unknown option 'epchs'; did you mean epochs?"),
        ("preset: isbi12", "x.yaml has the unknown option 'preset'"),
        ("[1]: 3", "x.yaml has the unknown option '?'"),
        ("epochs: 3\nepochs: 4", "x.yaml has the option 'epochs' twice"),
        ("epochs: many", "x.yaml: --epochs must be a whole number, got many"),
        ("batch_size: 0", "x.yaml: --batch-size must be at least 1, got 0"),
        ("dims: [2]", "x.yaml: --dims must be (0,), (1,) or (0, 1)"),
        ("dims: 0,x", "x.yaml: --dims must be a list, each of it a whole number"),
        ("epochs: [", "x.yaml isn't YAML: "),
        ("epochs: &a [*a]", "x.yaml: epochs must be one value or a list of values"),
        ("epochs: {lr: 1}", "x.yaml: epochs must be one value or a list of values"),
        ("[" * 5000, "x.yaml is nested too deeply"),
        ("- epochs", "x.yaml must hold options, one 'name: value' a line"),
        ("", "x.yaml must hold options"),
        (b"\xff\xfe\x00", "x.yaml isn't text"),
    ],
)
def test_what_no_file_of_options_can_mean_gets_one_line(
    content: str | bytes, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    out = tmp_path / "run"
    assert sentence in complaint([f"--config={file}", f"--out={out}"], capsys)
    assert not out.exists()


def test_an_option_on_the_command_line_isnt_the_files_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = options_file(tmp_path / "x.yaml", epochs=3)
    error = complaint([f"--config={file}", "--epochs=0"], capsys)
    assert error == "toponet-train: --epochs must be at least 1, got 0\n"


def test_the_other_commands_know_no_presets(capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate_cli.main(["a", "b", "--preset", "isbi12"]) == 2
    assert "unknown option --preset" in capsys.readouterr().err


def test_help_lists_the_data_and_the_presets(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    shown = capsys.readouterr().out
    for kind in FORMATS.values():
        assert f"  {kind.syntax}\n      {kind.help}\n" in shown
    assert describe_presets() in shown


def test_presets_in_folders_have_names_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in ("one.yaml", "methods/two.yaml", "methods/three.yaml"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(f"# About {path}.\nepochs: 3\n")
    monkeypatch.setattr(preset_files, "FOLDER", tmp_path)
    assert list(find_presets()) == ["one", "three", "two"]
    assert describe_presets().splitlines() == [
        "presets (--preset NAME):",
        "  one    About one.yaml.",
        "presets for methods:",
        "  three  About methods/three.yaml.",
        "  two    About methods/two.yaml.",
    ]
    (tmp_path / "two.yaml").touch()
    with pytest.raises(ValueError, match="two presets are named two"):
        find_presets()
