"""Images from files and from the generator; folds; patches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import png
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

import toponet
from toponet.data import (
    ImageSet,
    Normalisation,
    PatchSampler,
    fold_split,
    load_folder,
    pad_reflected,
    synthetic_membranes,
)

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def write(folder: Path, name: str, image: NDArray[Any], mask: NDArray[Any]) -> None:
    for kind, pixels in (("images", image), ("labels", mask)):
        path = folder / kind / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".png":
            Image.fromarray(pixels).save(path)
        else:
            tifffile.imwrite(path, pixels)


def grey(dtype: type, channels: int | None = None, top: int = 200) -> NDArray[Any]:
    shape = (7, 9) if channels is None else (7, 9, channels)
    return np.random.default_rng(0).integers(0, top, shape).astype(dtype)


def mask(high: int = 255) -> NDArray[np.uint8]:
    return (np.eye(7, 9) * high).astype(np.uint8 if high < 256 else np.uint16)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff"])
@pytest.mark.parametrize(
    ("image", "channels"),
    [
        (grey(np.uint8), 1),
        (grey(np.uint16, top=60_000), 1),
        (grey(np.uint8, 3), 3),
    ],
    ids=["8-bit", "16-bit", "RGB"],
)
@pytest.mark.parametrize("high", [1, 255, 65535])
def test_formats_are_read_in_their_own_grey_values(
    tmp_path: Path, suffix: str, image: NDArray[Any], channels: int, high: int
) -> None:
    write(tmp_path, "a" + suffix, image, mask(high))
    data = load_folder(tmp_path)
    assert (data.names, data.channels) == (("a",), channels)
    expected = image[None] if channels == 1 else image.transpose(2, 0, 1)
    np.testing.assert_array_equal(data.images[0], expected)
    np.testing.assert_array_equal(data.masks[0], np.eye(7, 9))


def test_16_bit_rgb_png_keeps_its_low_bytes(tmp_path: Path) -> None:
    image = grey(np.uint16, 3, top=60_000)
    write(tmp_path, "a.tif", image, mask(65535))
    (tmp_path / "images" / "a.tif").unlink()
    with (tmp_path / "images" / "a.png").open("wb") as file:
        png.Writer(9, 7, bitdepth=16, greyscale=False).write(file, image.reshape(7, -1).tolist())
    np.testing.assert_array_equal(load_folder(tmp_path).images[0], image.transpose(2, 0, 1))


def test_tiff_files_are_read_as_they_are_shown(tmp_path: Path) -> None:
    """White is large even where it is stored as 0; LZW compression; palettes are refused."""
    write(tmp_path, "a.tif", grey(np.uint8), mask())
    tifffile.imwrite(tmp_path / "labels" / "a.tif", 255 - mask(), photometric="miniswhite")
    Image.fromarray(grey(np.uint8)).save(tmp_path / "images" / "a.tif", compression="tiff_lzw")
    data = load_folder(tmp_path)
    np.testing.assert_array_equal(data.masks[0], np.eye(7, 9))
    np.testing.assert_array_equal(data.images[0][0], grey(np.uint8))
    colours = np.zeros((3, 256), np.uint16)
    tifffile.imwrite(tmp_path / "labels" / "a.tif", mask(), photometric="palette", colormap=colours)
    with pytest.raises(ValueError, match=r"a\.tif can't be read as an image: palette TIFF"):
        load_folder(tmp_path)


def test_a_stack_is_not_a_mask(tmp_path: Path) -> None:
    write(tmp_path, "a.tif", np.zeros((8, 8), np.uint8), np.zeros((8, 8, 8), np.uint8))
    with pytest.raises(ValueError, match=r"one grey mask, got shape \(8, 8, 8\)"):
        load_folder(tmp_path)


def test_pairs_are_found_by_name_whatever_the_suffix(tmp_path: Path) -> None:
    write(tmp_path, "b.png", grey(np.uint8), mask())
    write(tmp_path, "a.tif", grey(np.uint8), mask())
    (tmp_path / "labels" / "a.tif").unlink()
    Image.fromarray(mask()).save(tmp_path / "labels" / "a.png")
    (tmp_path / "images" / "notes.txt").write_text("not an image")
    seen: list[tuple[int, int]] = []
    assert load_folder(tmp_path, lambda *p: seen.append(p)).names == ("a", "b")
    assert seen == [(1, 2), (2, 2)]


def spoil(kind: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        label, image = folder / "labels" / "a.png", folder / "images" / "a.png"
        match kind:
            case "no labels folder":
                label.unlink()
                label.parent.rmdir()
            case "no partner":
                label.rename(label.with_name("b.png"))
            case "truncated":
                image.write_bytes(image.read_bytes()[:60])
            case "not an image":
                image.write_text("hello")
            case "not a TIFF":
                image.unlink()
                image.with_suffix(".tif").write_text("hello")
            case "size":
                Image.fromarray(mask()[:5]).save(label)
            case "three classes":
                Image.fromarray((grey(np.uint8, top=3) * 100).astype(np.uint8)).save(label)
            case "channels":
                Image.fromarray(grey(np.uint8, 3)).save(image.with_name("b.png"))
                Image.fromarray(mask()).save(label.with_name("b.png"))
            case "empty":
                label.unlink()
                image.unlink()
            case "NaN":
                image.unlink()
                pixels = np.full((7, 9), np.nan, dtype=np.float32)
                tifffile.imwrite(image.with_suffix(".tif"), pixels)
            case "stack":
                image.unlink()
                tifffile.imwrite(image.with_suffix(".tif"), np.zeros((5, 7, 9), np.uint8))
            case "twice":
                tifffile.imwrite(image.with_suffix(".tif"), grey(np.uint8))

    return change


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("no labels folder", r"labels is not a folder; expected images/ and labels/"),
        ("no partner", r"images/a.png has no partner of that name in .*labels"),
        ("truncated", r"a.png can't be read as an image"),
        ("not an image", r"a.png can't be read as an image"),
        ("not a TIFF", r"a.tif can't be read as an image"),
        ("size", r"labels/a.png has 5 x 9 pixels, its image 7 x 9"),
        ("three classes", r"labels/a.png must hold 0 and one of 1, 255, 65535, got 0, 100, 200"),
        ("channels", r"b.png has 3 channel\(s\), .*a.png has 1"),
        ("empty", r"images holds no PNG or TIFF file"),
        ("NaN", r"a.tif holds NaN or infinite values"),
        ("stack", r"a.tif must be one grey or RGB image, got shape \(5, 7, 9\)"),
        ("twice", r"have the same name"),
    ],
)
def test_bad_folders_get_one_clear_sentence(tmp_path: Path, kind: str, sentence: str) -> None:
    write(tmp_path, "a.png", grey(np.uint8), mask())
    spoil(kind)(tmp_path)
    with pytest.raises(ValueError, match=sentence):
        load_folder(tmp_path)


def test_transparent_images_are_refused_and_opaque_ones_read(tmp_path: Path) -> None:
    image = grey(np.uint8, 4)
    image[..., 3] = 255
    write(tmp_path, "a.png", image, mask())
    assert load_folder(tmp_path).channels == 3
    image[0, 0, 3] = 10
    write(tmp_path, "a.png", image, mask())
    with pytest.raises(ValueError, match="transparent"):
        load_folder(tmp_path)


@pytest.mark.skipif(not SHARED.exists(), reason="needs the real images in ../shared/data")
@pytest.mark.parametrize(("name", "count", "channels"), [("isbi12", 20, 1), ("topomortar", 32, 3)])
def test_real_images_are_read(name: str, count: int, channels: int) -> None:
    data = load_folder(SHARED / name)
    assert (len(data), data.channels) == (count, channels)
    assert all(0.05 < m.mean() < 0.5 for m in data.masks)


def test_synthetic_membranes_follow_from_the_seed() -> None:
    a, b, other = (synthetic_membranes(n, (70, 90), seed) for n, seed in ((2, 3), (1, 3), (1, 4)))
    np.testing.assert_array_equal(a.images[0], b.images[0])
    np.testing.assert_array_equal(a.masks[0], b.masks[0])
    assert (a.images[0] != other.images[0]).any()
    assert (a.images[0] != a.images[1]).any()
    assert a.images[0].shape == (1, 70, 90)


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


def test_impossible_synthetic_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one image"):
        synthetic_membranes(0)
    assert synthetic_membranes(1, (1, 3)).masks[0].shape == (1, 3)


def test_folds_are_contiguous_blocks_that_cover_all_images() -> None:
    held_out = []
    for fold in range(3):
        training, validation = fold_split(20, 3, fold)
        assert sorted(training + validation) == list(range(20))
        assert validation == list(range(validation[0], validation[-1] + 1))
        held_out += validation
    assert held_out == list(range(20))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [((5, 1, 0), "at least 2, got 1"), ((5, 3, 3), "folds - 1 = 2, got 3"),
     ((5, 3, -1), "got -1"), ((2, 3, 0), "3 folds need at least 3 images, got 2")],
)  # fmt: skip
def test_impossible_folds_are_refused(arguments: tuple[int, int, int], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        fold_split(*arguments)


def test_normalisation_is_per_channel() -> None:
    rng = np.random.default_rng(0)
    images = [
        (rng.normal((3, 50), (1, 9), (6, 7, 2)).transpose(2, 0, 1)).astype(np.float32)
        for _ in range(4)
    ]
    normalisation = Normalisation.of(images)
    result = np.concatenate([normalisation.apply(i).reshape(2, -1) for i in images], axis=1)
    np.testing.assert_allclose(result.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(result.std(axis=1), 1, atol=1e-5)
    constant = Normalisation.of([np.full((1, 3, 3), 7, np.float32)])
    assert constant.apply(np.full((1, 2, 2), 7, np.float32)).tolist() == [[[0, 0], [0, 0]]]


def coordinates(height: int, width: int) -> ImageSet:
    """Every pixel's value is its own flat index, in image and truth alike."""
    image = np.arange(height * width, dtype=np.float32).reshape(1, height, width)
    return ImageSet(("x",), (image,), (image[0].astype(np.uint8) % 2,))


