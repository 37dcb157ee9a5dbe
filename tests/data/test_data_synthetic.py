"""Images from the generators: the truth is whole, the image isn't."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import toponet
from toponet.data import load_data, open_data, synthetic_membranes
from toponet.data.source import with_seed

FAMILIES = ["membranes", "vessels", "roads", "cracks"]


@pytest.mark.parametrize("family", FAMILIES)
def test_synthetic_images_follow_from_family_seed_and_index(family: str) -> None:
    a, b, other = (
        load_data(f"synthetic:{family},count={count},size=70x90", seed)
        for count, seed in ((2, 3), (1, 3), (1, 4))
    )
    np.testing.assert_array_equal(a.images[0], b.images[0])
    np.testing.assert_array_equal(a.masks[0], b.masks[0])
    assert (a.images[0] != other.images[0]).any()
    assert (a.images[0] != a.images[1]).any()
    assert a.masks[0].shape == a.images[0].shape[1:] == (70, 90)
    assert a.names == (f"{family}_000", f"{family}_001")
    assert a.channels == (3 if family in ("vessels", "roads") else 1)
    assert 0.01 < np.mean(a.masks) < 0.4


def test_synthetic_membranes_are_the_default_and_their_seed_an_option() -> None:
    asked = synthetic_membranes(1, (30, 40), seed=5)
    for spec, seed in (
        ("synthetic:,count=1,size=30x40", 5),
        ("synthetic:,count=1,size=30x40,seed=5", 1),
    ):
        np.testing.assert_array_equal(load_data(spec, seed).images[0], asked.images[0])
    assert load_data("synthetic:roads,count=1,size=30").masks[0].shape == (30, 30)


@pytest.mark.parametrize(
    "spec",
    ["synthetic", "synthetic:vessels", "synthetic:,count=2", "synthetic:roads,seed=3,size=30"],
)
def test_with_its_seed_spelled_out_a_data_set_is_the_same(spec: str) -> None:
    spelled = with_seed(spec, 7)
    assert "seed=" in spelled
    ours, theirs = (open_data(text, seed)[0] for text, seed in ((spelled, 0), (spec, 7)))
    assert ours.origin == theirs.origin
    assert with_seed(spelled, 8) == spelled


def test_files_have_no_seed(tmp_path: Path) -> None:
    for spec in (f"isbi12:{tmp_path}", str(tmp_path)):
        assert with_seed(spec, 7) == spec


def test_synthetic_membranes_break_in_the_image_but_not_in_the_truth() -> None:
    """The truth has many cells and no loose piece; some of its membrane is as bright as a cell."""
    data = synthetic_membranes(3, (200, 240))
    for image, truth in zip(data.images, data.masks, strict=True):
        components, holes = toponet.betti_numbers(truth, frame=True)[0]
        assert holes > 30
        assert components <= 1
        membrane, cell = image[0][truth == 1], image[0][truth == 0]
        assert membrane.mean() < cell.mean() - 0.1
        assert (membrane > np.median(cell)).mean() > 0.01


@pytest.mark.parametrize(("family", "sign"), [("vessels", -1), ("roads", 1), ("cracks", -1)])
def test_other_families_break_in_the_image_but_not_in_the_truth(family: str, sign: int) -> None:
    """Vessels are one tree; each road and crack reaches the border, so none is a loose piece.

    Some of the structure is no brighter (or darker) than what surrounds it.
    """
    data = load_data(f"synthetic:{family},count=3,size=150x180")
    for image, truth, valid in zip(data.images, data.masks, data.valid, strict=True):
        components, _ = toponet.betti_numbers(truth, frame=family != "vessels")[0]
        assert components == (1 if family == "vessels" else 0)
        assert (valid is not None) == (family == "vessels")
        around = (truth == 0) & (True if valid is None else valid == 1)
        grey = image[len(image) // 2]
        contrast = sign * (grey - np.median(grey[around]))
        assert contrast[truth == 1].mean() > 0.03
        assert 0.01 < (contrast[truth == 1] < 0).mean() < 0.4


def test_vessels_lie_in_the_round_field_of_view() -> None:
    data = load_data("synthetic:vessels,count=1,size=101x140")
    valid = data.valid[0]
    assert valid is not None
    assert valid[50, 70] == 1
    assert valid[0, 0] == valid[50, 0] == 0
    assert not (data.masks[0] & ~valid & 1).any()
    assert data.images[0][:, valid == 0].max() < 0.2


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("size", ["1", "1x3", "5x2"])
def test_tiny_synthetic_images_are_made(family: str, size: str) -> None:
    data = load_data(f"synthetic:{family},count=4,size={size}")
    assert all(np.isfinite(image).all() for image in data.images)


def test_an_image_that_memory_cannot_hold_is_refused_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("toponet._ground.reading.machine_memory", lambda: 2.0**30)
    with pytest.raises(ValueError, match=r"synthetic image of 4096 x 8192, .* too large for the"):
        open_data("synthetic:,count=1,size=4096x8192")
    open_data("synthetic:,count=1,size=1024x2048")


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("synthetic:rivers", "family must be one of 'membranes', .*'cracks', got 'rivers'"),
        ("synthetic:,count=0", "count must be at least 1, got 0"),
        ("synthetic:,count=1000000000", "count must be at most 100000, got 1000000000"),
        ("synthetic:,size=0", "each side of size must be at least 1, got 0"),
        ("synthetic:,size=3x40000", "each side of size must be at most 32768, got 40000"),
        ("synthetic:,size=3x3x3", "size must be one side or HEIGHTxWIDTH, got '3x3x3'"),
        ("synthetic:,size=big", "size must be a whole number, got 'big'"),
        ("synthetic:roads,dilation=2", "synthetic has no option 'dilation'; its options: count"),
    ],
)
def test_impossible_synthetic_data_are_refused(spec: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        load_data(spec)
