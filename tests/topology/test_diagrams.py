"""PersistenceDiagrams: indexing, joining, printing, files, and other libraries' forms."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import Any

import gudhi
import numpy as np
import pytest
from numpy.typing import NDArray

import toponet
from toponet import PersistenceDiagrams
from toponet.topology.explanation import explain_matching

NAMES = ("values", "pixels", "dimensions", "splits")


def few_levels(seed: int, count: int = 4, shape: tuple[int, int] = (7, 11)) -> NDArray[np.float64]:
    """Images full of ties."""
    return np.random.default_rng(seed).integers(0, 6, (count, *shape)) / 8


def assert_same(a: PersistenceDiagrams, b: PersistenceDiagrams) -> None:
    for name in NAMES:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), strict=True)


def dots(diagrams: PersistenceDiagrams) -> list[list[tuple[int, float, float]]]:
    """The dots of each image, whatever their order within it."""
    return [
        sorted(zip(image.dimensions.tolist(), *image.values.T.tolist(), strict=True))
        for image in diagrams
    ]


def gudhi_complex(image: NDArray[np.float64], connectivity: int) -> gudhi.CubicalComplex:
    cells = "top_dimensional_cells" if connectivity == 8 else "vertices"
    complex_ = gudhi.CubicalComplex(**{cells: -image})
    complex_.compute_persistence(homology_coeff_field=2)
    return complex_


# Indexing and joining.


def test_a_second_index_chooses_the_dimension() -> None:
    images = few_levels(0)
    diagrams = toponet.persistence(images)
    for dimension in (0, 1):
        alone = toponet.persistence(images, dims=(dimension,))
        assert_same(diagrams.dimension(dimension), alone)
        assert_same(diagrams[:, dimension], alone)
        assert_same(diagrams[1:3, dimension], alone[1:3])
        assert_same(diagrams[-1, dimension], alone[3])
    assert len(diagrams[:0, 1]) == 0


def test_finite_leaves_out_what_never_dies() -> None:
    diagrams = toponet.persistence(few_levels(1))
    assert np.isneginf(diagrams.values).sum() == 4
    finite = diagrams.finite()
    assert np.isfinite(finite.values).all()
    np.testing.assert_array_equal(np.diff(finite.splits), np.diff(diagrams.splits) - 1)


def test_a_concatenation_of_its_parts_is_the_batch() -> None:
    diagrams = toponet.persistence(few_levels(2, count=5))
    assert_same(PersistenceDiagrams.concatenate(list(diagrams)), diagrams)
    parts = (diagrams[:2], diagrams[2:2], diagrams[2:])
    assert_same(PersistenceDiagrams.concatenate(part for part in parts), diagrams)


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda d: d[4], IndexError, "no image 4 in a batch of 4"),
        (lambda d: d[-5, 0], IndexError, "no image -5 in a batch of 4"),
        (lambda d: d[[0, 1]], TypeError, r"whole number or a slice, got \[0, 1\]"),
        (lambda d: d[0, 1, 0], TypeError, "two indices, image and dimension, got 3"),
        (lambda d: d[::2, 0], ValueError, "in steps of 1 only"),
        (lambda d: d[0, 3], ValueError, "dimension must be at most 2, got 3"),
        (lambda d: d.dimension(-1), ValueError, "dimension must be at least 0, got -1"),
        (lambda d: d.dimension(True), TypeError, "dimension must be a whole number, got True"),
        (lambda d: d.concatenate([]), ValueError, "at least one batch of diagrams"),
        (lambda d: d.concatenate([d, d.values]), TypeError, "PersistenceDiagrams, got ndarray"),
        (
            lambda d: d.concatenate([d, toponet.persistence(np.eye(3, dtype=np.float32))]),
            TypeError,
            "one dtype, got float64 and float32",
        ),
    ],
)
def test_indices_and_batches_that_do_not_exist_get_one_sentence(
    call: Any, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        call(toponet.persistence(few_levels(3)))


# Made by hand.


@pytest.mark.parametrize(
    ("changed", "error", "sentence"),
    [
        ({"values": [[1.0, 0.0]]}, TypeError, "values must be a numpy array, got list"),
        ({"values": np.ones((1, 2), int)}, TypeError, "float32 or float64, got int64"),
        ({"pixels": np.zeros((1, 2))}, TypeError, "pixels must be int32, got float64"),
        ({"dimensions": np.zeros(1, int)}, TypeError, "dimensions must be int8, got int64"),
        ({"splits": np.array([0, 1], np.int32)}, TypeError, "splits must be int64, got int32"),
        ({"dimensions": np.zeros((1, 1), np.int8)}, ValueError, r"\(n,\) and \(B \+ 1,\), got"),
        ({"splits": np.array([[0, 1]])}, ValueError, r"got \(1,\) and \(1, 2\)"),
        ({"values": np.ones((2, 2))}, ValueError, r"\(1,\), got \(2, 2\) and \(1, 2\)"),
        ({"pixels": np.ones((1, 3), np.int32)}, ValueError, r"got \(1, 2\) and \(1, 3\)"),
        ({"splits": np.array([0, 2])}, ValueError, "number of rows, 1, got 0 to 2"),
        ({"splits": np.array([1, 1])}, ValueError, "number of rows, 1, got 1 to 1"),
        ({"splits": np.array([], np.int64)}, ValueError, "number of rows, 1, got none"),
    ],
)
def test_arrays_that_do_not_fit_together_get_one_sentence(
    changed: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    arrays: dict[str, Any] = {
        "values": np.array([[1.0, 0.0]]),
        "pixels": np.array([[0, 1]], np.int32),
        "dimensions": np.array([0], np.int8),
        "splits": np.array([0, 1]),
    }
    PersistenceDiagrams(**arrays)
    with pytest.raises(error, match=sentence):
        PersistenceDiagrams(**arrays | changed)


def test_the_callers_own_arrays_stay_theirs() -> None:
    """Writable as they were, and what is written into them later isn't in the diagrams."""
    arrays: dict[str, Any] = {
        "values": np.array([[1.0, 0.0]]),
        "pixels": np.array([[0, 1]], np.int32),
        "dimensions": np.array([0], np.int8),
        "splits": np.array([0, 1]),
    }
    diagrams = PersistenceDiagrams(**arrays)
    for name, array in arrays.items():
        before = getattr(diagrams, name).copy()
        array += 1
        np.testing.assert_array_equal(getattr(diagrams, name), before)
        assert not getattr(diagrams, name).flags.writeable


