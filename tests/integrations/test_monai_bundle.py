"""The MONAI bundle of docs/monai_bundle trains and infers by MONAI's own command."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.bundle.config_parser import ConfigParser
from numpy.typing import NDArray
from PIL import Image

import toponet
from toponet.data import synthetic_membranes

BUNDLE = Path(__file__).resolve().parents[2] / "docs" / "monai_bundle"
METADATA = json.loads((BUNDLE / "configs" / "metadata.json").read_text(encoding="utf-8"))


def configuration(name: str, **entries: Any) -> ConfigParser:
    parser = ConfigParser()
    parser.read_config(BUNDLE / "configs" / name)
    parser.update(entries)
    return parser


def content(parser: ConfigParser, name: str) -> Any:
    return parser.get_parsed_content(name)


def monai_bundle_run(bundle: Path, config: str, **entries: str) -> str:
    """By MONAI's own command, in the bundle's root; what it printed."""
    pytest.importorskip("ignite", reason="to run the bundle: pip install '.[monai]'")
    pytest.importorskip("fire", reason="to run the bundle: pip install '.[monai]'")
    overrides = [part for key, value in entries.items() for part in (f"--{key}", value)]
    done = subprocess.run(
        [sys.executable, "-m", "monai.bundle", "run", "--config_file", config, *overrides],
        cwd=bundle,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def membranes(tmp_path: Path) -> Path:
    """A folder of images that aren't square, as a user has it."""
    folder = tmp_path / "membranes"
    data = synthetic_membranes(count=3, size=(40, 56))
    for name, image, mask in zip(data.names, data.images, data.masks, strict=True):
        for part, pixels in (("images", image[0] * 100 + 80), ("labels", mask * 255)):
            (folder / part).mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(
                folder / part / f"{name}.png"
            )
    return folder


def expected_mask(bundle: Path, image: NDArray[np.uint8], **numbers: Any) -> NDArray[np.bool_]:
    """Oracle: the kept network's likelihood, put together in a few lines, and toponet.segment."""
    grey = torch.from_numpy(image.astype(np.float32))[None, None]
    grey = (grey - grey.mean()) / grey.std(correction=0)
    parser = configuration("inference.yaml", patch_size=[32, 32], cases=[{"image": grey[0]}])
    network = content(parser, "network_def").eval()
    network.load_state_dict(torch.load(bundle / "models" / "model.pt"))
    with torch.no_grad():
        logits = content(parser, "inferer")(grey, network)
    mask: NDArray[np.bool_] = toponet.segment(logits[0].sigmoid().numpy(), **numbers).mask[0]
    return mask


@pytest.mark.slow
def test_the_bundle_trains_and_infers_by_monais_own_command(
    membranes: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(BUNDLE, bundle)
    small = {"dataset_dir": str(membranes), "patch_size": "[32,32]"}
    printed = monai_bundle_run(
        bundle, "configs/train.yaml", max_epochs="2", topo_start_epoch="2", topo_weight="9", **small
    )
    # The one step of the second epoch, whose loss has the topological part.
    first, second = (
        float(line.split("train_loss:")[1])
        for line in printed.splitlines()
        if "train_loss:" in line
    )
    assert second > 2 * first
    assert "betti_error_1_by_persistence" in printed
    small["dataset_dir"] = str(membranes / "images")
    monai_bundle_run(bundle, "configs/inference.yaml", keep="0.01", add="0.05", **small)
    masks = sorted((bundle / "predictions").iterdir())
    images = sorted((membranes / "images").iterdir())
    assert [mask.name for mask in masks] == [f"{image.stem}_mask.png" for image in images]
    for mask, image in zip(masks, images, strict=True):
        found = np.asarray(Image.open(mask))
        assert set(np.unique(found)) <= {0, 255}
        expected = expected_mask(bundle, np.asarray(Image.open(image)), keep=0.01, add=0.05)
        assert (found == 255 * expected).mean() > 0.999  # Two processes may round a pixel apart.


def test_both_configurations_describe_one_network() -> None:
    train, inference = (configuration(name) for name in ("train.yaml", "inference.yaml"))
    for entry in ("network_def", "preprocessing", "patch_size", "keep", "add"):
        assert train[entry] == inference[entry], entry
    assert train["validate#inferer"] == inference["inferer"]


def test_the_metadata_have_what_monais_schema_asks_for() -> None:
    """The schema itself lies on the network: its lists of what is required, as of 2024-07-25."""
    required = (
        "schema version monai_version pytorch_version numpy_version required_packages_version "
        "task description authors copyright network_data_format"
    )
    assert set(required.split()) <= set(METADATA)
    tensor = {"type", "format", "num_channels", "spatial_shape", "dtype", "value_range"}
    formats = METADATA["network_data_format"]
    for entry in (*formats["inputs"].values(), *formats["outputs"].values()):
        assert tensor <= set(entry)
    assert METADATA["version"] in METADATA["changelog"]


def test_the_network_takes_and_gives_what_the_metadata_say() -> None:
    """At the two smallest sizes of the pattern 8*n that aren't square."""
    formats = METADATA["network_data_format"]
    image, pred = formats["inputs"]["image"], formats["outputs"]["pred"]
    assert image["spatial_shape"] == pred["spatial_shape"] == ["8*n", "8*n"]
    grey = torch.rand(1, image["num_channels"], 16, 24)
    network = content(configuration("inference.yaml", cases=[{"image": grey[0]}]), "network_def")
    logits = network.eval()(grey)
    assert logits.shape == (1, pred["num_channels"], 16, 24)
