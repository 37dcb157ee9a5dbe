"""TensorBoard and W&B: everything once, also after a run broke off and went on."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from data_layouts import membrane_folder
from toponet.cli import train as cli
from toponet.data import ImageSet
from toponet.training import TrainConfig, Trainer
from toponet.training.experiment_log import ExperimentLog, picture_epochs, rendered
from toponet.training.loggers import make_loggers
from toponet.training.pictures import losses_figure
from toponet.training.run_folder import RunFolder, read_config
from toponet.training.state import COLUMNS, Row

pytestmark = pytest.mark.usefixtures("no_pictures")

TINY: dict[str, Any] = {
    "epochs": 3,
    "iterations_per_epoch": 2,
    "batch_size": 2,
    "patch_size": 17,
    "topo_start_epoch": 2,
    "device": "cpu",
    "num_threads": 1,
    "segmentation_metric": "none",
}
PICTURES = ["pictures/overlay", "pictures/topology"]


def config(path: Path, logger: str, **options: Any) -> TrainConfig:
    return TrainConfig(**{**TINY, "out": str(path), "logger": logger, **options})


def validation() -> ImageSet:
    rows, columns = np.indices((20, 34))
    mask = ((rows == 9) | (columns == 17)).astype(np.uint8)
    return ImageSet(("a",), (mask[None].astype(np.float32),), (mask,))


def likelihoods(data: ImageSet) -> list[NDArray[np.float32]]:
    random = np.random.default_rng(0)
    return [random.random(mask.shape, dtype=np.float32) for mask in data.masks]


def row(epoch: int, offset: float = 0.0) -> Row:
    return {**{name: k / 7 + offset for k, name in enumerate(COLUMNS)}, "epoch": epoch}


def log_epochs(
    made: TrainConfig, epochs: Sequence[int], resume: Path | None = None, offset: float = 0.0
) -> ExperimentLog:
    """A run that logs these epochs and then dies: nothing is closed."""
    data = validation()
    log = ExperimentLog(made, RunFolder(made, resume), data, epochs[0] - 1)
    for epoch in epochs:
        log.epoch(row(epoch, offset), likelihoods(data))
    return log


def next_second() -> None:
    """TensorBoard orders its files by the second; no run goes on within the one it died in."""
    time.sleep(1.02 - time.time() % 1)


def events(run: Path) -> EventAccumulator:
    everything = {"scalars": 0, "images": 0, "tensors": 0}
    return EventAccumulator(str(run / "tensorboard"), everything).Reload()


def steps(run: Path) -> dict[str, list[int]]:
    found = events(run)
    tags = found.Tags()
    return {tag: [event.step for event in found.Scalars(tag)] for tag in tags["scalars"]} | {
        tag: [event.step for event in found.Images(tag)] for tag in tags["images"]
    }


def test_every_column_and_the_pictures_are_in_tensorboard(tmp_path: Path) -> None:
    """Before anything is closed: what was logged has to survive sudden death."""
    log = log_epochs(config(tmp_path / "run", "tensorboard"), [1, 2])
    found = events(tmp_path / "run")
    del log  # Which would have closed its file.
    tags = {tag.rpartition("/")[2]: tag for tag in found.Tags()["scalars"]}
    assert set(tags) == set(COLUMNS) - {"epoch"}
    for name, tag in tags.items():
        values = [(event.step, event.value) for event in found.Scalars(tag)]
        assert values == [(k, pytest.approx(row(k)[name])) for k in (1, 2)]
    groups = {tag.partition("/")[0] for tag in tags.values()}
    assert groups == {"losses", "metrics", "schedule", "time"}
    assert tags["bce"] == "losses/bce"
    assert tags["voi"] == "metrics/voi"
    assert tags["lr"] == "schedule/lr"
    assert found.Tags()["images"] == PICTURES
    for tag in PICTURES:
        for event in found.Images(tag):
            assert min(event.width, event.height) > 200
    (text,) = found.Tensors("config/text_summary")
    assert b"patch_size: 17" in text.tensor_proto.string_val[0]


def test_a_run_that_goes_on_has_every_epoch_once(tmp_path: Path) -> None:
    """Epoch 3 was logged, but the run died before its checkpoint."""
    made = config(tmp_path / "run", "tensorboard", epochs=4)
    log_epochs(made, [1, 2, 3])
    next_second()
    log_epochs(made, [3, 4], resume=tmp_path / "run", offset=100)
    found = steps(tmp_path / "run")
    assert set(PICTURES) < set(found)
    assert all(logged == [1, 2, 3, 4] for logged in found.values())
    values = [event.value for event in events(tmp_path / "run").Scalars("losses/bce")]
    assert [value > 99 for value in values] == [False, False, True, True]
    assert len(events(tmp_path / "run").Tensors("config/text_summary")) == 1


def test_a_run_that_died_in_its_first_epoch_begins_anew(tmp_path: Path) -> None:
    made = config(tmp_path / "run", "tensorboard")
    log_epochs(made, [1])
    next_second()
    log_epochs(made, [1, 2], resume=tmp_path / "run")
    assert all(logged == [1, 2] for logged in steps(tmp_path / "run").values())


def test_the_number_of_pictures_is_bounded() -> None:
    few = picture_epochs(TrainConfig(epochs=5))
    many = picture_epochs(TrainConfig(epochs=1000, topo_start_epoch=301))
    assert few >= {1, 2, 3, 4, 5}
    assert len(many) <= 10
    assert many >= {1, 300, 1000}


def test_epochs_without_pictures_have_their_numbers(tmp_path: Path) -> None:
    made = config(tmp_path / "run", "tensorboard", epochs=1000, topo_start_epoch=500)
    log_epochs(made, [1, 2])
    found = steps(tmp_path / "run")
    assert found["losses/bce"] == [1, 2]
    assert found["pictures/overlay"] == [1]


def test_nothing_wrong_has_no_patch_to_show(tmp_path: Path) -> None:
    data = validation()
    made = config(tmp_path / "run", "tensorboard")
    with ExperimentLog(made, RunFolder(made), data, 0) as log:
        log.epoch(row(1), [data.masks[0].astype(np.float32)])
    assert events(tmp_path / "run").Tags()["images"] == ["pictures/overlay"]


def test_only_the_rank_that_writes_logs(tmp_path: Path) -> None:
    made = config(tmp_path / "run", "tensorboard")
    data = validation()
    with ExperimentLog(made, RunFolder(made, write=False), data, 0) as log:
        log.epoch(row(1), likelihoods(data))
    assert not (tmp_path / "run").exists()


def test_no_logger_is_the_default(tmp_path: Path) -> None:
    assert make_loggers(TrainConfig(), tmp_path, 0) == []
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_logger_is_refused() -> None:
    with pytest.raises(ValueError, match="logger must be one of 'none', 'tensorboard', 'wandb'"):
        TrainConfig(logger="comet")


@pytest.mark.parametrize("logger", ["tensorboard", "wandb"])
def test_a_missing_package_is_one_line(
    logger: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, logger, None)
    message = f"logger '{logger}' needs a package that isn't installed: pip install {logger}"
    with pytest.raises(ValueError, match=message):
        make_loggers(config(tmp_path, logger), tmp_path, 0)
    assert list(tmp_path.iterdir()) == []


class StandIn(ModuleType):
    """The part of wandb that is used; it remembers what it was told."""

    class Error(Exception):
        """As wandb's."""

    def __init__(self, refuses: bool = False) -> None:
        super().__init__("wandb")
        self.__spec__ = ModuleSpec("wandb", None)
        self.refuses = refuses
        self.begun: list[dict[str, Any]] = []
        self.rows: list[tuple[int, dict[str, Any]]] = []
        self.exit_codes: list[int] = []

    def init(self, **options: Any) -> StandIn:
        if self.refuses:
            raise self.Error("No API key configured.")
        self.begun.append(options)
        return self

    def log(self, values: dict[str, Any], step: int, commit: bool) -> None:
        assert commit
        self.rows.append((step, values))

    def finish(self, exit_code: int) -> None:
        self.exit_codes.append(exit_code)

    @staticmethod
    def Image(pixels: NDArray[np.uint8]) -> tuple[str, tuple[int, ...]]:  # noqa: N802 - wandb's.
        assert pixels.dtype == np.uint8
        return "image", pixels.shape