@pytest.mark.parametrize(("mean", "std"), [((0.0,), (0.0,)), ((np.nan,), (1.0,)), ((0.0,), ())])
def test_impossible_normalisations_are_refused(
    mean: tuple[float, ...], std: tuple[float, ...]
) -> None:
    with pytest.raises(ValueError, match="positive deviations"):
        Normalisation(mean, std)


def test_patches_are_truths_with_their_surroundings() -> None:
    data = coordinates(20, 31)
    sampler = PatchSampler(data, Normalisation((0.0,), (1.0,)), patch_size=6, margin=4)
    sampler.reseed([1])
    images, truths = sampler.batch(200)
    assert images.shape == (200, 1, 14, 14)
    assert truths.shape == (200, 1, 6, 6)
    np.testing.assert_array_equal(images[:, :, 4:-4, 4:-4].numpy() % 2, truths.numpy())
    padded = pad_reflected(data.images[0], 4)[0]
    places = np.lib.stride_tricks.sliding_window_view(padded, (14, 14)).reshape(-1, 14, 14)
    known = {np.rot90(p, k)[:, :: 1 - 2 * f].tobytes() for p in places for k in range(4)
             for f in (0, 1)}  # fmt: skip
    assert all(np.ascontiguousarray(i[0]).tobytes() in known for i in images.numpy())
    upper_left = {float(i[0].min()) for i in images.numpy()}
    assert len(upper_left) > 60  # Of 15 x 26 places.


def test_patches_follow_from_the_seed() -> None:
    sampler = PatchSampler(coordinates(20, 31), Normalisation((0.0,), (1.0,)), 6, 2)
    batches = []
    for seed in ([1, 1], [1, 2], [1, 1]):
        sampler.reseed(seed)
        batches.append(sampler.batch(4)[0].numpy())
    np.testing.assert_array_equal(batches[0], batches[2])
    assert (batches[0] != batches[1]).any()


def test_an_image_smaller_than_a_patch_is_named() -> None:
    with pytest.raises(ValueError, match="image x has 20 x 5 pixels, smaller than a patch of 6"):
        PatchSampler(coordinates(20, 5), Normalisation((0.0,), (1.0,)), 6, 2)
