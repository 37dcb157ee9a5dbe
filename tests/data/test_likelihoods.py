"""Likelihoods in the layouts of other programs: the same probabilities from every one of them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from toponet.data.likelihoods import (
    LikelihoodPages,
    Reading,
    likelihood_name,
    open_likelihoods,
    unused_likelihoods,
)

# Three slices that aren't square; two channels that add up to one, as those of a softmax do.
RNG = np.random.default_rng(0)
SLICES = RNG.random((3, 5, 7)).astype(np.float32)
ONE = SLICES[0]
SOFTMAX = np.stack([1 - SLICES, SLICES])


def ilastik(path: Path, array: NDArray[Any], axes: str) -> Path:
    """As ilastik exports it."""
    tags = {"axes": [{"key": key, "typeFlags": 2, "resolution": 0} for key in axes]}
    with h5py.File(path, "w") as file:
        file["exported_data"] = array
        file["exported_data"].attrs["axistags"] = json.dumps(tags)
    return path


def nnunet(path: Path, array: NDArray[Any], key: str = "probabilities") -> Path:
    """As nnU-Net saves it beside its label maps."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        content = io.BytesIO()
        np.save(content, array)
        archive.writestr(f"{key}.npy", content.getvalue())
    return path


def npy(path: Path, array: NDArray[Any]) -> Path:
    np.save(path, array)
    return path


def tiff(path: Path, array: NDArray[Any], **options: Any) -> Path:
    tifffile.imwrite(path, array, **options)
    return path


def png(path: Path, array: NDArray[Any]) -> Path:
    Image.fromarray(array).save(path)
    return path


def opened(path: Path | str, **reading: Any) -> LikelihoodPages:
    (series,) = open_likelihoods(str(path), Reading(**reading))
    pages = series.open()
    assert isinstance(pages, LikelihoodPages)
    return pages


def read(path: Path | str, **reading: Any) -> NDArray[np.float32]:
    """(H, W), or of a stack (N, H, W)."""
    pages = opened(path, **reading)
    likelihoods = np.stack([pages.read(i) for i in range(pages.count)])
    assert likelihoods.dtype == np.float32
    assert likelihoods.shape[1] == 1
    return likelihoods[:, 0] if pages.stack else likelihoods[0, 0]


def refusal(path: Path | str, **reading: Any) -> str:
    with pytest.raises(ValueError, match=r".") as error:
        opened(path, **reading)
    assert "\n" not in str(error.value)
    return str(error.value)


LAYOUTS: dict[str, tuple[Callable[[Path], Path], dict[str, Any], NDArray[np.float32]]] = {
    "float TIFF": (lambda d: tiff(d / "a.tif", ONE), {}, ONE),
    "TIFF stack": (lambda d: tiff(d / "a.tif", SLICES, photometric="minisblack"), {}, SLICES),
    "double TIFF": (lambda d: tiff(d / "a.tif", ONE.astype(np.float64)), {}, ONE),
    "ImageJ TIFF of channels": (
        lambda d: tiff(d / "a.tif", SOFTMAX[:, 0], imagej=True, metadata={"axes": "CYX"}),
        {"channel": 1}, ONE,
    ),
    "ImageJ TIFF of slices and channels": (
        lambda d: tiff(
            d / "a.tif", SOFTMAX.swapaxes(0, 1).copy(), imagej=True, metadata={"axes": "ZCYX"}
        ),
        {"channel": 1}, SLICES,
    ),
    "TIFF whose axes are named by hand": (
        lambda d: tiff(d / "a.tif", SOFTMAX[:, 0], photometric="minisblack"),
        {"axes": "cyx", "channel": 1}, ONE,
    ),
    "NPY": (lambda d: npy(d / "a.npy", ONE), {}, ONE),
    "NPY of slices": (lambda d: npy(d / "a.npy", SLICES), {}, SLICES),
    "NPY of channels": (lambda d: npy(d / "a.npy", SOFTMAX[:, 0]), {"channel": 1}, ONE),
    "NPY of channels and slices": (lambda d: npy(d / "a.npy", SOFTMAX), {"channel": 1}, SLICES),
    "NPY, channels last": (
        lambda d: npy(d / "a.npy", SOFTMAX[:, 0].transpose(1, 2, 0)),
        {"axes": "yxc", "channel": 1}, ONE,
    ),
    "nnU-Net, 2-D": (lambda d: nnunet(d / "a.npz", SOFTMAX[:, :1]), {"channel": 1}, ONE),
    "nnU-Net, background": (lambda d: nnunet(d / "a.npz", SOFTMAX), {"channel": 0}, 1 - SLICES),
    "nnU-Net, 3-D": (lambda d: nnunet(d / "a.npz", SOFTMAX), {"channel": 1}, SLICES),
    "nnU-Net, three axes": (lambda d: nnunet(d / "a.npz", SOFTMAX[:, 0]), {"channel": 1}, ONE),
    "nnU-Net, version 1": (
        lambda d: nnunet(d / "a.npz", SOFTMAX, "softmax"), {"channel": 1}, SLICES,
    ),
    "NPZ of one array": (lambda d: nnunet(d / "a.npz", ONE, "mine"), {}, ONE),
    "ilastik, 2-D": (
        lambda d: ilastik(d / "a.h5", SOFTMAX[:, 0].transpose(1, 2, 0), "yxc"),
        {"channel": 1}, ONE,
    ),
    "ilastik, 3-D": (
        lambda d: ilastik(d / "a.h5", SOFTMAX.transpose(1, 2, 3, 0), "zyxc"),
        {"channel": 1}, SLICES,
    ),
    "ilastik, over time, columns first": (
        lambda d: ilastik(d / "a.h5", SOFTMAX.transpose(3, 2, 1, 0), "xytc"),
        {"channel": 1}, SLICES,
    ),
    "ilastik, one channel": (lambda d: ilastik(d / "a.h5", ONE[..., None], "yxc"), {}, ONE),
    "HDF5 without axes": (lambda d: hdf5(d / "a.h5", volume=SLICES), {}, SLICES),
    "HDF5 of several": (
        lambda d: hdf5(d / "a.h5", volume=SLICES, deep__other=ONE),
        {"dataset": "deep/other"}, ONE,
    ),
}  # fmt: skip


