"""Large images go through the network in pieces; the pieces don't show."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from toponet.data import synthetic_membranes
from toponet.models import DIVE, UNet
from toponet.prediction import predict_likelihood

CPU = torch.device("cpu")


def spread(network: DIVE | UNet) -> None:
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


def test_blended_windows_come_near_the_whole_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """The U-Net looks farther than its margin, so a little changes; but no seam can be seen."""
    torch.manual_seed(0)
    network = UNet().eval()
    data = synthetic_membranes(1, (150, 190))
    image = (data.images[0] - data.images[0].mean()) / data.images[0].std()
    whole = predict_likelihood(network, image, CPU)
    monkeypatch.setattr(UNet, "window", 96)
    blended = predict_likelihood(network, image, CPU)
    assert 0 < np.abs(blended - whole).mean() < 0.2 * whole.std()
    for axis in (0, 1):
        # Mean step from each row, or column, to the next.
        steps, expected = (
            np.abs(np.diff(f, axis=axis)).mean(axis=1 - axis) for f in (blended, whole)
        )
        assert np.abs(steps - expected).max() < 0.2 * expected.mean()
