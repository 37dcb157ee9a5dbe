"""One specification names the same images and truths, whoever asks for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console

import data_layouts as layouts
from toponet.data import FORMATS, Case, DataFormat, ImageSet, Sample, catalogue, files, open_data
from toponet.data.pairing import bare_name
from toponet.data.samples import Part
from toponet.data.series import Series
from toponet.data.source import open_images, open_truths, unused_files, with_seed
from toponet.data.synthetic import FAMILIES
from toponet.evaluation import EvaluateConfig
from toponet.evaluation import pairs as evaluation
from toponet.inspection import InspectConfig, run_inspection
from toponet.inspection import run as inspection
from toponet.inspection.statistics import image_statistics
from toponet.prediction.sources import find_sources
from toponet.training import TrainConfig
from toponet.training.image_parts import load_parts

Writer = Callable[[Path], str]
DOORS: tuple[Callable[[str], Any], ...] = (open_data, open_images, open_truths)


def folder(path: Path) -> str:
    for name, image, mask in zip("ab", layouts.VOLUME, layouts.MASKS, strict=False):
        layouts.save(path / "images" / f"{name}.png", image)
        layouts.save(path / "labels" / f"{name}.tif", 255 * mask)
    return str(path)


def folder_with_valid(path: Path) -> str:
    spec = folder(path)
    for name, mask in zip("ab", layouts.MASKS, strict=False):
        valid = np.roll(255 * (1 - mask), 3)
        layouts.save(path / "valid" / f"{name}.png", valid)
    return spec


def named_folder(path: Path) -> str:
    return f"folder:{folder_with_valid(path)}"


def instances(path: Path) -> str:
    for name, image in zip("ab", layouts.VOLUME, strict=False):
        layouts.save(path / "images" / f"{name}.png", image)
        layouts.save(path / "instances" / f"{name}.png", layouts.IDS[0].clip(0, 9).astype(np.uint8))
    return f"instances:{path}"


def names_with_endings(path: Path) -> str:
    """An image that is called after a mask keeps its name."""
    layouts.save(path / "images" / "a_mask.png", layouts.VOLUME[0])
    layouts.save(path / "labels" / "a_mask.png", layouts.MASKS[0])
    return str(path)


def families(family: str) -> Writer:
    return lambda _: f"synthetic:{family},count=2,size=40x37,seed=5"


SPECIFICATIONS: dict[str, Writer] = {
    "folder": folder,
    "folder with valid": folder_with_valid,
    "folder:PATH": named_folder,
    "names with endings": names_with_endings,
    "instances": instances,
    "stack": layouts.stack,
    "hdf5": layouts.hdf5,
    "isbi12": layouts.isbi12,
    "isbi13": layouts.isbi13,
    "snemi3d": lambda path: layouts.isbi13(path).replace("isbi13", "snemi3d"),
    "cremi": layouts.cremi,
    "drive": layouts.drive,
    "cracktree": lambda path: layouts.cracktree(path) + ",dilation=1",
    "roads": layouts.roads,
    **{f"synthetic {family}": families(family) for family in FAMILIES},
}
every_specification = pytest.mark.parametrize("kind", SPECIFICATIONS)


def trained(spec: str) -> ImageSet:
    """What training reads."""
    config = TrainConfig(data=spec, folds=1, patch_size=5)
    training, _ = load_parts(config, Console(quiet=True))
    return training


def inspected(spec: str, monkeypatch: pytest.MonkeyPatch) -> list[Sample]:
    """What inspection counts."""
    seen: list[Sample] = []
    count = image_statistics

    def look(sample: Sample, min_size: int) -> Any:
        seen.append(sample)
        return count(sample, min_size)

    monkeypatch.setattr(inspection, "image_statistics", look)
    run_inspection(InspectConfig(spec), Console(quiet=True))
    return seen


def evaluated(spec: str, names: tuple[str, ...], path: Path) -> list[evaluation.Pair]:
    """What evaluation compares predictions with."""
    for name, sample in zip(names, map(Case.read, open_data(spec)), strict=True):
        layouts.save(path / f"{name}_mask.png", 255 * sample.mask)
    pairs, left_out = evaluation.find_pairs(EvaluateConfig(str(path), spec))
    assert not left_out
    return pairs


def same_valid(one: NDArray[Any] | None, other: NDArray[Any] | None) -> bool:
    return (one is None) == (other is None) and (one is None or bool(np.array_equal(one, other)))  # type: ignore[arg-type]


@every_specification
def test_all_see_the_same_names_images_truths_and_valid_masks(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    spec = SPECIFICATIONS[kind](tmp_path / "data")
    ours = trained(spec)
    assert len(ours) >= 1
    predicted = find_sources([spec], tmp_path / "out")
    pairs = evaluated(spec, ours.names, tmp_path / "predictions")
    samples = inspected(spec, monkeypatch)

    assert ours.names == tuple(source.name for source in predicted)
    assert ours.names == tuple(sample.name for sample in samples)
    assert {*map(bare_name, ours.names)} == {pair.name for pair in pairs}
    compared = {pair.truth.name: pair for pair in pairs}
    for i, name in enumerate(ours.names):
        pages, sample, images = predicted[i].open(), samples[i], compared[name].read()
        assert (pages.count, pages.dtype) == (1, ours.dtypes[i])
        assert sample.dtype == ours.dtypes[i]
        assert sample.origin == predicted[i].origin
        for image in (pages.read(0), sample.image):
            np.testing.assert_array_equal(image, ours.images[i])
        for truth in (sample.mask, images.truth, images.likelihood):
            np.testing.assert_array_equal(truth, ours.masks[i])
        assert same_valid(ours.valid[i], sample.valid)
        assert same_valid(ours.valid[i], images.valid)


def test_the_door_has_a_case_for_every_name() -> None:
    written = {kind.partition(" ")[0] for kind in SPECIFICATIONS}
    assert set(FORMATS) <= written | {"synthetic"}


def test_a_bare_synthetic_is_the_same_everywhere() -> None:
    """Evaluation once took it for a path."""
    ours = open_data("synthetic")[3]
    truth, image = open_truths("synthetic")[ours.name], open_images("synthetic")[3]
    np.testing.assert_array_equal(truth.read_truth()[0], ours.read().mask)
    np.testing.assert_array_equal(image.open().read(0), ours.read().image)
    assert image.data == with_seed("synthetic", 0) == "synthetic:membranes,seed=0"


@pytest.mark.parametrize("name", ["synthetic", "isbi12"])
def test_a_folder_that_is_called_like_a_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``synthetic`` says all that is needed, so it is no path; ``isbi12`` without path is one."""
    monkeypatch.chdir(tmp_path)
    folder(tmp_path / name)
    expected = "membranes_000" if name == "synthetic" else "a"
    for door in DOORS:
        found = list(door(name))
        assert getattr(found[0], "name", found[0]) == expected
        found = list(door(f"./{name}"))
        assert getattr(found[0], "name", found[0]) == "a"