def hdf5(path: Path, **arrays: NDArray[Any]) -> Path:
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name.replace("__", "/")] = array
    return path


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_probabilities(layout: str, tmp_path: Path) -> None:
    write, reading, expected = LAYOUTS[layout]
    np.testing.assert_array_equal(read(write(tmp_path), **reading), expected)


def test_times_and_slices_follow_each_other_times_first(tmp_path: Path) -> None:
    array = RNG.random((2, 3, 4, 5)).astype(np.float32)
    expected = array.reshape(6, 4, 5)
    np.testing.assert_array_equal(read(ilastik(tmp_path / "a.h5", array, "tzyx")), expected)
    turned = array.swapaxes(0, 1)
    np.testing.assert_array_equal(read(ilastik(tmp_path / "b.h5", turned, "ztyx")), expected)


def test_a_data_set_may_be_named_with_its_file(tmp_path: Path) -> None:
    path = hdf5(tmp_path / "a.h5", volume=SLICES, deep__other=ONE)
    np.testing.assert_array_equal(read(f"{path}:deep/other"), ONE)


@pytest.mark.parametrize(
    ("pixels", "reading", "scale", "words"),
    [
        (np.array([[0, 51, 255]], np.uint8), {}, 255, "8 bit: divided by 255"),
        (np.array([[0, 51, 65535]], np.uint16), {}, 65535, "16 bit: divided by 65535"),
        (np.array([[0, 3, 90]], np.uint8), {"scale": 100}, 100, "divided by 100, as told"),
        (np.array([[0, 51, 254.5]], np.float32), {"scale": 255}, 255, "divided by 255, as told"),
        (np.array([[0, 0, 0]], np.uint8), {}, 255, "8 bit: divided by 255"),
        (np.array([[0, 1, 0]], np.int64), {"scale": 1}, 1, "divided by 1, as told"),
    ],
)
def test_scales_are_divided_out_with_a_word_about_it(
    pixels: NDArray[Any], reading: dict[str, Any], scale: float, words: str, tmp_path: Path
) -> None:
    path = npy(tmp_path / "a.npy", pixels)
    np.testing.assert_allclose(read(path, **reading), pixels / scale, rtol=1e-6)
    assert opened(path, **reading).words == words


def test_the_bits_of_png_and_tiff_are_scales(tmp_path: Path) -> None:
    expected = np.array([[0, 0.2, 1]])
    for k, full in enumerate((255, 65535)):
        pixels = (expected * full).round().astype((np.uint8, np.uint16)[k])
        for path in (png(tmp_path / f"{k}.png", pixels), tiff(tmp_path / f"{k}.tif", pixels)):
            np.testing.assert_allclose(read(path), expected, rtol=1e-6)
            assert opened(path).words == f"{8 * (k + 1)} bit: divided by {full}"


