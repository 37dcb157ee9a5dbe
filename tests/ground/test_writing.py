"""Files are whole at any time, whoever writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from toponet._ground.writing import written_whole


def test_of_several_writers_the_last_one_to_end_wins(tmp_path: Path) -> None:
    """Each has a file of its own until it ends: neither writes into the other's half."""
    path = tmp_path / "file"
    with written_whole(path, several_writers=True) as first:
        first.write(b"first")
        with written_whole(path, several_writers=True) as second:
            second.write(b"second")
        assert path.read_bytes() == b"second"
        first.write(b", later")
    assert path.read_bytes() == b"first, later"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_left_is_overwritten_by_the_next_one(tmp_path: Path) -> None:
    """Otherwise the leftovers of a run that is killed often would fill the disk."""
    path = tmp_path / "file"
    path.with_name("file.partial").write_bytes(b"half of a long file")
    with written_whole(path) as file:
        file.write(b"whole")
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("several_writers", [False, True])
def test_after_an_error_the_file_is_as_it_was(tmp_path: Path, several_writers: bool) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def break_off() -> None:
        with written_whole(path, several_writers=several_writers) as file:
            file.write(b"new")
            raise ValueError("broken off")

    with pytest.raises(ValueError, match="broken off"):
        break_off()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("several_writers", [False, True])
def test_an_error_names_the_file_and_not_its_partial_one(
    tmp_path: Path, several_writers: bool
) -> None:
    path = tmp_path / "absent" / "file"
    with (
        pytest.raises(OSError, match=f"{path}'$"),
        written_whole(path, several_writers=several_writers),
    ):
        pass
