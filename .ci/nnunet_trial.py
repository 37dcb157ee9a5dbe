"""Trains nnU-Net v2 itself with the topological loss, predicts, and segments by persistence.

Two tiny data sets in nnU-Net's layout, of images that aren't square: classes with an ignore label,
and regions. A third one of volumes, which is only trained on. Each has two epochs of a few steps,
the second with topology.
"""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from toponet.data import synthetic_membranes
from toponet.integrations.nnunet_search import VARIABLE

# As docs/integrations.md says that own trainers are made.
TRAINER = """
import torch
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from toponet.integrations.nnunet import WithTopology


class FewSteps(WithTopology, nnUNetTrainer):
    topo_start_epoch = 1

    def __init__(self, plans, configuration, fold, dataset_json, device=torch.device("cuda")):
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.num_epochs = 2
        self.num_iterations_per_epoch = 9
        self.num_val_iterations_per_epoch = 1
"""
SIZE = (72, 104)
VOLUME = (24, 40, 56)
CASES = 5


@dataclass(frozen=True)
class Trial:
    """A data set.

    Attributes:
        name: Of the data set, with its number.
        labels: As dataset.json has them.
        more: The rest of what dataset.json has to say of them.
        channel: Of the structure, in nnU-Net's probabilities.
    """

    name: str
    labels: dict[str, Any]
    more: dict[str, Any]
    channel: int

    @property
    def number(self) -> str:
        """By which nnU-Net knows it."""
        return self.name[len("Dataset") :].partition("_")[0]


TRIALS = [
    Trial("Dataset001_Ignore", {"background": 0, "membrane": 1, "ignore": 2}, {}, channel=1),
    Trial(
        "Dataset002_Regions",
        {"background": 0, "tissue": [1, 2], "membrane": 1},
        {"regions_class_order": [2, 1]},
        channel=1,
    ),
]


def labels_of(trial: Trial, mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """A label map: membranes 1, and a band at the right that is ignored, or part of the tissue."""
    labels = mask.astype(np.uint8)
    band = np.arange(SIZE[1]) >= SIZE[1] - 20
    labels[band & (("ignore" in trial.labels) | ~mask)] = 2
    return labels


def write_data_set(trial: Trial, raw: Path) -> None:
    """Images and label maps in nnU-Net's layout; two of the images are to be predicted."""
    folder = raw / trial.name
    for part in ("imagesTr", "labelsTr", "imagesTs"):
        (folder / part).mkdir(parents=True)
    data = synthetic_membranes(count=CASES, size=SIZE)
    for k, (image, mask) in enumerate(zip(data.images, data.masks, strict=True)):
        grey = np.asarray(image, dtype=np.float64).reshape(SIZE)
        grey = 255 * (grey - grey.min()) / np.ptp(grey)
        picture = Image.fromarray(grey.astype(np.uint8))
        picture.save(folder / "imagesTr" / f"case_{k}_0000.png")
        labels = labels_of(trial, np.asarray(mask).reshape(SIZE) > 0)
        Image.fromarray(labels).save(folder / "labelsTr" / f"case_{k}.png")
        if k < 2:
            picture.save(folder / "imagesTs" / f"case_{k}_0000.png")
    description = {
        "channel_names": {"0": "grey"},
        "labels": trial.labels,
        "numTraining": CASES,
        "file_ending": ".png",
        **trial.more,
    }
    (folder / "dataset.json").write_text(json.dumps(description))


def write_volumes(folder: Path) -> None:
    """Tubes in nnU-Net's layout, as NIfTI files."""
    import SimpleITK

    for part in ("imagesTr", "labelsTr"):
        (folder / part).mkdir(parents=True)
    rng = np.random.default_rng(0)
    for k in range(CASES):
        first, second = (gaussian_filter(rng.normal(size=VOLUME), 4) for _ in range(2))
        mask = (np.abs(first) < 0.5 * first.std()) & (np.abs(second) < 0.5 * second.std())
        image = (mask + 0.3 * rng.normal(size=VOLUME)).astype(np.float32)
        name = f"case_{k}"
        SimpleITK.WriteImage(
            SimpleITK.GetImageFromArray(image), folder / "imagesTr" / f"{name}_0000.nii.gz"
        )
        SimpleITK.WriteImage(
            SimpleITK.GetImageFromArray(mask.astype(np.uint8)),
            folder / "labelsTr" / f"{name}.nii.gz",
        )
    description = {
        "channel_names": {"0": "grey"},
        "labels": {"background": 0, "tube": 1},
        "numTraining": CASES,
        "file_ending": ".nii.gz",
    }
    (folder / "dataset.json").write_text(json.dumps(description))


def narrow(plans: Path, configuration: str) -> None:
    """Makes the network of nnU-Net's plans so narrow that its steps take no time."""
    found = json.loads(plans.read_text())
    network = found["configurations"][configuration]["architecture"]["arch_kwargs"]
    network["features_per_stage"] = [4 for _ in network["features_per_stage"]]
    plans.write_text(json.dumps(found))


class Workplace:
    """A folder in which nnU-Net's commands run.

    Args:
        folder: Empty.
    """

    def __init__(self, folder: Path) -> None:
        """Makes nnU-Net's folders, and one with the trainer above."""
        self.folder = folder
        trainers = folder / "own_trainers"
        trainers.mkdir()
        (trainers / "few_steps.py").write_text(TRAINER)
        names = ("raw", "preprocessed", "results")
        for name in names:
            (folder / name).mkdir()
        installed = os.environ[VARIABLE]
        self.environment = {
            **os.environ,
            **{f"nnUNet_{name}": str(folder / name) for name in names},
            VARIABLE: f"{installed}{os.pathsep}{trainers}",
            "nnUNet_def_n_proc": "1",
            "OMP_NUM_THREADS": "1",
        }

    def run(self, *command: object, **more: str) -> None:
        """Shows the command and its time; its output only if it fails.

        Args:
            *command: Its words.
            **more: Environment variables for it alone.
        """
        words = [str(word) for word in command]
        print("$", " ".join(words), end=" ", flush=True)
        started = time.perf_counter()
        done = subprocess.run(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**self.environment, **more},
        )
        print(f"({time.perf_counter() - started:.0f} s)", flush=True)
        if done.returncode:
            sys.exit(f"{done.stdout}\nexit code {done.returncode}")