def test_a_path_that_looks_as_if_it_had_options_is_a_path(tmp_path: Path) -> None:
    spec = folder(tmp_path / "run,seed=3")
    assert [len(door(spec)) for door in DOORS] == [2, 2, 2]


def test_the_users_home_is_found_by_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder(tmp_path / "data")
    assert [len(door("~/data")) for door in DOORS] == [2, 2, 2]


@pytest.mark.parametrize("spec", ["{}", "folder:{}"])
def test_images_need_no_truths_and_truths_no_images(spec: str, tmp_path: Path) -> None:
    spec = spec.format(folder_with_valid(tmp_path))
    (tmp_path / "labels" / "a.tif").unlink()
    (tmp_path / "images" / "b.png").unlink()
    assert [image.name for image in open_images(spec)] == ["a"]
    assert list(open_truths(spec)) == ["b"]
    with pytest.raises(ValueError, match=r"b\.tif has no image"):
        open_truths(spec)["b"].read_image()
    with pytest.raises(ValueError, match="no partner"):
        open_data(spec)
    problems: list[str] = []
    assert open_data(spec, problems=problems) == []
    assert len(problems) == 2
    (not_predicted,) = unused_files(spec, "images")
    assert "labels/" in not_predicted
    assert unused_files(spec, "truths") == [f"not read in {tmp_path / 'valid'} (1): a.png"]


def test_an_image_without_label_says_so() -> None:
    case = Case("a", Part("a.png", lambda: layouts.VOLUME[0]), None)
    with pytest.raises(ValueError, match=r"a\.png has no label"):
        case.read()
    assert case.read_instances() is None


def test_single_files_are_images_or_truths(tmp_path: Path) -> None:
    image, mask = tmp_path / "x.png", tmp_path / "x_label.png"
    layouts.save(image, layouts.VOLUME[0])
    layouts.save(mask, 255 * layouts.MASKS[0])
    (series,) = open_images(str(image))
    assert (series.name, series.data, series.file) == ("x", None, image)
    np.testing.assert_array_equal(series.open().read(0)[0], layouts.VOLUME[0])
    ((name, truth),) = open_truths(str(mask)).items()
    assert name == "x"
    np.testing.assert_array_equal(truth.read_truth()[0], layouts.MASKS[0])


def test_volumes_without_labels_are_one_series(tmp_path: Path) -> None:
    layouts.hdf5(tmp_path)
    tifffile.imwrite(tmp_path / "v.tif", layouts.VOLUME, photometric="minisblack")
    for spec in (f"{tmp_path / 'data.h5'}:raw", str(tmp_path / "v.tif")):
        (series,) = open_images(spec)
        pages = series.open()
        assert (pages.count, pages.stack) == (3, True)
        stacked = np.stack([pages.read(i)[0] for i in range(3)])
        np.testing.assert_array_equal(stacked, layouts.VOLUME)


