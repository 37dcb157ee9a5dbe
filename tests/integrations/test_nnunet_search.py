"""toponet-nnunet: what it prints makes nnU-Net find the trainers, and --check notices if not."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from types import ModuleType
from typing import Any

import pytest

from toponet.cli import nnunet
from toponet.integrations.nnunet import WithTopology
from toponet.integrations.nnunet_search import (
    TRAINERS,
    VARIABLE,
    shell_line,
    trainer_folder,
    value_to_set,
)

OURS = str(trainer_folder())


class FoundTrainer(WithTopology):
    """What nnU-Net finds."""


def test_the_folder_holds_the_trainers_and_nothing_else() -> None:
    """Reason: nnU-Net imports every file in it."""
    (file,) = trainer_folder().glob("*.py")
    tree = ast.parse(file.read_text(encoding="utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    assert [each.name for each in classes] == list(TRAINERS)
    for each in classes:
        bases = [base.id for base in each.bases if isinstance(base, ast.Name)]
        assert bases[0] == "WithTopology"
        assert bases[1].startswith("nnUNetTrainer")


@pytest.mark.parametrize(
    ("value", "others"),
    [
        (None, []),
        ("", []),
        ("/mine", ["/mine"]),
        (os.pathsep.join(["/mine", OURS, "", "/yours"]), ["/mine", "/yours"]),
    ],
)
def test_our_folder_comes_first_and_once_and_others_stay(
    value: str | None, others: list[str]
) -> None:
    assert value_to_set(value).split(os.pathsep) == [OURS, *others]


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
@pytest.mark.parametrize("value", [None, "/a folder/of $mine"])
def test_a_shell_sets_the_variable_by_the_line(value: str | None) -> None:
    line = shell_line(value, windows=False)
    shown = subprocess.run(
        ["sh", "-c", f'{line}\nprintf %s "${VARIABLE}"'], check=True, capture_output=True, text=True
    ).stdout
    assert shown == value_to_set(value)


def test_powershell_gets_its_own_form() -> None:
    line = shell_line("/it's mine", windows=True)
    assert line == f"$env:{VARIABLE} = '{OURS}{os.pathsep}/it''s mine'"


def test_the_command_prints_the_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, "/mine")
    assert nnunet.main([]) == 0
    assert capsys.readouterr().out == shell_line("/mine", os.name == "nt") + "\n"


def test_the_command_needs_no_torch() -> None:
    """Reason: it stands in the start files of shells."""
    code = (
        "import sys; from toponet.cli.nnunet import main; main([]); print('torch' in sys.modules)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert shown.splitlines()[-1] == "False"


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts something in nnU-Net's place: its version, and how it finds trainers."""

    def put(find: Callable[[str], Any] | None, version: str = "2.8.1") -> None:
        package, utilities = ModuleType("nnunetv2"), ModuleType("nnunetv2.utilities")
        package.__path__, utilities.__path__ = [], []
        objects: Any = ModuleType("nnunetv2.utilities.find_objects")
        objects.recursive_find_trainer_class_by_name = find
        modules = [package, utilities, *([] if find is None else [objects])]
        for module in modules:
            monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(metadata, "version", lambda name: version)

    monkeypatch.setenv(VARIABLE, OURS)
    return put


def checked(capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit code, and the one line that was shown."""
    code = nnunet.main(["--check"])
    shown = capsys.readouterr()
    lines = (shown.out + shown.err).splitlines()
    assert len(lines) == 1
    assert bool(shown.err) == (code != 0)
    return code, lines[0]


def test_a_check_looks_for_every_trainer(
    install: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def find(name: str) -> type:
        print("Searching ...")  # As nnU-Net does.
        asked.append(name)
        return FoundTrainer

    install(find)
    assert checked(capsys) == (0, f"nnU-Net 2.8.1 finds {', '.join(TRAINERS)}")
    assert asked == list(TRAINERS)


def raises(error: Exception) -> Callable[[str], Any]:
    def find(name: str) -> Any:
        raise error

    return find


@pytest.mark.parametrize(
    ("find", "sentence"),
    [
        (raises(RuntimeError("Could not find it")), "can't find nnUNetTrainerTopology: Could not"),
        (raises(ImportError("no timm")), "can't find nnUNetTrainerTopology: no timm"),
        (lambda name: object, "finds another nnUNetTrainerTopology, in builtins"),
        (None, "has no nnUNet_extTrainer; it needs 2.8 or later: pip install --upgrade nnunetv2"),
    ],
)
def test_what_keeps_nnunet_from_finding_them_is_one_line(
    find: Callable[[str], Any] | None,
    sentence: str,
    install: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    install(find)
    code, line = checked(capsys)
    assert code == 2
    assert line.startswith(f"toponet-nnunet: nnU-Net 2.8.1 {sentence}")


@pytest.mark.parametrize(("value", "found"), [(None, "isn't set"), ("/mine", "is '/mine'")])
def test_a_variable_that_doesnt_name_the_folder_is_told_with_the_cure(
    value: str | None,
    found: str,
    install: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    install(lambda name: FoundTrainer)
    if value is None:
        monkeypatch.delenv(VARIABLE)
    else:
        monkeypatch.setenv(VARIABLE, value)
    code, line = checked(capsys)
    assert code == 2
    assert line.startswith(f"toponet-nnunet: {VARIABLE} {found} and doesn't name {OURS}: run eval")


def test_without_nnunet_a_check_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", absent)
    assert checked(capsys) == (
        2,
        "toponet-nnunet: nnU-Net isn't installed here: pip install 'toponet[nnunet]'",
    )
