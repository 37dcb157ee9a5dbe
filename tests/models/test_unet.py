"""The U-Net's padding: what lies around an image is what lay around the patches of training."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from short_runs import train_two_steps
from toponet.models import UNet, WideUNet
from toponet.prediction import load_model


@pytest.mark.parametrize("patch_size", [1, 17, 65, 96, 128])
def test_padding_ends_no_nearer_than_in_training(patch_size: int) -> None:
    """Reason: a network learns where convolutions see zeros; nearer ones made borders wrong."""
    network = UNet()
    network.prepare_for(patch_size)
    side = patch_size + 2 * network.margin
    in_training = network.pad(torch.zeros(1, 1, side, side)).shape[-1] - side
    assert in_training == -side % 8
    for height in range(33, 50):
        image = torch.arange(height * 41.0).reshape(1, 1, height, 41)
        padded = network.pad(image)
        torch.testing.assert_close(padded[..., :height, :41], image)
        for before, after in zip((height, 41), padded.shape[-2:], strict=True):
            assert after % 8 == 0
            assert in_training <= after - before < in_training + 8
        torch.testing.assert_close(padded[0, 0, height:, 0], image[0, 0, :-1, 0].flip(0)[
            : padded.shape[-2] - height
        ])  # fmt: skip


@pytest.mark.slow
def test_the_padding_of_training_goes_with_the_checkpoint(tmp_path: Path) -> None:
    run = train_two_steps(tmp_path, "--network=unet", "--epochs=1", "--topo-start-epoch=1")
    network = load_model(run, device="cpu").network
    assert isinstance(network, UNet)
    assert network.least_padding == 7  # 17 + 32 + 7 is a multiple of 8.


def test_the_wide_network_has_twice_the_channels() -> None:
    narrow, wide = (sum(p.numel() for p in kind().parameters()) for kind in (UNet, WideUNet))
    assert wide == pytest.approx(4 * narrow, rel=0.01)
    assert WideUNet()(torch.zeros(1, 1, 97, 65)).shape == (1, 1, 65, 33)