def install(monkeypatch: pytest.MonkeyPatch, **options: Any) -> StandIn:
    stand_in = StandIn(**options)
    monkeypatch.setitem(sys.modules, "wandb", stand_in)
    for name in ("WANDB_PROJECT", "WANDB_NAME"):
        monkeypatch.delenv(name, raising=False)
    return stand_in


def test_wandb_gets_columns_pictures_and_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb, data = install(monkeypatch), validation()
    made = config(tmp_path / "run", "wandb")
    with ExperimentLog(made, RunFolder(made), data, 0) as log:
        log.epoch(row(1), likelihoods(data))
    (begun,) = wandb.begun
    assert begun["dir"] == str(tmp_path / "run")
    assert (begun["project"], begun["name"]) == ("toponet", "run")
    assert begun["config"].items() >= made.to_plain().items()
    ((step, values),) = wandb.rows
    assert step == 1
    assert values["schedule/lr"] == row(1)["lr"]
    assert len(values) == len(COLUMNS) - 1 + len(PICTURES)
    for name in PICTURES:
        kind, (height, width, channels) = values[name]
        assert kind == "image"
        assert min(height, width) > 200
        assert channels == 3
    assert wandb.exit_codes == [0]


def test_wandb_goes_on_under_the_same_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wandb, made = install(monkeypatch), config(tmp_path / "run", "wandb")
    log_epochs(made, [1, 2])
    log_epochs(made, [3], resume=tmp_path / "run")
    other = config(tmp_path / "other", "wandb")
    log_epochs(other, [1])
    ids = [begun["id"] for begun in wandb.begun]
    assert ids[0] == ids[1] != ids[2]
    assert all(begun["resume"] == "allow" for begun in wandb.begun)
    assert [step for step, _ in wandb.rows] == [1, 2, 3, 1]