def test_a_picture_whose_colours_are_grey_is_one_channel(tmp_path: Path) -> None:
    grey = RNG.integers(0, 256, (5, 7)).astype(np.uint8)
    path = png(tmp_path / "a.png", np.stack([grey] * 3, axis=-1))
    np.testing.assert_allclose(read(path), grey / 255, rtol=1e-6)


def test_a_channel_of_a_picture_may_be_the_likelihood(tmp_path: Path) -> None:
    colours = RNG.integers(0, 256, (5, 7, 3)).astype(np.uint8)
    path = png(tmp_path / "a.png", colours)
    np.testing.assert_allclose(read(path, channel=2), colours[..., 2] / 255, rtol=1e-6)
    assert "got colours" in refusal(path)


def test_logits_become_probabilities_when_told(tmp_path: Path) -> None:
    """Oracle: the formulas; logits of a thousand are 0 or 1, and no overflow."""
    logits = np.linspace(-4, 4, 24).reshape(2, 3, 4)
    logits[0, 0, 0] = 1000
    path = npy(tmp_path / "a.npy", logits)
    with np.errstate(over="ignore"):
        sigmoid, powers = 1 / (1 + np.exp(-logits)), np.exp(logits - logits.max(axis=0))
    np.testing.assert_allclose(read(path, logits="sigmoid"), sigmoid, atol=1e-6)
    np.testing.assert_allclose(read(path, logits="sigmoid", channel=1), sigmoid[1], atol=1e-6)
    softmax = powers / powers.sum(axis=0)
    for channel in (0, 1):
        found = read(path, logits="softmax", channel=channel)
        np.testing.assert_allclose(found, softmax[channel], atol=1e-6)
    words = opened(path, logits="softmax", channel=1).words
    assert words == "axes read as cyx, logits: softmax, channel 1"


def test_what_rounding_left_outside_is_put_at_the_end(tmp_path: Path) -> None:
    for dtype in (np.float16, np.float32, np.float64):
        values = np.array([[0, 0.5, 1 + np.finfo(dtype).eps]], dtype)
        assert read(npy(tmp_path / "a.npy", values)).max() == 1
        assert opened(tmp_path / "a.npy").words == ""


VALUES: list[tuple[NDArray[Any], dict[str, Any], str]] = [
    (np.array([[0, 0.5, 250]], np.float32), {},
     "holds values from 0 to 250, no probabilities in [0, 1]: --scale says what stands for 1, "
     "perhaps 255"),
    (np.array([[0, 0.5, 97]], np.float32), {}, "perhaps 100"),
    (np.array([[-3, 0.5, 4]], np.float32), {},
     "holds values from -3 to 4, no probabilities in [0, 1]: if they are logits, --logits sigmoid "
     "or --logits softmax converts them"),
    (np.array([[0, 1, 2]], np.float32), {}, "they look like classes"),
    (np.array([[-0.01, 0.5, 1.02]], np.float32), {},
     "if resampling left some of them outside, clip them to [0, 1] first"),
    (np.array([[(0.5, 1)]], [("a", "f4"), ("b", "f4")]), {}, "must hold real numbers"),
    (np.array([[0, 0.5, np.nan]], np.float32), {}, "holds NaN or infinite values"),
    (np.array([[0, 0.5, np.inf]], np.float32), {"scale": 3}, "holds NaN or infinite values"),
    (np.array([[0, 0.5, 255.0]], np.float32), {"scale": 100},
     "holds values from 0 to 255; divided by 100 (--scale) they don't lie in [0, 1]"),
    (np.array([[0, 1, 1]], np.float32), {}, "is a mask and no likelihood"),
    (np.array([[0, 255, 0]], np.uint8), {}, "is a mask and no likelihood"),
    (np.array([[0, 1, 0]], np.uint8), {}, "is a mask and no likelihood"),
    (np.array([[False, True]]), {}, "is a mask and no likelihood"),
    (np.array([[0, 1, 2, 3]], np.uint8), {},
     "is hardly a likelihood: 0, 1, 2, 3 stay below half of 255; if it is one, --scale 255 takes "
     "255 for 1"),
    (np.kron(np.array([[60, 90], [130, 200]], np.uint8), np.ones((4, 5), np.uint8)), {},
     "as in numbered regions"),
    (np.array([[0, 1, 2]], np.int64), {},
     "must be 8 bit, 16 bit or floating point, got int64; --scale says what stands for 1"),
    (np.array([[0, 0.5, 1]], np.float32), {"logits": "sigmoid"},
     "lies in [0, 1], so that it holds probabilities and no logits"),
    (np.array([[0, 7]], np.uint8), {"logits": "sigmoid"}, "must be floating point to hold logits"),
    (np.array([[0, 1j]]), {}, "must hold real numbers, got complex128"),
    (np.array([0.5]), {}, "must hold rows and columns, got shape (1,)"),
    (np.zeros((0, 3)), {}, "must hold rows and columns, got shape (0, 3)"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "reading", "words"), VALUES, ids=str)
