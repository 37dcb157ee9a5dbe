"""TIFF files mean the same whoever wrote them and whoever decodes them."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from toponet.data.files import read_image, read_mask, read_pages, read_pixels
from toponet.data.tiff import _white_is_large

MASK = np.eye(7, 9) > 0


@pytest.mark.parametrize("options", [{}, {"metadata": None}, {"software": "mine"}, {"ome": True}])
def test_masks_of_bool_are_read_as_they_were_given_to_tifffile(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    """tifffile calls them "white is zero", but 1 is what was True."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, MASK, **options)
    np.testing.assert_array_equal(read_mask(path), MASK)
    np.testing.assert_array_equal(read_image(path)[0], MASK)


def test_stacks_of_masks_of_bool_are_read_as_they_were_given_to_tifffile(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    masks = np.stack([MASK, ~MASK, MASK.copy()[::-1]])
    tifffile.imwrite(path, masks)
    np.testing.assert_array_equal(read_pages(path), masks)
    grey = (99 * masks).astype(np.uint8)
    tifffile.imwrite(path, grey, photometric="miniswhite")
    np.testing.assert_array_equal(read_pages(path), 255 - grey)


@pytest.mark.parametrize("compression", [None, "group4", "tiff_lzw", "packbits", "tiff_deflate"])
@pytest.mark.parametrize("software", ["tifffile.py", "scanner"])
def test_one_bit_means_the_same_by_either_decoder(
    tmp_path: Path, compression: str | None, software: str
) -> None:
    """Of a scanner "white is zero" is meant: what it shows as white is large."""
    path = tmp_path / "a.tif"
    for info in ({305: software}, {262: 0, 305: software}):
        # Pillow writes what it shows: the bits are turned over where white is zero.
        shown = ~MASK if info.get(262) == 0 and software == "tifffile.py" else MASK
        Image.fromarray(shown).save(path, compression=compression, tiffinfo=info)
        with tifffile.TiffFile(path) as file:
            assert file.pages.first.photometric == info.get(262, 1)
        np.testing.assert_array_equal(read_mask(path), MASK)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_grey_values_are_turned_over_where_white_is_zero(
    tmp_path: Path, dtype: type[np.integer[Any]]
) -> None:
    """Whatever the decoder: LZW is Pillow's."""
    stored = (np.arange(63).reshape(7, 9) * 4).astype(dtype)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stored, photometric="miniswhite")
    top = -1 if dtype == np.int16 else np.iinfo(dtype).max
    np.testing.assert_array_equal(read_pixels(path), top - stored.astype(int))
    if dtype == np.int16:  # Pillow can't write it.
        return
    plain = Image.fromarray(stored)
    plain.save(path, compression="tiff_lzw", tiffinfo={262: 0})
    # Pillow turns the stored values over for 8 bit, when it writes and when it reads.
    expected = stored if dtype == np.uint8 else top - stored
    np.testing.assert_array_equal(read_pixels(path), expected)


def test_four_bits_are_turned_over_within_four_bits() -> None:
    """By hand, because decoding them takes a package that need not be there."""
    assert _white_is_large(np.array([1, 15], np.uint8), bits=4).tolist() == [14, 0]


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
@pytest.mark.parametrize(
    ("mode", "sentence"),
    [("P", "palette TIFF files are not supported"), ("CMYK", "its colours are SEPARATED")],
)
def test_other_colours_are_refused_by_either_decoder(
    tmp_path: Path, compression: str | None, mode: str, sentence: str
) -> None:
    path = tmp_path / "a.tif"
    grey = Image.fromarray((255 * MASK).astype(np.uint8))
    (grey.convert("RGB").quantize(3) if mode == "P" else grey.convert(mode)).save(
        path, compression=compression
    )
    with pytest.raises(ValueError, match=rf"a\.tif can't be read as an image: {sentence}"):
        read_pixels(path)


