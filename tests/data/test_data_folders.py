"""Which files of a folder are read, how they are paired, and what is said of the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_layouts import save
from toponet.cli import inspect, train
from toponet.data import ImageSet, load_data, load_folder
from toponet.data.pairing import image_stem, unused_in
from toponet.data.scales import GreyScale, scale_differences
from toponet.data.source import unused_files
from toponet.training.image_parts import data_notes

GREY = np.random.default_rng(0).integers(0, 200, (7, 9), dtype=np.uint8)
MASK = (255 * np.eye(7, 9)).astype(np.uint8)
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".bmp", ".gif", ".ome.tif"])
@pytest.mark.parametrize("kind", ["labels", "instances"])
def test_images_of_every_kind_are_paired_with_labels_of_another(
    tmp_path: Path, suffix: str, kind: str
) -> None:
    save(tmp_path / "images" / f"a{suffix}", GREY)
    save(tmp_path / kind / "a.png", MASK)
    data = load_data(str(tmp_path) if kind == "labels" else f"instances:{tmp_path}")
    assert data.names == ("a",)
    assert abs(data.images[0][0] - GREY).mean() < 10


def test_a_name_ends_before_its_suffix_of_one_or_two_parts() -> None:
    for name, stem in (
        ("a.png", "a"),
        ("a.ome.tif", "a"),
        ("a.b.png", "a.b"),
        (".ome.tif", ".ome"),
    ):
        assert image_stem(Path("x") / name) == stem


@pytest.mark.parametrize("suffix", [".bmp", ".gif", ".tif"])
def test_labels_are_of_every_kind_that_keeps_values(tmp_path: Path, suffix: str) -> None:
    save(tmp_path / "images" / "a.png", GREY)
    save(tmp_path / "labels" / f"a{suffix}", MASK)
    np.testing.assert_array_equal(load_folder(tmp_path).masks[0], np.eye(7, 9))
    (tmp_path / "labels" / f"a{suffix}").unlink()
    save(tmp_path / "labels" / "a.jpg", MASK)
    with pytest.raises(ValueError, match=r"labels holds no PNG, .*: a\.jpg; JPEG changes values"):
        load_folder(tmp_path)


def test_two_files_of_one_name_say_what_to_do(tmp_path: Path) -> None:
    for suffix in (".jpg", ".png"):
        save(tmp_path / "images" / f"a{suffix}", GREY)
    save(tmp_path / "labels" / "a.png", MASK)
    with pytest.raises(ValueError, match=r"a\.png and .*a\.jpg have the same name; keep one of th"):
        load_folder(tmp_path)


def test_hidden_files_are_no_images(tmp_path: Path) -> None:
    """Some systems leave one beside each image, which no reader understands."""
    for kind, pixels in (("images", GREY), ("labels", MASK)):
        save(tmp_path / kind / "a.png", pixels)
        (tmp_path / kind / "._a.png").write_bytes(b"of the file system")
    assert load_folder(tmp_path).names == ("a",)


def test_images_in_sub_folders_are_counted(tmp_path: Path) -> None:
    save(tmp_path / "images" / "day" / "a.png", GREY)
    save(tmp_path / "images" / "day" / "b.tif", GREY)
    with pytest.raises(ValueError, match=r"images holds no PNG.*\(1\): day/ \(2 image files\)"):
        load_folder(tmp_path)


def test_a_crowded_sub_folder_is_counted_in_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        save(tmp_path / "crowd" / f"{name}.png", GREY)
    assert unused_in(tmp_path, ()) == [f"not read in {tmp_path} (1): crowd/ (3 image files)"]
    monkeypatch.setattr("toponet.data.pairing.MOST_LOOKED_AT", 2)
    assert "crowd/ (at least 2 image files)" in unused_in(tmp_path, ())[0]


def test_what_is_not_read_is_counted_and_named(tmp_path: Path) -> None:
    for kind, pixels in (("images", GREY), ("labels", MASK), ("valid", MASK), ("other", MASK)):
        save(tmp_path / kind / "a.png", pixels)
    assert unused_files(str(tmp_path)) == [f"not read in {tmp_path} (1): other/ (1 image file)"]
    save(tmp_path / "images" / "night" / "b.png", GREY)
    save(tmp_path / "labels" / "a.jpg", MASK)
    (tmp_path / "valid" / ".hidden").touch()
    for k in range(6):
        (tmp_path / "valid" / f"{k}.txt").touch()
    assert unused_files(str(tmp_path))[1:] == [
        f"not read in {tmp_path / 'images'} (1): night/ (1 image file)",
        f"not read in {tmp_path / 'labels'} (1): a.jpg",
        f"not read in {tmp_path / 'valid'} (6): 0.txt, 1.txt, 2.txt, 3.txt, 4.txt, ...",
    ]
    save(tmp_path / "instances" / "a.png", MASK)
    (folder,) = (s for s in unused_files(f"instances:{tmp_path}") if f"in {tmp_path} (" in s)
    assert folder.endswith(
        "(3): labels/ (2 image files), other/ (1 image file), valid/ (1 image file)"
    )
    assert unused_files("synthetic") == []


@pytest.mark.parametrize(
    ("mode", "colours", "sentence"),
    [
        ("LA", (200, 255), None),
        ("LA", (200, 100), "has transparent pixels; expected grey or RGB"),
        ("RGBA", (200, 200, 200, 255), None),
        ("RGBA", (200, 200, 200, 9), "has transparent pixels"),
    ],
)
def test_an_opaque_alpha_channel_is_left_out(
    tmp_path: Path, mode: str, colours: tuple[int, ...], sentence: str | None
) -> None:
    for kind in ("images", "labels"):
        (tmp_path / kind).mkdir()
    Image.new(mode, (9, 7), colours).save(tmp_path / "images" / "a.png")
    Image.fromarray(MASK).convert(mode).save(tmp_path / "labels" / "a.png")
    if sentence:
        with pytest.raises(ValueError, match=sentence):
            load_folder(tmp_path)
        return
    data = load_folder(tmp_path)
    assert data.images[0].shape == (len(colours) - 1, 7, 9)
    assert (data.images[0] == 200).all()
    np.testing.assert_array_equal(data.masks[0], np.eye(7, 9))


def test_palette_labels_are_masks_if_they_look_like_masks(tmp_path: Path) -> None:
    """What counts is what is shown; colours are told what to do."""
    save(tmp_path / "images" / "a.png", GREY)
    label = Image.fromarray(MASK // 255, "P")
    label.putpalette([0, 0, 0, 255, 255, 255])
    (tmp_path / "labels").mkdir()
    label.save(tmp_path / "labels" / "a.png")
    np.testing.assert_array_equal(load_folder(tmp_path).masks[0], np.eye(7, 9))
    label.putpalette([0, 0, 0, 128, 0, 0])
    label.save(tmp_path / "labels" / "a.png")
    with pytest.raises(ValueError, match="must be one grey mask, got colours; save it as grey"):
        load_folder(tmp_path)


def test_labels_of_another_value_say_how_to_make_a_mask(tmp_path: Path) -> None:
    save(tmp_path / "images" / "a.png", GREY)
    save(tmp_path / "labels" / "a.png", MASK // 255 * 2)
    sentence = r"one of 1, 255, 65535, got 0, 2; if the structure is 2, save 255 \* \(label == 2\)"
    with pytest.raises(ValueError, match=sentence):
        load_folder(tmp_path)


def test_types_are_those_of_the_files(tmp_path: Path) -> None:
    for name, dtype in (("a", np.uint8), ("b", np.uint16), ("c", np.float32)):
        save(tmp_path / "images" / f"{name}.tif", GREY.astype(dtype))
        save(tmp_path / "labels" / f"{name}.tif", MASK)
    data = load_folder(tmp_path)
    assert data.dtypes == ("uint8", "uint16", "float32")
    assert data.subset([2, 0]).dtypes == ("float32", "uint8")
    plain = ImageSet(("a",), data.images[:1], data.masks[:1])
    assert plain.dtypes == ("float32",)


def scales(*rows: tuple[str, float, float]) -> list[GreyScale]:
    return [GreyScale(f"im{k}", *row) for k, row in enumerate(rows)]


def test_mixed_grey_scales_are_found() -> None:
    assert scale_differences(scales(("uint8", 0, 255), ("uint8", 0, 60), ("uint8", 9, 9))) == []
    (types,) = scale_differences(scales(("uint8", 0, 200), ("uint16", 0, 255), ("uint8", 0, 250)))
    assert "of different types: uint8 (2, such as im0), uint16 (1, such as im1); save all" in types
    (values,) = scale_differences(scales(("float32", 0, 200), ("float32", -1, 1)))
    assert "scales: im1 from -1 to 1, im0 from 0 to 200" in values
    assert len(scale_differences(scales(("uint8", 0, 200), ("uint16", 0, 60_000)))) == 2


@pytest.mark.skipif(not SHARED.exists(), reason="needs the real images in ../shared/data")
@pytest.mark.parametrize("name", ["isbi12", "topomortar", "flyem_medulla"])
def test_real_images_share_a_scale(name: str) -> None:
    data = load_folder(SHARED / name)
    images = zip(data.names, data.images, data.dtypes, strict=True)
    assert scale_differences([GreyScale.of(*image) for image in images]) == []


def test_training_and_inspection_say_what_is_mixed_and_what_is_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for k, dtype in enumerate((np.uint8, np.uint16, np.uint8)):
        save(tmp_path / "images" / f"{k}.tif", GREY.astype(dtype) * dtype(1 if k != 1 else 257))
        save(tmp_path / "labels" / f"{k}.tif", MASK)
    save(tmp_path / "images" / "more" / "b.png", GREY)
    expected = data_notes(str(tmp_path), load_folder(tmp_path))
    assert [note.split()[0] for note in expected] == ["the", "the", "not"]
    assert inspect.main([str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    out = tmp_path.with_name(f"{tmp_path.name}-run")
    tiny = ["--epochs=1", "--iterations-per-epoch=1", "--batch-size=1", "--patch-size=5"]
    assert train.main([f"--data={tmp_path}", f"--out={out}", *tiny]) == 0
    for text in (shown, capsys.readouterr().out):
        for note in expected:
            assert f"note: {note}" in text
