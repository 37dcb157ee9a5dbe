"""DIVE: dense application must be the sliding-window classifier, made fast."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from toponet.models import DIVE


def as_classifier(dense: DIVE) -> nn.Sequential:
    """The network as drawn in the paper: strided pools, fully connected layers, one window."""
    layers: list[nn.Module] = []
    for layer in dense.layers:
        if isinstance(layer, nn.MaxPool2d):
            layers.append(nn.MaxPool2d(2, stride=2))
        elif isinstance(layer, nn.Conv2d) and layer.kernel_size in ((4, 4), (1, 1)):
            if layer.kernel_size == (4, 4):
                layers.append(nn.Flatten())
            linear = nn.Linear(layer.weight[0].numel(), layer.out_channels).double()
            linear.weight.data = layer.weight.data.flatten(1)
            assert layer.bias is not None
            linear.bias.data = layer.bias.data
            layers.append(linear)
        elif isinstance(layer, nn.Conv2d):
            plain = nn.Conv2d(layer.in_channels, layer.out_channels, layer.kernel_size)  # type: ignore[arg-type]
            plain = plain.double()
            plain.load_state_dict(layer.state_dict())
            layers.append(plain)
        else:
            layers.append(layer)
    return nn.Sequential(*layers)


@pytest.mark.parametrize(("in_channels", "out_channels"), [(1, 1), (3, 2)])
def test_dense_application_equals_classifying_each_window(
    in_channels: int, out_channels: int
) -> None:
    torch.manual_seed(0)
    dense = DIVE(in_channels, out_channels).double()
    classifier = as_classifier(dense)
    image = torch.randn(1, in_channels, 70, 74, dtype=torch.float64)
    with torch.no_grad():
        logits = dense(image)
        windows = image.unfold(2, 65, 1).unfold(3, 65, 1)
        windows = windows.permute(2, 3, 0, 1, 4, 5).reshape(-1, in_channels, 65, 65)
        expected = classifier(windows).reshape(6, 10, out_channels).permute(2, 0, 1)[None]
    torch.testing.assert_close(logits, expected)


def test_sizes_and_number_of_parameters_are_the_papers() -> None:
    assert sum(p.numel() for p in DIVE(1, 2).parameters()) == 196_402
    assert DIVE()(torch.zeros(2, 1, 65, 129)).shape == (2, 1, 1, 65)
    assert 2 * DIVE.margin + 1 == DIVE.window


def test_wrong_images_get_one_clear_sentence() -> None:
    with pytest.raises(
        ValueError, match="at least 65 x 65 pixels, its margins and one more, got 64 x 80"
    ):
        DIVE()(torch.zeros(1, 1, 64, 80))
    with pytest.raises(ValueError, match=r"\(B, 1, H, W\), got \(1, 3, 70, 70\)"):
        DIVE()(torch.zeros(1, 3, 70, 70))
    with pytest.raises(ValueError, match="out_channels must be at least 1, got 0"):
        DIVE(1, 0)