def test_what_is_read_only_already_is_not_copied() -> None:
    """The kernel's results, runs of images and dimensions: a copy of each would be waste."""
    diagrams = toponet.persistence(few_levels(3))
    again = PersistenceDiagrams(*(getattr(diagrams, name) for name in NAMES))
    for name in NAMES:
        assert getattr(again, name) is getattr(diagrams, name)
        assert not getattr(diagrams, name).flags.writeable
    assert np.shares_memory(diagrams[1:3].values, diagrams.values)


UNDYING_HOLE = PersistenceDiagrams(
    np.array([[0.9, -np.inf], [0.75, -np.inf]]),
    np.array([[0, -1], [5, -1]], np.int32),
    np.array([0, 1], np.int8),
    np.array([0, 2]),
)


@pytest.mark.parametrize(
    "use",
    [
        lambda path: UNDYING_HOLE.check(),
        lambda path: UNDYING_HOLE.save(path),
        lambda path: PersistenceDiagrams.from_gudhi(UNDYING_HOLE.to_gudhi()),
        lambda path: PersistenceDiagrams.from_gudhi(
            UNDYING_HOLE.to_gudhi(negated=False), negated=False
        ),
        lambda path: PersistenceDiagrams.from_scikit_tda(UNDYING_HOLE.to_scikit_tda()),
        lambda path: explain_matching(UNDYING_HOLE, UNDYING_HOLE, (3, 4)),
    ],
    ids=["check", "save", "gudhi", "gudhi, as they are", "scikit-tda", "explain"],
)
def test_a_hole_that_never_dies_is_no_hole_of_an_image(use: Any, tmp_path: Path) -> None:
    """As a class that never dies it would be taken for a component."""
    with pytest.raises(ValueError, match=r"must have a death for each hole .* never dies in row"):
        use(tmp_path / "truth.npz")