def test_jpeg_inside_tiff_is_rgb(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    Image.new("RGB", (16, 16), (200, 30, 90)).save(path, compression="jpeg")
    assert abs(read_image(path).mean(axis=(1, 2)) - (200, 30, 90)).max() < 3


def test_zstandard_is_read_or_says_what_to_install(tmp_path: Path) -> None:
    """Which of the two depends on how Pillow was built."""
    path = tmp_path / "a.tif"
    grey = (MASK * 99).astype(np.uint8)
    # A frame of one block that is stored as it is.
    frame = b"\x28\xb5\x2f\xfd\x20\x3f" + (63 << 3 | 1).to_bytes(3, "little") + grey.tobytes()
    path.write_bytes(plain_tiff(9, 7, 8, 1, frame, compression=50_000))
    sentence = r"its compression \(ZSTD\) can't be read; pip install imagecodecs, or save it"
    try:
        np.testing.assert_array_equal(read_pixels(path), grey)
    except ValueError as error:
        assert re.search(sentence, str(error))  # noqa: PT017
    path.write_bytes(plain_tiff(9, 7, 8, 1, b"none" + frame[4:], compression=50_000))
    with pytest.raises(ValueError, match=sentence):
        read_pixels(path)


@pytest.mark.parametrize("read", [read_pixels, read_pages])
@pytest.mark.parametrize("options", [{"imagej": True}, {"ome": True}])
def test_channels_are_neither_taken_for_slices_nor_for_colours(
    tmp_path: Path, read: Any, options: dict[str, Any]
) -> None:
    path = tmp_path / "a.tif"
    volume = np.zeros((3, 7, 9), np.uint8)
    tifffile.imwrite(path, volume, metadata={"axes": "CYX"}, photometric="minisblack", **options)
    with pytest.raises(ValueError, match=r"it has 3 channels \(axis C\); save colours as RGB"):
        read(path)
    tifffile.imwrite(
        path, volume[:1], metadata={"axes": "CYX"}, photometric="minisblack", **options
    )
    assert read(path).shape[-2:] == (7, 9)


def test_a_narrow_stack_is_not_a_colour_image(tmp_path: Path) -> None:
    """Its pages of three columns look like rows of RGB pixels."""
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((5, 7, 3), np.uint8), photometric="minisblack")
    with pytest.raises(ValueError, match=r"must be one image, got a stack of 5 pages"):
        read_image(tmp_path / "a.tif")


def test_a_stack_of_four_slices_that_passes_for_rgba_is_told_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    slices = np.zeros((4, 7, 9), np.uint8)
    tifffile.imwrite(path, slices, photometric="rgb", planarconfig="separate")
    with pytest.raises(
        ValueError, match="stack of 4 slices, save it with photometric='minisblack'"
    ):
        read_image(path)


def plain_tiff(
    width: int,
    height: int,
    bits: int,
    photometric: int,
    pixels: bytes = b"",
    pages: int = 1,
    compression: int = 1,
) -> bytes:
    """Grey pages that all have the same pixels."""
    size = -(-width * bits // 8) * height if compression == 1 else len(pixels)
    content = bytearray(b"II*\0" + struct.pack("<I", 8 + len(pixels)) + pixels)
    for page in range(pages):
        tags = ((256, width), (257, height), (258, bits), (259, compression), (262, photometric),
                (273, 8), (277, 1), (278, height), (279, min(size, 2**32 - 1)))  # fmt: skip
        content += struct.pack("<H", len(tags))
        for tag, value in tags:
            content += struct.pack("<HHII", tag, 4, 1, value)
        content += struct.pack("<I", len(content) + 4 if page + 1 < pages else 0)
    return bytes(content)


@pytest.mark.parametrize("read", [read_pixels, read_pages])
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (plain_tiff(60_000, 60_000, 8, 1), r"claims 3600000000 pixels but has \d+ bytes"),
        (plain_tiff(3, 3, 8, 1, bytes(9), pages=20_001), "has 20001 pages; at most 20000 are read"),
    ],
    ids=["pixels", "pages"],
)
def test_what_a_small_file_cannot_hold_is_refused_before_memory_is_taken(
    tmp_path: Path, read: Any, content: bytes, sentence: str
) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=sentence):
        read(path)


def test_more_pixels_than_the_decoder_takes_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(np.zeros((7, 9), np.uint8)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(ValueError, match="takes no image of so many pixels; save it as uncompres"):
        read_pixels(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", [".tif", ".png", ".bmp", ".jpg"])
def test_images_larger_than_the_memory_are_refused_by_their_header(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"a{suffix}"
    Image.fromarray(np.zeros((90, 100), np.uint8)).save(path)
    monkeypatch.setattr("toponet._ground.reading._HARMLESS_BYTES", 0)
    monkeypatch.setattr("toponet._ground.reading.machine_memory", lambda: 40_000.0)
    with pytest.raises(ValueError, match=rf"a{suffix} .*is too large for the memory"):
        read_pixels(path)
    monkeypatch.setattr("toponet._ground.reading.machine_memory", lambda: 50_000.0)
    assert read_pixels(path).shape == (90, 100)
