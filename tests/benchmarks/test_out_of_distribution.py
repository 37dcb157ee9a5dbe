"""Networks on images that differ from those of their training."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import out_of_distribution
import pytest
from comparison.corruptions import CLEAN, CORRUPTIONS, corrupt
from comparison.evidence import ERRORS, SCORES
from comparison.plan import Run
from comparison.robustness import markdown
from comparison.variants import METHODS, SETS
from numpy.typing import NDArray
from out_of_distribution import corrupted_likelihoods

from toponet.data import load_data


def image(channels: int) -> NDArray[np.float32]:
    pixels = np.random.default_rng(0).integers(40, 215, (channels, 20, 31))
    return pixels.astype(np.float32)


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_stronger_corruption_changes_an_image_more(name: str, channels: int) -> None:
    if (name, channels) == ("hue", 1):
        with pytest.raises(ValueError, match="hue needs RGB images"):
            corrupt(image(1), name, 1, generator())
        return
    found = [corrupt(image(channels), name, level, generator()) for level in (1, 2, 3)]
    for changed in found:
        assert changed.dtype == np.float32
        assert changed.shape[0] == channels
        assert (changed.min() >= 0, changed.max() <= 255) == (True, True)
    if name == "scale":
        assert [c.shape[1:] for c in found] == [(16, 25), (13, 20), (10, 16)]
    else:
        away = [float(np.abs(changed - image(channels)).mean()) for changed in found]
        assert 0 < away[0] < away[1] < away[2]


def test_corruptions_are_the_same_each_time_and_need_grey_values_of_8_bits() -> None:
    first, again = (corrupt(image(3), "noise", 2, generator()) for _ in range(2))
    assert (first == again).all()
    assert (corrupt(image(3), CLEAN, 0, generator()) == image(3)).all()
    with pytest.raises(ValueError, match="8 bits"):
        corrupt(image(3) / np.float32(255), "blur", 1, generator())


def test_the_last_block_is_held_out_by_all_networks() -> None:
    options = out_of_distribution.parse(["--data", "topomortar=.", "--seeds", "0", "0", "4"])
    chains = out_of_distribution.make_chains(options)
    assert [[run.variant.name for run in chain] for chain in chains] == 2 * [
        ["unet", "unet_toponet", "unet_cldice"]
    ]
    training, held_out = chains[1][0].config.split(32)
    assert (training, held_out) == (list(range(24)), list(range(24, 32)))
    assert {run.config.seed for run in chains[1]} == {4}


def test_set_and_devices_say_what_is_trained_and_where() -> None:
    common = ["--data", "topomortar=.", "--set", "sceptic", "--variants", "common", "cldice_3"]
    options = out_of_distribution.parse([*common, "--devices", "1", "0"])
    (chain,) = out_of_distribution.make_chains(options)
    assert [run.variant.name for run in chain] == ["common", "cldice_3"]
    assert {run.config.device for run in chain} == {"cuda"}
    assert all("sceptic" in run.folder.parts for run in chain)
    (chain,) = out_of_distribution.make_chains(out_of_distribution.parse(common))
    assert {run.config.device for run in chain} == {"cpu"}
    (chain,) = out_of_distribution.make_chains(out_of_distribution.parse(common[:4]))
    assert len(chain) == len(SETS["sceptic"])
    with pytest.raises(ValueError, match="unknown variants unet in the set sceptic"):
        out_of_distribution.make_chains(out_of_distribution.parse([*common[:5], "unet"]))


def test_rows_are_kept_as_they_are_made_and_not_made_again(
    finished_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A finished run takes the place of the trainings, and numbers are chosen once a run."""

    def trained(
        chains: Sequence[Sequence[Run]], devices: Sequence[str], finished: Callable[..., None]
    ) -> list[str]:
        assert list(devices) == ["cpu", "cpu"]
        for run in (run for chain in chains for run in chain):
            shutil.copytree(finished_run, run.folder, dirs_exist_ok=True)
            finished(run, True)
        return ["one failed"]

    monkeypatch.setattr(out_of_distribution, "run_chains", trained)
    monkeypatch.setattr(out_of_distribution, "FOLDS", 3)  # There are three images.
    numbers = {"threshold": 0.4, "keep": 0.5, "add": None}
    monkeypatch.setattr(out_of_distribution, "choose_numbers", lambda *_: numbers)
    command = ["--data", f"synthetic_membranes={finished_run.parent / 'data'}", "--variants",
               "unet", "--corruptions", "scale", "--devices", "cpu", "cpu", "--out",
               str(tmp_path / "runs"), "--results", str(tmp_path)]  # fmt: skip
    assert out_of_distribution.main(command) == 1
    kept = tmp_path / "out_of_distribution-methods-minutes.jsonl"
    rows = list(map(json.loads, kept.read_text().splitlines()))
    assert [(row["corruption"], row["level"]) for row in rows] == [
        (CLEAN, 0), ("scale", 1), ("scale", 2), ("scale", 3),
    ]  # fmt: skip
    assert [row["chosen"] for row in rows] == 4 * [numbers]
    before = kept.read_text()
    # Interrupted after its first row: the numbers are those chosen before.
    kept.write_text(before.splitlines()[0] + "\n")
    monkeypatch.setattr(out_of_distribution, "choose_numbers", None)
    assert out_of_distribution.main(command) == 1
    assert kept.read_text() == before
    assert out_of_distribution.main([*command, "--report-only"]) == 0
    assert kept.read_text() == before
    # All rows are there: no network is trained for them.
    monkeypatch.setattr(out_of_distribution, "run_chains", lambda chains, *_: [*map(str, chains)])
    assert out_of_distribution.main(command) == 0
    assert out_of_distribution.main([*command, "--seeds", "7"]) == 1
    assert kept.read_text() == before
    assert "| scale 3 |" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore::toponet.prediction.StrangeImageWarning")