# Printing.


def test_the_summary_counts_by_dimension() -> None:
    ring = np.array([[0.9, 0.8, 0.7], [0.6, 0.1, 0.9], [0.8, 0.7, 0.5]], np.float32)
    diagrams = toponet.persistence(np.stack([ring, ring / 2, np.full((3, 3), 0.5, np.float32)]))
    assert str(diagrams) == (
        "PersistenceDiagrams(3 images, float32, values 0.05 to 0.9)\n"
        "  dimension 0: 7 dots, median 3 an image, 3 never die\n"
        "  dimension 1: 2 dots, median 1 an image"
    )


def test_the_summary_of_nothing_says_so() -> None:
    diagrams = toponet.persistence(few_levels(4))
    assert repr(diagrams[:0]) == "PersistenceDiagrams(0 images, float64, no dots)"
    flat = toponet.persistence(np.zeros((2, 3, 4)), dims=(1,))
    assert repr(flat) == "PersistenceDiagrams(2 images, float64, no dots)"


# Other libraries' forms.


@pytest.mark.parametrize("connectivity", [4, 8])
def test_what_gudhi_finds_in_the_negated_image_is_ours(connectivity: int) -> None:
    """Both ways and in both forms, essential classes included."""
    for seed in range(25):
        shape = tuple(np.random.default_rng(seed).integers(1, 12, 2))
        images = few_levels(seed, 3, shape)
        ours = toponet.persistence(images, connectivity=connectivity)
        complexes = [gudhi_complex(image, connectivity) for image in images]
        pairs = [c.persistence(homology_coeff_field=2) for c in complexes]
        arrays = [[c.persistence_intervals_in_dimension(d) for d in (0, 1, 2)] for c in complexes]
        assert dots(PersistenceDiagrams.from_gudhi(pairs)) == dots(ours)
        assert dots(PersistenceDiagrams.from_scikit_tda(arrays)) == dots(ours)
        for i, image in enumerate(ours.to_gudhi()):
            assert sorted(image) == sorted(pairs[i])
        for i, by_dimension in enumerate(ours.to_scikit_tda()):
            for array, theirs in zip(by_dimension, arrays[i], strict=False):
                assert sorted(array.tolist()) == sorted(theirs.tolist())


def test_a_padded_image_without_what_never_dies_is_the_framed_one() -> None:
    images = few_levels(5)
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)), constant_values=1)
    pairs = [gudhi_complex(image, 8).persistence(homology_coeff_field=2) for image in padded]
    framed = toponet.persistence(images, frame=True)
    assert dots(PersistenceDiagrams.from_gudhi(pairs).finite()) == dots(framed)


def test_diagrams_from_elsewhere_are_targets_like_our_own() -> None:
    likelihood, truth = toponet.persistence(few_levels(6, 2))
    elsewhere = PersistenceDiagrams.from_gudhi(truth.to_gudhi())
    for d in (0, 1):
        ours = toponet.match(likelihood[0, d].values, truth[0, d].values)
        assert ours.cost > 0
        theirs = toponet.match(likelihood[0, d].values, elsewhere[0, d].values)
        assert theirs.cost == pytest.approx(ours.cost, rel=1e-12)


