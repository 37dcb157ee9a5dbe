"""Large images go through the network in pieces; the pieces don't show."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from toponet.models import DIVE, UNet
from toponet.prediction.likelihood import mean_over_symmetries, predict_likelihood

CPU = torch.device("cpu")


def spread(network: DIVE) -> None:
    """Likelihoods over all of (0, 1), as a trained network's, and not all near 0.5."""
    with torch.no_grad():
        logits = network(torch.randn(1, 1, 99, 99))
        *_, weight, bias = network.parameters()
        weight.div_(logits.std())
        bias.sub_(logits.median() / logits.std())


@pytest.mark.parametrize("tile", [(16, 2048), (256, 12), (11, 13)])
def test_tiles_change_nothing(monkeypatch: pytest.MonkeyPatch, tile: tuple[int, int]) -> None:
    """In rows, columns and both: DIVE looks no farther than its margin."""
    torch.manual_seed(0)
    network = DIVE().eval()
    spread(network)
    image = np.random.default_rng(0).normal(size=(1, 20, 23)).astype(np.float32)
    whole = predict_likelihood(network, image, CPU)
    for name, side in zip(("ROWS", "COLUMNS"), tile, strict=True):
        monkeypatch.setattr(f"toponet.prediction.likelihood.{name}", side)
    assert whole.std() > 0.05
    np.testing.assert_allclose(predict_likelihood(network, image, CPU), whole, atol=1e-5)


@pytest.fixture
def sharp() -> UNet:
    """Surer than a trained U-Net: whatever differs between two windows shows in the likelihood."""
    torch.manual_seed(0)
    network = UNet().eval()
    with torch.no_grad():
        logits = network(torch.randn(1, 1, 199, 199))
    return Scaled(network, 5 / float(logits.std()), float(logits.median())).eval()


class Scaled(UNet):
    """A U-Net whose logits are moved and multiplied."""

    def __init__(self, network: UNet, scale: float, middle: float) -> None:
        super().__init__()
        self.layers, self.scale, self.middle = network.layers, scale, middle

    def dense(self, images: torch.Tensor) -> torch.Tensor:
        return (super().dense(images) - self.middle) * self.scale


@pytest.mark.parametrize("shape", [(150, 190), (371, 60), (97, 400), (257, 243)], ids=str)
@pytest.mark.parametrize("flips", [False, True])
def test_windows_change_nothing(
    sharp: UNet, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int], flips: bool
) -> None:
    """Of any size, and turned: where a window knows too little, another one knows enough."""
    sharp.prepare_for(65)
    image = np.random.default_rng(0).normal(size=(1, *shape)).astype(np.float32)

    def predict(image: NDArray[np.float32]) -> NDArray[np.float32]:
        return predict_likelihood(sharp, image, CPU)

    whole = mean_over_symmetries(predict, image) if flips else predict(image)
    monkeypatch.setattr(UNet, "window", 160)
    windows = mean_over_symmetries(predict, image) if flips else predict(image)
    assert whole.shape == shape
    assert whole.std() > 0.15
    np.testing.assert_allclose(windows, whole, rtol=0, atol=1e-4)


def test_the_reach_is_the_farthest_pixel_that_a_logit_depends_on() -> None:
    """By the gradient, for each of the places that the coarsest grid tells apart."""
    torch.manual_seed(0)
    network = UNet().double().eval()
    farthest = 0
    for place in range(96, 96 + network.stride):
        image = torch.randn(1, 1, 200, 200, dtype=torch.double, requires_grad=True)
        (gradient,) = torch.autograd.grad(network.dense(image)[0, 0, place, place], image)
        distance = (gradient[0, 0].nonzero() - place).abs().max()
        farthest = max(farthest, int(distance))
    assert farthest == network.reach


@pytest.mark.parametrize("network", [DIVE, UNet])
def test_torchs_default_device_does_not_reach_into_a_prediction(
    monkeypatch: pytest.MonkeyPatch, network: type[DIVE | UNet]
) -> None:
    """Tiles and windows of a network on the CPU stay there, wherever new tensors would lie."""
    torch.manual_seed(0)
    model = network().eval()
    monkeypatch.setattr(UNet, "window", 160)
    image = np.random.default_rng(0).normal(size=(1, 140, 135)).astype(np.float32)
    expected = predict_likelihood(model, image, CPU)
    with torch.device("meta"):
        found = predict_likelihood(model, image, CPU)
    assert np.array_equal(found, expected)


def test_the_margin_is_the_image_reflected() -> None:
    """As in training. The image is smaller than the margin, so it is reflected more than once."""
    torch.manual_seed(0)
    network = DIVE().eval()
    spread(network)
    image = np.random.default_rng(0).normal(size=(1, 12, 17)).astype(np.float32)
    mirrored = np.concatenate([image, image[:, -2:0:-1]], axis=1)  # One period: 0 1 ... 11 10 ... 1
    mirrored = np.concatenate([mirrored, mirrored[..., -2:0:-1]], axis=2)
    rows, columns = (np.arange(-32, side + 32) for side in image.shape[1:])
    padded = mirrored[:, rows % 22][..., columns % 32]
    with torch.no_grad():
        expected = torch.sigmoid(network(torch.from_numpy(padded)[None]))[0, 0].numpy()
    np.testing.assert_allclose(predict_likelihood(network, image, CPU), expected, atol=1e-6)