def test_likelihoods_of_corrupted_images_lie_on_the_truths_pixels(finished_run: Path) -> None:
    data = load_data(str(finished_run.parent / "data"), seed=0)
    found = [
        corrupted_likelihoods(finished_run / "checkpoints" / "last.ckpt", data, name, level)
        for name, level in ((CLEAN, 0), ("scale", 3), ("noise", 1), ("noise", 1))
    ]
    shapes = [truth.shape for truth in data.masks]
    assert all([likelihood.shape for likelihood in of_one] == shapes for of_one in found)
    clean, scaled, noisy, again = (of_one[1] for of_one in found)
    assert (noisy == again).all()
    assert not np.isclose(clean, scaled).all()
    assert not np.isclose(clean, noisy).all()


def test_without_rows_one_line_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert out_of_distribution.main(["--report-only", "--results", str(tmp_path)]) == 2
    assert "holds no row" in capsys.readouterr().err


def row(corruption: str, level: int, seed: int, cut: float) -> dict[str, Any]:
    measures = dict.fromkeys((*SCORES, *ERRORS), 0.5)
    return {"data": "topomortar", "variant": "unet", "seed": seed, "corruption": corruption,
            "level": level, "cut": {**measures, "voi": cut}, "mask": measures}  # fmt: skip


def test_the_table_has_means_over_seeds_and_over_corruptions() -> None:
    rows = [row(CLEAN, 0, 0, 9.0), row("blur", 1, 0, 1.0), row("blur", 1, 1, 2.0),
            row("noise", 3, 0, 3.0)]  # fmt: skip
    _, _, voi = markdown(rows, METHODS).partition("**VOI ↓**")
    lines = voi.partition("**")[0].strip().splitlines()[2:]
    assert lines == [
        "| clean | 9.000 | 0.500 |",
        "| blur 1 | 1.500 | 0.500 |",
        "| noise 3 | 3.000 | 0.500 |",
        "| mean of all corruptions | 2.250 | 0.500 |",
    ]