@pytest.mark.parametrize("kind", ["instances", "isbi13", "cremi"])
def test_instances_are_read_where_labels_tell_them_apart(kind: str, tmp_path: Path) -> None:
    found = open_data(SPECIFICATIONS[kind](tmp_path))[0].read_instances()
    assert found is not None
    np.testing.assert_array_equal(found > 1, layouts.IDS[0] > 1)
    assert open_data(layouts.stack(tmp_path))[0].read_instances() is None


def test_two_images_of_one_name_are_refused_at_the_door(tmp_path: Path) -> None:
    """Evaluation and inspection once took the last of them, training both."""
    for suffix in ("hdf", "h5"):
        path = tmp_path / f"sample.{suffix}"
        layouts.save_hdf5(
            path, volumes__raw=layouts.VOLUME, volumes__labels__neuron_ids=layouts.IDS
        )
    for door in DOORS:
        with pytest.raises(ValueError, match=r"sample\.h.* and .*sample\.h.* have the same name"):
            door(f"cremi:{tmp_path}")


def test_a_valid_mask_in_which_nothing_counts_is_named(tmp_path: Path) -> None:
    spec = folder_with_valid(tmp_path)
    layouts.save(tmp_path / "valid" / "a.png", np.zeros((7, 9), np.uint8))
    for case in (open_data(spec)[0], open_truths(spec)["a"]):
        with pytest.raises(ValueError, match=r"valid/a\.png marks no pixel that counts"):
            case.read_truth()


def test_a_valid_mask_of_ones_is_none(tmp_path: Path) -> None:
    spec = folder_with_valid(tmp_path)
    layouts.save(tmp_path / "valid" / "a.png", np.full((7, 9), 255, np.uint8))
    assert open_data(spec)[0].read().valid is None


def test_a_layout_is_one_function_and_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recipe of ``catalogue.py``: all four know it then."""

    def cases(where: str) -> list[Case]:
        image, label = (
            Part(name, partial(np.load, Path(where) / name)) for name in ("i.npy", "l.npy")
        )
        return [Case("mine", image, label)]

    np.save(tmp_path / "i.npy", layouts.VOLUME[0])
    np.save(tmp_path / "l.npy", layouts.MASKS[0])
    more = {**FORMATS, "mine": DataFormat("mine:PATH", "Two arrays", cases)}
    monkeypatch.setattr(catalogue, "FORMATS", MappingProxyType(more))
    spec = f"mine:{tmp_path}"
    ours = trained(spec)
    (source,) = find_sources([spec], tmp_path / "out")
    (pair,) = evaluated(spec, ours.names, tmp_path / "predictions")
    (sample,) = inspected(spec, monkeypatch)
    assert isinstance(source, Series)
    for image in (source.open().read(0), sample.image):
        np.testing.assert_array_equal(image, ours.images[0])
    for truth in (pair.read().truth, sample.mask):
        np.testing.assert_array_equal(truth, ours.masks[0])


def test_a_file_format_is_one_function_and_one_line(tmp_path: Path) -> None:
    """The recipe of ``catalogue.py``: every format of the table is read as image and as label."""
    for suffix, kind in files.FILE_FORMATS.items():
        path = tmp_path / f"x{suffix}"
        Image.fromarray(255 * layouts.MASKS[0]).save(path)
        assert files.read_pixels(path).shape[:2] == layouts.MASKS[0].shape
        if not kind.lossy:
            np.testing.assert_array_equal(files.read_mask(path), layouts.MASKS[0])
    other = files.FileFormat("numpy", lambda path: np.load(path)[None])
    np.save(tmp_path / "x.npy", layouts.VOLUME[0])
    table = {**files.FILE_FORMATS, ".npy": other}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "FILE_FORMATS", MappingProxyType(table))
        np.testing.assert_array_equal(files.read_pixels(tmp_path / "x.npy"), layouts.VOLUME[0])
        (series,) = open_images(str(tmp_path / "x.npy"))
        np.testing.assert_array_equal(series.open().read(0)[0], layouts.VOLUME[0])


def test_a_file_format_of_one_line_may_have_stacks(tmp_path: Path) -> None:
    np.save(tmp_path / "stack.npy", layouts.VOLUME)
    path = tmp_path / "stack.npy"
    for read_stack, pages in ((np.load, len(layouts.VOLUME)), (None, 1)):
        read = (lambda path: np.load(path)) if read_stack else (lambda path: np.load(path)[:1])
        kind = files.FileFormat("numpy", read, read_stack)
        with pytest.MonkeyPatch.context() as patch:
            table = {**files.FILE_FORMATS, ".npy": kind}
            patch.setattr(files, "FILE_FORMATS", MappingProxyType(table))
            np.testing.assert_array_equal(files.read_series(path), layouts.VOLUME[:pages])