def test_values_that_are_no_probabilities_are_refused(
    values: NDArray[Any], reading: dict[str, Any], words: str, tmp_path: Path
) -> None:
    path = npy(tmp_path / "a.npy", values)
    sentence = refusal(path, **reading)
    assert sentence.startswith(str(path))
    assert words in sentence


def test_a_faint_page_is_no_reason_to_refuse_a_stack(tmp_path: Path) -> None:
    """Reason: a file has one scale; alone, the page would be taken for classes."""
    faint = np.arange(12).reshape(3, 4)
    for pages in (np.stack([faint, 20 * faint]), np.stack([20 * faint, faint])):
        path = npy(tmp_path / "a.npy", pages.astype(np.uint8))
        np.testing.assert_allclose(read(path), pages / 255, rtol=1e-6)
    assert "hardly a likelihood" in refusal(npy(tmp_path / "b.npy", faint.astype(np.uint8)))


@pytest.mark.parametrize("high", [1, 255])
def test_a_large_mask_is_a_mask_and_a_large_likelihood_none(high: int, tmp_path: Path) -> None:
    """Reason: of large images a sample is looked at first, which may miss the few other values."""
    mask = np.zeros((130, 200), np.uint8)
    mask[64, 99] = high
    assert "is a mask" in refusal(npy(tmp_path / "a.npy", mask))
    mask[7, 3:6] = 1, 2, 254
    assert read(npy(tmp_path / "a.npy", mask)).max() > 0.99


def test_one_page_is_reason_enough_to_refuse_a_stack(tmp_path: Path) -> None:
    for k in range(3):
        pages = SLICES.copy()
        pages[k, 2, 3] = 254
        assert "holds values from" in refusal(npy(tmp_path / "a.npy", pages))


LAYOUT_MISTAKES: list[tuple[Callable[[Path], Path], dict[str, Any], str]] = [
    (lambda d: nnunet(d / "a.npz", SOFTMAX), {},
     "probabilities holds 2 channels; choose that of the structure with --channel, 0 to 1"),
    (lambda d: nnunet(d / "a.npz", SOFTMAX), {"channel": 2},
     "holds 2 channel(s), numbered from 0; --channel 2 isn't among them"),
    (lambda d: npy(d / "a.npy", SOFTMAX), {}, "nothing says which axis is which"),
    (lambda d: npy(d / "a.npy", SOFTMAX[:, 0]), {}, "nothing says which axis is which"),
    (lambda d: npy(d / "a.npy", (255 * SOFTMAX[:, 0]).astype(np.uint8)), {},
     "nothing says which axis is which"),
    (lambda d: npy(d / "a.npy", SLICES.transpose(1, 2, 0)), {}, "nothing says which axis is which"),
    (lambda d: npy(d / "a.npy", ONE), {"channel": 1},
     "has no axis of channels (shape (5, 7), axes yx); leave --channel out"),
    (lambda d: npy(d / "a.npy", SLICES), {"axes": "yx"},
     "has shape (3, 5, 7), but 'yx' names 2 axes; name each with --axes"),
    (lambda d: npy(d / "a.npy", SLICES), {"axes": "zyy"}, "has the axes 'zyy'; expected y and x"),
    (lambda d: npy(d / "a.npy", SLICES), {"axes": "zyq"}, "has the axes 'zyq'; expected y and x"),
    (lambda d: npy(d / "a.npy", ONE), {"dataset": "b"}, "has no data set 'b': it holds one array"),
    (lambda d: tiff(d / "a.tif", ONE), {"dataset": "b"}, "has no data set 'b': it holds one array"),
    (lambda d: ilastik(d / "a.h5", ONE, "yv"), {}, "has the axes 'yv'; expected y and x"),
    (lambda d: hdf5(d / "a.h5", one=ONE, two=SLICES), {},
     "holds 2 data sets, one (5, 7), two (3, 5, 7); name one with --dataset"),
    (lambda d: hdf5(d / "a.h5", one=ONE), {"dataset": "two"},
     "has no data set 'two'; it holds one (5, 7)"),
    (lambda d: hdf5(d / "a.h5"), {}, "holds no data set"),
    (lambda d: nnunet(d / "a.npz", ONE, "one"), {"dataset": "two"}, "has no array 'two'; it holds"),
    (lambda d: two_arrays(d / "a.npz"), {}, "holds 2 arrays, one, two; name one with --dataset"),
    (lambda d: npy(d / "a.npy", ONE), {"logits": "softmax"}, "has one channel, of which a softmax"),
    (lambda d: d / "a.npy", {}, "does not exist"),
]  # fmt: skip