@pytest.mark.parametrize("negated", [False, True])
def test_a_round_trip_keeps_all_but_the_pixels(negated: bool) -> None:
    diagrams = toponet.persistence(few_levels(7).astype(np.float32))
    by_pairs = PersistenceDiagrams.from_gudhi(diagrams.to_gudhi(negated=negated), negated=negated)
    by_arrays = PersistenceDiagrams.from_scikit_tda(
        diagrams.to_scikit_tda(negated=negated), negated=negated
    )
    for back, dtype in ((by_pairs, np.float64), (by_arrays, np.float32)):
        np.testing.assert_array_equal(back.values, diagrams.values.astype(dtype), strict=True)
        np.testing.assert_array_equal(back.dimensions, diagrams.dimensions, strict=True)
        np.testing.assert_array_equal(back.splits, diagrams.splits, strict=True)
        assert back.pixels.shape == diagrams.pixels.shape
        assert (back.pixels == -1).all()


def test_negated_turns_signs_and_infinities() -> None:
    diagrams = toponet.persistence(np.array([[0.5, 0.0, 0.75]]))
    assert diagrams.to_gudhi() == [[(0, (-0.75, math.inf)), (0, (-0.5, 0.0))]]
    assert diagrams.to_gudhi(negated=False) == [[(0, (0.75, -math.inf)), (0, (0.5, 0.0))]]
    components, holes = diagrams.to_scikit_tda()[0]
    assert components.tolist() == [[-0.75, math.inf], [-0.5, 0.0]]
    assert holes.shape == (0, 2)
    assert diagrams.to_scikit_tda(negated=False)[0][0].tolist() == [[0.75, -math.inf], [0.5, 0.0]]
    assert not np.signbit(components[1, 1])


def test_rows_from_elsewhere_are_put_in_order_and_the_diagonal_is_dropped() -> None:
    pairs = [(1, (0.25, 0.5)), (0, (0.1, 0.2)), (1, (0.3, 0.3)), (0, (0.0, math.inf))]
    diagrams = PersistenceDiagrams.from_gudhi([pairs, []])
    assert diagrams.dimensions.tolist() == [0, 0, 1]
    assert diagrams.values.tolist() == [[0.0, -math.inf], [-0.1, -0.2], [-0.25, -0.5]]
    assert diagrams.splits.tolist() == [0, 3, 3]


def test_batches_of_nothing_are_diagrams_as_well() -> None:
    for nothing in (PersistenceDiagrams.from_gudhi([]), PersistenceDiagrams.from_scikit_tda([])):
        assert len(nothing) == 0
        assert nothing.to_gudhi() == nothing.to_scikit_tda() == []
    empty = PersistenceDiagrams.from_scikit_tda([[], [np.array([]), np.array([])]])
    assert len(empty) == 2
    assert len(empty.values) == 0


PAIRS = [(0, (-1.0, math.inf))]
ARRAYS = [np.array([[-1.0, np.inf]]), np.empty((0, 2))]