def test_wandb_variables_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wandb = install(monkeypatch)
    monkeypatch.setenv("WANDB_PROJECT", "roads")
    monkeypatch.setenv("WANDB_NAME", "mine")
    log_epochs(config(tmp_path / "run", "wandb"), [1])
    assert (wandb.begun[0]["project"], wandb.begun[0]["name"]) == ("roads", "mine")
    assert "mode" not in wandb.begun[0]


def test_wandb_without_a_key_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, refuses=True)
    with pytest.raises(ValueError, match="W&B can't begin: No API key configured"):
        log_epochs(config(tmp_path / "run", "wandb"), [1])


def test_wandb_is_told_of_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wandb, made = install(monkeypatch), config(tmp_path / "run", "wandb")
    with (
        pytest.raises(MemoryError),
        ExperimentLog(made, RunFolder(made), validation(), 0),
    ):
        raise MemoryError
    assert wandb.exit_codes == [1]


def test_figures_are_rendered_as_they_are_saved() -> None:
    pixels = rendered(losses_figure([row(1), row(2)], 2))
    assert pixels.dtype == np.uint8
    assert pixels.shape == (396, 660, 3)
    assert len(np.unique(pixels)) > 20


# Through the trainer.


def rows_of(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_training_that_died_and_went_on_is_whole_in_tensorboard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Death after the second epoch was logged, before its checkpoint."""
    data, out = membrane_folder(tmp_path / "data", (40, 36)), tmp_path / "run"
    original = ExperimentLog.epoch

    def die(self: ExperimentLog, row: Row, found: Sequence[NDArray[np.float32]]) -> None:
        original(self, row, found)
        if row["epoch"] == 2:
            raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(ExperimentLog, "epoch", die)
        with pytest.raises(MemoryError):
            Trainer(config(out, "tensorboard", data=str(data)), Console(quiet=True)).train()
    assert steps(out)["losses/bce"] == [1, 2]
    next_second()
    Trainer(read_config(out), Console(quiet=True), resume=out).train()
    found = steps(out)
    assert set(PICTURES) < set(found)
    assert all(logged == [1, 2, 3] for logged in found.values())
    logged = [event.value for event in events(out).Scalars("metrics/voi")]
    assert logged == pytest.approx([float(row["voi"]) for row in rows_of(out)])


def test_training_without_the_package_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    out = tmp_path / "run"
    options = {**TINY, "out": out, "logger": "wandb"}
    assert cli.main([f"--{name.replace('_', '-')}={options[name]}" for name in options]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "pip install wandb" in error
    assert not out.exists()