def check_training(folder: Path) -> None:
    """Topology from the second epoch on, finite losses, and a weight in the checkpoint."""
    (log,) = folder.glob("training_log_*.txt")
    first, second = log.read_text().split("Epoch 1")
    assert "topological loss" not in first
    found = re.search(r"topological loss (\S+), weight (\S+)", second)
    assert found is not None, second
    losses = [float(x) for x in re.findall(r"(?:train|val)_loss (\S+)", first + second)]
    assert len(losses) == 4, losses
    assert all(math.isfinite(loss) for loss in losses), losses
    checkpoint = torch.load(folder / "checkpoint_final.pth", weights_only=False)
    kept = checkpoint["optimizer_state"]["param_groups"][0]["topo_weight"]
    assert kept > 0
    print(f"topological loss {found[1]}, weight {kept:.4g}; losses of the epochs {losses}")


def check_masks(trial: Trial, predicted: Path, masks: Path) -> None:
    """A plain cut at 0.5 is nnU-Net's own label map: the same class, and the same axes.

    Probabilities of 0.5 are left out. nnU-Net has many, because its logits are half precision, and
    takes them for background.
    """
    for k in range(2):
        with np.load(predicted / f"case_{k}.npz") as probabilities:
            undecided = probabilities["probabilities"][trial.channel, 0] == 0.5
        own = np.asarray(Image.open(predicted / f"case_{k}.png")) == 1
        cut = np.asarray(Image.open(masks / f"case_{k}_mask.png")) > 0
        assert cut.shape == SIZE
        assert undecided.mean() < 0.01
        assert np.array_equal(cut & ~undecided, own & ~undecided), trial.name


def try_one(trial: Trial, place: Workplace) -> None:
    """The way of a user, from a data set to masks by persistence."""
    folder, number, run = place.folder, trial.number, place.run
    write_data_set(trial, folder / "raw")
    run("nnUNetv2_plan_and_preprocess", "-d", number, "-c", "2d", "-np", 1, "-npfp", 1)
    narrow(folder / "preprocessed" / trial.name / "nnUNetPlans.json", "2d")
    how = ["-tr", "FewSteps", "-device", "cpu"]
    run("nnUNetv2_train", number, "2d", "all", *how, nnUNet_n_proc_DA="0")
    check_training(folder / "results" / trial.name / "FewSteps__nnUNetPlans__2d" / "fold_all")
    images, predicted = folder / "raw" / trial.name / "imagesTs", folder / f"predicted_{number}"
    what = ["-i", images, "-o", predicted, "-d", number, "-c", "2d", "-f", "all", *how]
    run("nnUNetv2_predict", *what, "--save_probabilities", "--disable_tta", "-npp", 1, "-nps", 1)
    likelihoods, cut = [predicted, "--channel", trial.channel], folder / f"cut_{number}"
    run("toponet-segment", *likelihoods, "--keep", 0, "--add", "null", "--out", cut)
    check_masks(trial, predicted, cut)
    run("toponet-segment", *likelihoods, "--images", images, "--out", folder / f"masks_{number}")


def try_volumes(place: Workplace) -> None:
    """A training on volumes."""
    name, configuration = "Dataset003_Volumes", "3d_fullres"
    write_volumes(place.folder / "raw" / name)
    place.run("nnUNetv2_plan_and_preprocess", "-d", 3, "-c", configuration, "-np", 1, "-npfp", 1)
    narrow(place.folder / "preprocessed" / name / "nnUNetPlans.json", configuration)
    how = ["-tr", "FewSteps", "-device", "cpu"]
    place.run("nnUNetv2_train", 3, configuration, "all", *how, nnUNet_n_proc_DA="0")
    run_folder = place.folder / "results" / name / f"FewSteps__nnUNetPlans__{configuration}"
    check_training(run_folder / "fold_all")


def main() -> None:
    """Runs all of it in a folder, which is empty."""
    place = Workplace(Path(sys.argv[1]).resolve())
    for trial in TRIALS:
        try_one(trial, place)
    try_volumes(place)
    print("nnU-Net trains with the topological loss, and its predictions are segmented")


if __name__ == "__main__":
    main()
