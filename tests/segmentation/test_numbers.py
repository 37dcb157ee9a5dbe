"""The three numbers of a segmentation by persistence, as options that commands share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from toponet.cli._options import parse
from toponet.segmentation import SegmentationNumbers
from toponet.topology.segmentation import SegmentationOptions

DEFAULT = SegmentationOptions(0.4, 0.6, 0.2)


@dataclass(frozen=True)
class Command(SegmentationNumbers):
    """A command with no option of its own."""

    def __post_init__(self) -> None:
        """As commands do: numbers out of range are found before any file is read."""
        self.or_default(DEFAULT)


def given(*arguments: str) -> SegmentationNumbers:
    return parse("toponet-x", "Does it.", Command, arguments)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), DEFAULT),
        (("--threshold", "0.7"), SegmentationOptions(0.7, 0.6, 0.2)),
        (("--keep=0",), SegmentationOptions(0.4, 0.0, 0.2)),
        (("--add", "0.9"), SegmentationOptions(0.4, 0.6, 0.9)),
        (("--add", "null"), SegmentationOptions(0.4, 0.6, None)),
        (("--add", "none"), SegmentationOptions(0.4, 0.6, None)),
        (("--add", "default"), DEFAULT),
        (("--keep", "0", "--add", "null"), SegmentationOptions.cut(0.4)),
    ],
)
def test_a_number_that_is_left_out_is_the_default(
    arguments: tuple[str, ...], expected: SegmentationOptions
) -> None:
    assert given(*arguments).or_default(DEFAULT) == expected


def test_a_file_of_options_takes_null_for_none(tmp_path: Path) -> None:
    """Elsewhere null means the default; here a word does, so that null is left for none."""
    path = tmp_path / "options.yaml"
    for text, add in (("null", None), ("default", 0.2), ("0.7", 0.7)):
        path.write_text(f"add: {text}\n")
        assert given(f"--config={path}").or_default(DEFAULT).add == add


def test_what_was_given_is_known() -> None:
    assert given().numbers_given == ()
    assert given("--add=null", "--keep=0.5").numbers_given == ("keep", "add")
    assert given("--threshold=0.4").numbers_given == ("threshold",)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--threshold=1", "--threshold must lie between 0 and 1, both excluded, got 1"),
        ("--threshold=0", "--threshold must lie between 0 and 1, both excluded, got 0"),
        ("--threshold=1e-50", "--threshold must lie between 0 and 1, both excluded, got 1e-50"),
        ("--keep=-0.1", "--keep must be at least 0 and finite, got -0.1"),
        ("--add=-1", "--add must be at least 0 and finite, got -1"),
        ("--add=much", "--add must be a number or 'default' or null, got much"),
    ],
)
def test_a_number_of_no_use_gets_a_sentence(argument: str, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{message}"):
        given(argument)