def two_arrays(path: Path) -> Path:
    np.savez(path, one=ONE, two=ONE)
    return path


@pytest.mark.parametrize(("write", "reading", "words"), LAYOUT_MISTAKES)
def test_layouts_that_are_not_clear_are_refused_with_the_cure(
    write: Callable[[Path], Path], reading: dict[str, Any], words: str, tmp_path: Path
) -> None:
    path = write(tmp_path)
    if words == "does not exist":
        with pytest.raises(ValueError, match=words):
            open_likelihoods(str(path), Reading())
        return
    sentence = refusal(path, **reading)
    assert str(path) in sentence
    assert words in sentence


def test_an_attribute_that_names_no_axes_is_refused(tmp_path: Path) -> None:
    path = hdf5(tmp_path / "a.h5", one=ONE)
    with h5py.File(path, "a") as file:
        file["one"].attrs["axistags"] = "rows, columns"
    assert "has an attribute axistags that names no axes" in refusal(path)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".h5", ".tif", ".png"])
def test_a_damaged_file_is_named(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"something else altogether")
    assert str(path) in refusal(path)


@pytest.mark.parametrize(
    "reading",
    [{"channel": -1}, {"scale": 0}, {"scale": -1.0}, {"logits": "tanh"},
     {"scale": 255, "logits": "sigmoid"}],
)  # fmt: skip
def test_a_reading_that_no_file_could_have_is_refused(reading: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=rf"{next(iter(reading))} must"):
        Reading(**reading)


def names(folder: Path) -> list[str]:
    return [series.name for series in open_likelihoods(str(folder), Reading())]


def test_label_maps_and_images_beside_arrays_are_not_read(tmp_path: Path) -> None:
    """As nnU-Net writes them: NAME.npz with the softmax, NAME.png with the classes."""
    for name in ("a", "b"):
        nnunet(tmp_path / f"{name}.npz", SOFTMAX)
        png(tmp_path / f"{name}.png", (ONE > 0.5).astype(np.uint8))
    (tmp_path / ".hidden.npy").touch()
    assert names(tmp_path) == ["a", "b"]
    assert unused_likelihoods(str(tmp_path)) == [f"not read in {tmp_path} (2): a.png, b.png"]


def test_what_the_predictor_writes_besides_is_not_read(tmp_path: Path) -> None:
    tiff(tmp_path / "a_likelihood.tif", ONE)
    for kind in ("mask", "cells", "overlay"):
        png(tmp_path / f"a_{kind}.png", np.zeros((5, 7), np.uint8))
    tiff(tmp_path / "image.tif", ONE)
    assert names(tmp_path) == ["a"]
    for name in ("a_likelihood.tif", "image.tif"):
        (tmp_path / name).unlink()
    with pytest.raises(ValueError, match="holds masks, cells and overlays, and no likelihood"):
        names(tmp_path)


def test_names_are_those_of_the_images(tmp_path: Path) -> None:
    for file, name in (
        ("a_likelihood.tif", "a"), ("a_Probabilities.h5", "a"), ("a.ome.tif", "a"), ("a.npy", "a"),
        ("likelihood.tif", "likelihood"),
    ):  # fmt: skip
        assert likelihood_name(tmp_path / file) == name


def test_two_likelihoods_of_one_name_are_refused(tmp_path: Path) -> None:
    npy(tmp_path / "a.npy", ONE)
    nnunet(tmp_path / "a.npz", SOFTMAX)
    with pytest.raises(ValueError, match=r"a\.np[yz] and .*a\.np[yz] have the same name"):
        names(tmp_path)