@pytest.mark.parametrize(
    ("diagrams", "error", "sentence"),
    [
        (PAIRS, TypeError, r"diagrams\[0\] must be a list of \(dimension"),
        (np.array(PAIRS[0][1]), TypeError, "one for each image, got ndarray"),
        ([PAIRS, PAIRS[0][1]], TypeError, r"diagrams\[1\] must be a list of \(dimension"),
        ([[(0, "ab")]], TypeError, "must be a list of"),
        ([[(0, (1.0, 2.0, 3.0))]], TypeError, "must be a list of"),
        ([[*PAIRS, (3, (0.0, 1.0))]], ValueError, "dimensions 0, 1 and 2, as .* have, got 3"),
        ([[(0.5, (0.0, 1.0))]], ValueError, "as images and volumes have, got 0.5"),
        ([[(0, (0.9, 0.2))]], ValueError, r"birth <= death \(sublevel sets\), got .* in row 0"),
        ([[(0, (math.nan, 0.2))]], ValueError, r"finite numbers \(deaths may be inf\)"),
        ([[(0, (0.0, -math.inf))]], ValueError, "finite numbers"),
    ],
)
def test_what_is_not_gudhis_form_gets_one_sentence(
    diagrams: Any, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        PersistenceDiagrams.from_gudhi(diagrams)


@pytest.mark.parametrize(
    ("diagrams", "error", "sentence"),
    [
        (ARRAYS, TypeError, r"diagrams\[0\] must be a list of \(n, 2\) arrays.*, got ndarray"),
        (ARRAYS[0], TypeError, "diagrams must be a list of diagrams, one for each image"),
        ([[np.zeros((2, 3))]], ValueError, r"diagrams\[0\]\[0\] must have shape \(n, 2\), got"),
        ([[[[0.0, 1.0], [2.0]]]], ValueError, r"diagrams\[0\]\[0\] must be an array: its rows"),
        ([[np.array([["0", "1"]])]], TypeError, "must hold real numbers, got <U1"),
        ([[*ARRAYS, [], np.ones((1, 2))]], ValueError, "dimensions 0, 1 and 2, .* got 4"),
        ([ARRAYS, [np.array([[0.9, 0.2]])]], ValueError, r"diagrams\[1\]\[0\] must have birth <="),
    ],
)
def test_what_is_not_scikit_tdas_form_gets_one_sentence(
    diagrams: Any, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        PersistenceDiagrams.from_scikit_tda(diagrams)


def test_values_that_are_not_negated_must_be_of_superlevel_sets() -> None:
    with pytest.raises(ValueError, match=r"birth >= death \(superlevel sets\)"):
        PersistenceDiagrams.from_gudhi([[(0, (0.2, 0.9))]], negated=False)
    with pytest.raises(ValueError, match=r"deaths may be -inf"):
        PersistenceDiagrams.from_scikit_tda([ARRAYS], negated=False)


@pytest.mark.parametrize("form", ["gudhi", "scikit_tda"])
def test_negated_is_a_flag(form: str) -> None:
    wrong: Any = 1
    with pytest.raises(TypeError, match="negated must be True or False, got 1"):
        getattr(PersistenceDiagrams, f"from_{form}")([], negated=wrong)
    with pytest.raises(TypeError, match="negated must be True or False, got 1"):
        getattr(toponet.persistence(np.eye(2)), f"to_{form}")(negated=wrong)


# Files.


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_saved_batch_is_loaded_bit_for_bit(tmp_path: Path, dtype: type) -> None:
    diagrams = toponet.persistence(few_levels(8).astype(dtype), frame=True)
    for name, part in (("all.npz", diagrams), ("none", diagrams[:0])):
        part.save(tmp_path / name)
        loaded = PersistenceDiagrams.load(str(tmp_path / name))
        assert_same(loaded, part)
        assert not loaded.values.flags.writeable
    assert sorted(p.name for p in tmp_path.iterdir()) == ["all.npz", "none"]


def test_a_file_is_replaced_only_when_told_so(tmp_path: Path) -> None:
    first, second = toponet.persistence(few_levels(9))[:1], toponet.persistence(few_levels(10))[:1]
    path = tmp_path / "truth.npz"
    first.save(path)
    with pytest.raises(FileExistsError, match=r"truth.npz exists already; pass overwrite=True"):
        second.save(path)
    assert_same(PersistenceDiagrams.load(path), first)
    second.save(path, overwrite=True)
    assert_same(PersistenceDiagrams.load(path), second)
    wrong: Any = "yes"
    with pytest.raises(TypeError, match="overwrite must be True or False, got 'yes'"):
        second.save(path, overwrite=wrong)


def test_what_cannot_be_written_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks_off(file: Any, **arrays: Any) -> None:
        file.write(b"half a file")
        raise OSError("no space left on device")

    diagrams = toponet.persistence(few_levels(11))
    path = tmp_path / "truth.npz"
    diagrams.save(path)
    monkeypatch.setattr(np, "savez", breaks_off)
    with pytest.raises(OSError, match="no space left"):
        diagrams[:1].save(path, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["truth.npz"]
    assert_same(PersistenceDiagrams.load(path), diagrams)


def test_files_and_folders_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere is not a folder; create it"):
        toponet.persistence(np.eye(2)).save(tmp_path / "nowhere" / "truth.npz")
    with pytest.raises(FileNotFoundError, match=r"absent\.npz"):
        PersistenceDiagrams.load(tmp_path / "absent.npz")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"format": None}, "it has no format number"),
        ({"format": 2}, "has format 2; this version of toponet reads 1"),
        ({"splits": None}, "must hold the arrays values, pixels, dimensions, splits, got"),
        ({"more": np.zeros(1)}, "got dimensions, more, pixels, splits, values"),
        ({"pixels": np.zeros((2, 2))}, "pixels must be int32, got float64"),
        ({"values": np.ones((3, 2))}, r"got \(3, 2\) and \(2, 2\)"),
        ({"splits": np.array([0, 3])}, "number of rows, 2, got 0 to 3"),
        ({"splits": np.array([0, 2, 1, 2])}, "splits must not decrease"),
        ({"dimensions": np.array([0, 3], np.int8)}, "dimensions must be 0, 1 or 2"),
        ({"pixels": np.full((2, 2), -2, np.int32)}, "pixels must be at least -1, got -2"),
        ({"values": np.array([[1.0, 0.0], [0.2, 0.9]])}, "birth >= death .* in row 1"),
        ({"values": np.array([[np.nan, 0.0], [1.0, 0.0]])}, "values must hold finite numbers"),
        ({"values": np.array([[{}, 0.0], [1.0, 0.0]])}, "is not an .npz file of arrays"),
    ],
)
def test_a_file_of_something_else_is_refused_by_name(
    tmp_path: Path, changed: dict[str, Any], sentence: str
) -> None:
    """Pickled objects among them: the last one."""
    arrays: dict[str, Any] = {
        "format": 1,
        "values": np.array([[1.0, 0.0], [0.9, 0.2]]),
        "pixels": np.array([[0, 1], [2, 3]], np.int32),
        "dimensions": np.array([0, 1], np.int8),
        "splits": np.array([0, 2]),
    }
    path = tmp_path / "truth.npz"
    np.savez(path, **arrays)
    PersistenceDiagrams.load(path)
    np.savez(path, **{k: v for k, v in (arrays | changed).items() if v is not None})
    with pytest.raises(ValueError, match=rf"truth\.npz .*{sentence}"):
        PersistenceDiagrams.load(path)


