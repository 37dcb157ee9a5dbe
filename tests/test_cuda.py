"""What is given on a GPU comes back on the GPU, with the numbers of the CPU."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

import toponet
from short_runs import train_two_steps
from toponet import metrics
from toponet.models import DIVE, UNet
from toponet.prediction import load_model

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(
        not torch.cuda.is_available(), reason="runs where PyTorch sees a CUDA device"
    ),
]
DEVICE = "cuda"


def likelihoods() -> Tensor:
    return torch.rand(3, 37, 53, generator=torch.Generator().manual_seed(7))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_segmentation_stays_on_its_device(dtype: torch.dtype) -> None:
    likelihood = likelihoods().to(dtype)
    here, there = toponet.segment(likelihood), toponet.segment(likelihood.to(DEVICE))
    for name in ("mask", "likelihood", "cells"):
        ours, theirs = getattr(here, name), getattr(there, name)
        assert theirs.device.type == DEVICE
        assert torch.equal(ours, theirs.cpu())


@pytest.mark.parametrize(
    "name",
    ["PixelAccuracy", "BettiError", "BettiNumberError", "AdaptedRandScore",
     "VariationOfInformation"],
)  # fmt: skip
def test_metric_classes_give_the_same_numbers(name: str) -> None:
    masks, truths = likelihoods() > 0.5, likelihoods().flip(-1) > 0.5
    here, there = getattr(metrics, name)(), getattr(metrics, name)().to(DEVICE)
    here.update(masks, truths)
    there.update(masks.to(DEVICE), truths.to(DEVICE))
    ours, theirs = here.compute(), there.compute()
    if not isinstance(ours, dict):
        ours, theirs = {"": ours}, {"": theirs}
    assert {k: v.item() for k, v in theirs.items()} == {k: v.item() for k, v in ours.items()}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_the_loss_trains_a_network_in_mixed_precision(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    network = UNet().to(DEVICE)
    criterion = toponet.TopoNetLoss(topo_weight=0.05, patch_size=33)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    scaler = torch.amp.GradScaler(DEVICE, enabled=dtype == torch.float16)
    images = likelihoods()[:, None].to(DEVICE)
    truths = (torch.nn.functional.avg_pool2d(images, 5, 1, 2) > 0.5).float()
    losses = []
    for _ in range(20):
        with torch.autocast(DEVICE, dtype):
            padded = torch.nn.functional.pad(images, (UNet.margin,) * 4, "reflect")
            loss = criterion(network(padded), truths)
        optimiser.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimiser)
        scaler.update()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_dive_gives_the_same_likelihood() -> None:
    torch.manual_seed(0)
    network, images = DIVE().eval(), torch.rand(1, 1, 90, 101)
    with torch.no_grad():
        here = network(images)
        there = network.to(DEVICE)(images.to(DEVICE)).cpu()
    torch.testing.assert_close(there, here, rtol=0, atol=5e-3)  # TF32 has ten bits.


def test_a_run_of_the_gpu_is_loaded_there_and_on_the_cpu(tmp_path: Path) -> None:
    run = train_two_steps(tmp_path, f"--device={DEVICE}")
    image = 255 * likelihoods()[0].numpy()  # Eight-bit grey, as the training images are.
    there = load_model(run, device=DEVICE).likelihood(image)
    here = load_model(run, device="cpu").likelihood(image)
    assert abs(there - here).max() < 5e-3
