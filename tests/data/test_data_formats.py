"""The official layouts of the paper's data sets, stacks and HDF5, by NAME:PATH."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from data_layouts import (
    BORDERS,
    COLOURS,
    MASKS,
    VOLUME,
    cracktree,
    cremi,
    drive,
    hdf5,
    isbi12,
    isbi13,
    roads,
    save,
    save_hdf5,
    stack,
)
from toponet.data import FORMATS, ImageSet, load_data, open_data


def assert_volume(data: ImageSet, masks: NDArray[Any]) -> None:
    np.testing.assert_array_equal([image[0] for image in data.images], VOLUME)
    np.testing.assert_array_equal(data.masks, masks)
    assert data.valid == (None, None, None)


def test_isbi12_membranes_are_the_zeros(tmp_path: Path) -> None:
    data = load_data(isbi12(tmp_path))
    assert_volume(data, 1 - MASKS)
    assert data.names == ("train-volume_000", "train-volume_001", "train-volume_002")


@pytest.mark.parametrize("name", ["isbi13", "snemi3d"])
@pytest.mark.parametrize("volume", ["train-volume.tif", "train-input.tif"])
def test_isbi13_membranes_lie_between_the_ids(tmp_path: Path, name: str, volume: str) -> None:
    isbi13(tmp_path)
    (tmp_path / "train-volume.tif").rename(tmp_path / volume)
    assert_volume(load_data(f"{name}:{tmp_path}"), np.stack([BORDERS] * 3))


def test_cremi_membranes_lie_between_the_ids_of_one_file_or_all(tmp_path: Path) -> None:
    data = load_data(cremi(tmp_path))
    assert_volume(data, np.stack([BORDERS] * 3))
    (tmp_path / "sample_A_20160501.hdf").with_name("sample_B_20160501.hdf").write_bytes(
        (tmp_path / "sample_A_20160501.hdf").read_bytes()
    )
    both = load_data(f"cremi:{tmp_path}")
    assert both.names[2:4] == ("sample_A_20160501_002", "sample_B_20160501_000")
    assert len(both) == 6


def test_cremi_is_read_slice_by_slice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []
    plain = h5py.Dataset.__getitem__

    def noted(volume: h5py.Dataset, key: object, **options: object) -> object:
        read.append(key)
        return plain(volume, key, **options)

    monkeypatch.setattr(h5py.Dataset, "__getitem__", noted)
    cases = open_data(cremi(tmp_path))
    assert read == []
    cases[2].read()
    assert read == [2, 2]


@pytest.mark.parametrize(("part", "option"), [("training", ""), ("test", ",part=test")])
def test_drive_is_valid_in_its_field_of_view(tmp_path: Path, part: str, option: str) -> None:
    data = load_data(drive(tmp_path, part) + option)
    assert data.names == ("21", "22")
    np.testing.assert_array_equal(data.images[0], COLOURS[0].transpose(2, 0, 1))
    np.testing.assert_array_equal(data.masks[0], MASKS[0])
    for valid in data.valid:
        np.testing.assert_array_equal(valid, np.arange(9) * np.ones((7, 1)) > 0)


@pytest.mark.parametrize(("option", "width"), [("", 1), (",dilation=0", 1), (",dilation=2", 5)])
def test_cracktree_curves_are_the_fewer_pixels_and_widen(
    tmp_path: Path, option: str, width: int
) -> None:
    data = load_data(cracktree(tmp_path) + option)
    assert (data.names, data.channels) == (("6192", "6193"), 3)
    for mask in data.masks:
        assert mask.sum(axis=0).tolist() == [width] * 9
        assert mask[3].all()


@pytest.mark.parametrize(("part", "option"), [("train", ""), ("valid", ",part=valid")])
def test_roads_are_not_valid_where_the_image_ends(tmp_path: Path, part: str, option: str) -> None:
    data = load_data(roads(tmp_path, part) + option)
    valid = np.ones((7, 9))
    valid[:2, :4] = 0
    np.testing.assert_array_equal(data.valid[0], valid)
    np.testing.assert_array_equal(data.masks[0], MASKS[0])
    assert (data.names, data.channels) == (("10078660_15",), 3)
    save(tmp_path / part / "sat" / "10078660_15.tiff", COLOURS[0])
    assert load_data(f"roads:{tmp_path}{option}").valid == (None,)


def test_stacks_hold_grey_or_colour_pages(tmp_path: Path) -> None:
    data = load_data(stack(tmp_path))
    np.testing.assert_array_equal(data.images, COLOURS.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(data.masks, MASKS)
    pages = [Image.fromarray(page) for page in VOLUME]
    pages[0].save(
        tmp_path / "images.tif", save_all=True, append_images=pages[1:], compression="tiff_lzw"
    )
    spec = f"stack:{tmp_path / 'images.tif'},{tmp_path / 'labels.tif'}"
    assert_volume(load_data(spec), MASKS)
    tifffile.imwrite(tmp_path / "images.tif", VOLUME, imagej=True, metadata={"axes": "ZYX"})
    assert_volume(load_data(spec), MASKS)
    with tifffile.TiffWriter(tmp_path / "images.tif") as writer:
        for page in VOLUME:
            writer.write(page, contiguous=False)
    assert_volume(load_data(spec), MASKS)


def test_hdf5_data_sets_are_named(tmp_path: Path) -> None:
    assert_volume(load_data(hdf5(tmp_path)), MASKS)
    save_hdf5(tmp_path / "data.h5", raw=COLOURS, labels__mine=MASKS)
    data = load_data(f"hdf5:{tmp_path / 'data.h5'},raw,labels/mine")
    np.testing.assert_array_equal(data.images, COLOURS.transpose(0, 3, 1, 2))


def test_hdf5_slices_that_memory_cannot_hold_are_refused_by_their_shape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a file is small: what was never written takes no room."""
    with h5py.File(tmp_path / "data.h5", "w") as file:
        for name in ("raw", "labels"):
            file.create_dataset(name, (2, 60_000, 60_000), np.uint8, chunks=(1, 100, 100))
    monkeypatch.setattr("toponet._ground.reading.machine_memory", lambda: 2.0**34)
    with pytest.raises(ValueError, match=r"data\.h5: a slice of raw is too large for the memory"):
        open_data(f"hdf5:{tmp_path / 'data.h5'},raw,labels")


def test_a_bare_path_is_a_folder_even_with_a_colon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "day:1"
    save(folder / "images" / "a.png", VOLUME[0])
    save(folder / "labels" / "a.png", MASKS[0])
    seen: list[tuple[int, int]] = []
    for spec in (str(folder), f"folder:{folder}"):
        assert load_data(spec, progress=lambda *p: seen.append(p)).names == ("a",)
    assert seen == [(1, 1), (1, 1)]
    folder.rename(tmp_path / "isbi12")
    monkeypatch.chdir(tmp_path)
    assert load_data("isbi12").names == ("a",)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_data("folder:~/isbi12").names == ("a",)


def test_each_format_says_in_one_line_what_it_is() -> None:
    for name, kind in FORMATS.items():
        assert kind.syntax.startswith(name) or name == "snemi3d"
        assert kind.help
        assert "\n" not in kind.help