def test_a_damaged_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "truth.npz"
    toponet.persistence(few_levels(12)).save(path)
    whole = path.read_bytes()
    # The numbers are stored as they are: one changed byte shows in the checksum only.
    flipped = bytearray(whole)
    with zipfile.ZipFile(path) as archive:
        flipped[archive.getinfo("pixels.npy").header_offset + 250] ^= 1
    for damaged in (b"", b"hello", whole[:-40], whole[: len(whole) // 2], bytes(flipped)):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"truth\.npz is not an \.npz file .* or is damaged"):
            PersistenceDiagrams.load(path)
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(ValueError, match=r"truth\.npz is not an \.npz file"):
        PersistenceDiagrams.load(path)


def test_diagrams_of_volumes_go_to_other_forms_and_back() -> None:
    """Three dimensions; a file, gudhi's pairs and scikit-tda's arrays hold the cavities too."""
    volume = np.ones((5, 4, 3))
    volume[1, 1, 1] = 0.25
    volume[3, 2, 1] = 0.5
    diagrams = toponet.persistence(volume, spatial_dims=3)
    assert diagrams[0, 2].values.tolist() == [[1, 0.25], [1, 0.5]]
    assert "dimension 2: 2 dots" in repr(diagrams)
    pairs = toponet.PersistenceDiagrams.from_gudhi(diagrams.to_gudhi())
    assert pairs.dimensions.tolist() == [0, 2, 2]
    arrays = diagrams.to_scikit_tda()
    assert [len(array) for array in arrays[0]] == [1, 0, 2]
    back = toponet.PersistenceDiagrams.from_scikit_tda(arrays)
    assert back.dimensions.tolist() == [0, 2, 2]
