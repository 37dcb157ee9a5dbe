"""Damaged, missing and unlike files: one clear sentence each, which names the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from data_layouts import (
    IDS,
    MASKS,
    RNG,
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
    truncate,
    unlike_pages,
)
from toponet.data import load_data


@pytest.mark.parametrize("share", [0.3, 0.7])
@pytest.mark.parametrize("metadata", [None, {}], ids=["plain", "described"])
def test_a_stack_that_was_cut_off_is_not_read_as_a_shorter_one(
    tmp_path: Path, share: float, metadata: dict[str, object] | None
) -> None:
    volume = RNG.integers(0, 200, (3, 70, 90), dtype=np.uint8)
    for kind in ("images", "labels"):
        path = tmp_path / f"{kind}.tif"
        tifffile.imwrite(path, volume, photometric="minisblack", metadata=metadata)
        truncate(path, share)
    with pytest.raises(ValueError, match=r"images\.tif can't be read as an image"):
        load_data(f"stack:{tmp_path / 'images.tif'},{tmp_path / 'labels.tif'}")


Layout = Callable[[Path], str]


@pytest.mark.parametrize(
    ("layout", "spoil", "sentence"),
    [
        (isbi12, lambda f: (f / "train-labels.tif").unlink(),
         r"train-labels\.tif is missing; expected train-volume\.tif .* ISBI 2012 .*imagej\.net"),
        (isbi13, lambda f: (f / "train-volume.tif").unlink(),
         r"train-volume\.tif is missing; .* SNEMI3D \(snemi3d\.grand-challenge\.org\)"),
        (isbi12, lambda f: save(f / "train-labels.tif", 255 * MASKS[:2]),
         r"train-labels\.tif has 2 page\(s\), .*train-volume\.tif has 3"),
        (isbi12, lambda f: save(f / "train-labels.tif", 255 * MASKS[:, :5]),
         r"train-labels\.tif, page 1 has 5 x 9 pixels, its image 7 x 9"),
        (isbi12, lambda f: save(f / "train-labels.tif", VOLUME),
         r"train-labels\.tif, page 1 must hold 0 and one of 1, 255, 65535, got"),
        (isbi12, lambda f: truncate(f / "train-volume.tif"),
         r"train-volume\.tif can't be read as an image"),
        (isbi12, lambda f: unlike_pages(f / "train-volume.tif"),
         r"train-volume\.tif can't be read as an image: its pages differ in size or type"),
        (isbi13, lambda f: save(f / "train-labels.tif", IDS.astype(np.float32)),
         r"train-labels\.tif, page 1 must hold whole numbers, got float32"),
        (cremi, lambda f: (f / "sample_A_20160501.hdf").unlink(),
         r"sample_A_20160501\.hdf does not exist; .* CREMI challenge \(cremi\.org/data\)"),
        (cremi, lambda f: save_hdf5(f / "sample_A_20160501.hdf", volumes__raw=VOLUME),
         r"no data set 'volumes/labels/neuron_ids'; it holds volumes/raw \(3, 7, 9\)"),
        (cremi, lambda f: save_hdf5(f / "sample_A_20160501.hdf"), r"it holds none"),
        (hdf5, lambda f: save_hdf5(f / "data.h5", raw=VOLUME, labels__mine=MASKS[:2]),
         r"data\.h5: labels/mine has 2 slice\(s\), raw has 3"),
        (hdf5, lambda f: save_hdf5(f / "data.h5", raw=VOLUME[0], labels__mine=MASKS),
         r"data\.h5: raw must be slices, rows and columns, got shape \(7, 9\)"),
        (hdf5, lambda f: save_hdf5(f / "data.h5", raw=VOLUME, labels__mine=MASKS[:, :5]),
         r"data\.h5, labels/mine\[0\] has 5 x 9 pixels, its image 7 x 9"),
        (hdf5, lambda f: truncate(f / "data.h5"), r"data\.h5 can't be read as HDF5: .*truncated"),
        (drive, lambda f: (f / "training" / "mask" / "22_training_mask.gif").unlink(),
         r"images/22_training\.tif has no partner of that name in .*mask"),
        (drive, lambda f: (f / "training" / "1st_manual").rename(f / "gone"),
         r"1st_manual is not a folder; .* DRIVE \(drive\.grand-challenge\.org\)"),
        (drive, lambda f: save(f / "training" / "images" / "22_training.tif", VOLUME[0]),
         r"22_training\.tif has 1 channel\(s\), .*21_training\.tif has 3"),
        (cracktree, lambda f: (f / "image" / "6193.jpg").unlink(),
         r"gt/6193\.png has no partner of that name"),
        (cracktree, lambda f: truncate(f / "image" / "6193.jpg"),
         r"6193\.jpg can't be read as an image: .*[Tt]runcated"),
        (cracktree, lambda f: [p.unlink() for p in f.rglob("*.jpg")], r"holds no JPEG file"),
        (roads, lambda f: (f / "train").rename(f / "else"),
         r"sat is not a folder; .*Massachusetts roads .*www\.cs\.toronto\.edu"),
        (roads, lambda f: (f / "train" / "map" / "10078660_15.tif").unlink(),
         r"map holds no TIFF file"),
        (stack, lambda f: (f / "images.tif").write_text("hello"),
         r"images\.tif can't be read as an image: not a TIFF"),
        (stack, lambda f: (f / "images.tif").unlink(),
         r"images\.tif can't be read as an image: .*No such file"),
    ],
)  # fmt: skip
def test_bad_data_get_one_clear_sentence(
    tmp_path: Path, layout: Layout, spoil: Callable[[Path], object], sentence: str
) -> None:
    spec = layout(tmp_path)
    spoil(tmp_path)
    with pytest.raises(ValueError, match=sentence) as caught:
        load_data(spec)
    assert "\n" not in str(caught.value)


def test_an_empty_folder_of_hdf5_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds no HDF5 file; expected sample_A"):
        load_data(f"cremi:{tmp_path}")


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("", "must be a folder or NAME:PATH, got ''"),
        ("isbi14:x", "data 'isbi14:x' has no known name; expected a folder or one of .*isbi12"),
        ("isbi12", "data 'isbi12' lacks its path; expected isbi12:PATH"),
        ("drive:", r"data 'drive:' lacks its path; expected drive:PATH\[,part=training\|test\]"),
        ("isbi12:x,dilation=1", "isbi12 has no option 'dilation'; its options: none"),
        ("cracktree:x,dilation=wide", "dilation must be a whole number, got 'wide'"),
        ("cracktree:x,dilation=-1", "dilation must be at least 0, got -1"),
        ("drive:x,part=exam", "part must be one of 'training', 'test', got 'exam'"),
        ("roads:x,part=exam", "part must be one of 'train', 'valid', 'test', got 'exam'"),
        ("stack:a.tif", "expected stack:IMAGES.tif,LABELS.tif, got 'a.tif'"),
        ("hdf5:a.h5,raw", "expected hdf5:FILE,images-dataset,labels-dataset, got 'a.h5,raw'"),
        ("nowhere", "nowhere/images is not a folder; expected images/ and labels/"),
    ],
)  # fmt: skip
def test_impossible_names_of_data_are_refused(spec: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        load_data(spec)


def test_data_must_be_text() -> None:
    with pytest.raises(TypeError, match=r"data must be text such as 'isbi12:PATH'.*, got 3"):
        load_data(3)  # type: ignore[arg-type]
