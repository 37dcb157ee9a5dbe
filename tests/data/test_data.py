"""Folders of images and labels; image sets, their folds and normalisation."""

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

import real_images
from toponet.data import ImageSet, Normalisation, fold_split, load_folder


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


def test_16_bit_grey_and_alpha_png_keeps_its_low_bytes(tmp_path: Path) -> None:
    write(tmp_path, "a.png", grey(np.uint8), mask())
    image = np.stack([grey(np.uint16, top=60_000), np.full((7, 9), 65535)], axis=-1)
    with (tmp_path / "images" / "a.png").open("wb") as file:
        writer = png.Writer(9, 7, bitdepth=16, greyscale=True, alpha=True)
        writer.write(file, image.reshape(7, -1).tolist())
    np.testing.assert_array_equal(load_folder(tmp_path).images[0][0], image[..., 0])


@pytest.mark.parametrize("suffix", [".gif", ".png"])
def test_several_frames_are_not_taken_for_the_first(tmp_path: Path, suffix: str) -> None:
    write(tmp_path, "a.png", grey(np.uint8), mask())
    (tmp_path / "images" / "a.png").unlink()
    frames = [Image.fromarray(grey(np.uint8) + np.uint8(k)) for k in range(3)]
    path = tmp_path / "images" / f"a{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    with pytest.raises(
        ValueError, match=rf"a\{suffix} can't be read .* it holds 3 frames; save one"
    ):
        load_folder(tmp_path)


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
    with pytest.raises(
        ValueError, match=r"must be one image, got a stack of 8 pages of shape \(8, 8\)"
    ):
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
        ("empty", r"images holds no PNG, TIFF, JPEG, GIF or BMP file"),
        ("NaN", r"a.tif holds NaN or infinite values"),
        ("stack", r"a.tif must be one image, got a stack of 5 pages of shape \(7, 9\)"),
        ("twice", r"have the same name"),
    ],
)
def test_bad_folders_get_one_clear_sentence(tmp_path: Path, kind: str, sentence: str) -> None:
    write(tmp_path, "a.png", grey(np.uint8), mask())
    spoil(kind)(tmp_path)
    with pytest.raises(ValueError, match=sentence):
        load_folder(tmp_path)


def test_a_folder_of_valid_masks_is_read_where_there_is_one(tmp_path: Path) -> None:
    write(tmp_path, "a.png", grey(np.uint8), mask())
    assert load_folder(tmp_path).valid == (None,)
    (tmp_path / "valid").mkdir()
    Image.fromarray(255 - mask()).save(tmp_path / "valid" / "a.png")
    (valid,) = load_folder(tmp_path).valid
    np.testing.assert_array_equal(valid, 1 - np.eye(7, 9))
    Image.fromarray(mask()[:, :5]).save(tmp_path / "valid" / "a.png")
    with pytest.raises(ValueError, match=r"valid/a.png has 7 x 5 pixels, its image 7 x 9"):
        load_folder(tmp_path)
    (tmp_path / "valid" / "a.png").rename(tmp_path / "valid" / "b.png")
    with pytest.raises(ValueError, match=r"images/a.png has no partner of that name in .*valid"):
        load_folder(tmp_path)


def test_valid_masks_stay_with_their_images() -> None:
    image, truth = np.zeros((1, 2, 3), np.float32), np.zeros((2, 3), np.uint8)
    valid = np.ones((2, 3), np.uint8)
    data = ImageSet(("a", "b"), (image, image), (truth, truth), (None, valid))
    assert data.subset([1, 0]).valid == (valid, None)
    assert ImageSet(("a", "b"), (image, image), (truth, truth)).valid == (None, None)
    with pytest.raises(ValueError, match="one entry for each of 2 images, got 1"):
        ImageSet(("a", "b"), (image, image), (truth, truth), (valid,))
    with pytest.raises(ValueError, match=r"valid mask of image a has shape \(3, 2\), its truth"):
        ImageSet(("a",), (image,), (truth,), (valid.T,))


def test_transparent_images_are_refused_and_opaque_ones_read(tmp_path: Path) -> None:
    image = grey(np.uint8, 4)
    image[..., 3] = 255
    write(tmp_path, "a.png", image, mask())
    assert load_folder(tmp_path).channels == 3
    image[0, 0, 3] = 10
    write(tmp_path, "a.png", image, mask())
    with pytest.raises(ValueError, match="transparent"):
        load_folder(tmp_path)


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        pytest.param("isbi12", 1, marks=real_images.needs("isbi12")),
        pytest.param("topomortar", 3, marks=real_images.needs("topomortar")),
    ],
)
def test_real_images_are_read(name: str, channels: int) -> None:
    folder = real_images.FOLDER / name
    data = load_folder(folder)
    assert len(data) == len(list((folder / "images").iterdir()))
    assert data.channels == channels
    assert all(0.05 < m.mean() < 0.5 for m in data.masks)


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


def test_normalisation_counts_every_pixel_the_same_whatever_the_size_of_its_image() -> None:
    large, small = np.full((1, 4, 9), 1, np.float32), np.full((1, 2, 2), 11, np.float32)
    found = Normalisation.of([large, small])
    assert found.mean == (2,)
    assert found.std == (3,)


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


def test_normalised_each_by_itself_the_grey_scale_of_an_image_doesnt_matter() -> None:
    rng = np.random.default_rng(0)
    image = rng.normal((3, 50), (1, 9), (6, 7, 2)).transpose(2, 0, 1).astype(np.float32)
    other = np.full((2, 4, 4), 9, np.float32)
    normalisation = Normalisation.of([other, image + 1], per_image=True)
    result = normalisation.apply(image)
    np.testing.assert_allclose(result.mean(axis=(1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(result.std(axis=(1, 2)), 1, atol=1e-5)
    scale = np.array([2.0, 0.1], np.float32)[:, None, None]
    np.testing.assert_allclose(normalisation.apply(scale * image - 7), result, atol=1e-4)
    assert not normalisation.apply(other).any()


@pytest.mark.parametrize(("mean", "std"), [((0.0,), (0.0,)), ((np.nan,), (1.0,)), ((0.0,), ())])
def test_impossible_normalisations_are_refused(
    mean: tuple[float, ...], std: tuple[float, ...]
) -> None:
    with pytest.raises(ValueError, match="positive deviations"):
        Normalisation(mean, std)


def test_an_inner_fold_never_sees_the_outer_one() -> None:
    training, held_out = fold_split(10, 3, 1)
    inner, inner_held_out = fold_split(10, 3, 1, inner_fold=2)
    assert sorted(inner + inner_held_out) == training
    assert inner_held_out == training[-2:]
    assert not set(inner + inner_held_out) & set(held_out)
    with pytest.raises(ValueError, match="inner_fold must lie between 0 and folds - 1 = 2, got 3"):
        fold_split(10, 3, 1, inner_fold=3)
    with pytest.raises(ValueError, match="3 folds need at least 3 images, got 2"):
        fold_split(3, 3, 1, inner_fold=0)


@pytest.mark.parametrize("which", ["truth", "valid mask"])
def test_masks_of_an_image_set_hold_0_and_1(which: str) -> None:
    """Masks of 0 and 255 would be trained on as they are."""
    image, good = np.zeros((1, 2, 3), np.float32), np.eye(2, 3, dtype=np.uint8)
    masks = {"truth": good, "valid mask": good} | {which: 255 * good}
    with pytest.raises(ValueError, match=rf"the {which} of image a must hold only 0 and 1"):
        ImageSet(("a",), (image,), (masks["truth"],), (masks["valid mask"],))
