"""The definition of persistence in three dimensions, in plain Python: what the kernel must equal.

Slow and obvious on purpose. Pieces (dimension 0) and cavities (dimension 2) follow the elder rule
as in reference.py, the cavities as pieces of the background. Tunnels (dimension 1) are read off the
cubical complex, cell by cell: the columns of its boundary matrix over Z/2 are reduced. The same can
be done in every dimension, which shows that the duality is right.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from reference import OUTSIDE, Pair, Row, in_order, pieces_and_holes

Shape = tuple[int, int, int]
Place = tuple[int, int, int]  # In the doubled grid: odd = extended in that direction.
STRUCTURES = {
    6: ndimage.generate_binary_structure(3, 1),
    26: ndimage.generate_binary_structure(3, 3),
}


def neighbours(voxel: int, shape: Shape, connectivity: int) -> Iterable[int]:
    """Neighbours of a voxel; OUTSIDE stands for all that lie beyond the border."""
    slice_, in_slice = divmod(voxel, shape[1] * shape[2])
    row, column = divmod(in_slice, shape[2])
    for dz, dy, dx in product((-1, 0, 1), repeat=3):
        steps = abs(dz) + abs(dy) + abs(dx)
        if steps == 0 or (connectivity == 6 and steps > 1):
            continue
        z, y, x = slice_ + dz, row + dy, column + dx
        inside = 0 <= z < shape[0] and 0 <= y < shape[1] and 0 <= x < shape[2]
        yield (z * shape[1] + y) * shape[2] + x if inside else OUTSIDE


def cells(labels: NDArray[np.int64], connectivity: int) -> dict[Place, list[int]]:
    """All cells of the cubical complex, each with the labels of the voxels around it.

    Connectivity 26: voxels are cubes, at odd places, and the voxels around a cell are those of
    which it is a face. Connectivity 6: voxels are vertices, at even places, and the voxels around
    a cell are its vertices.
    """
    first = 1 if connectivity == 26 else 0
    grid = [2 * n + 1 if connectivity == 26 else 2 * n - 1 for n in labels.shape]
    around = [
        [
            [(y - first) // 2 for y in (x - 1, x, x + 1) if 0 <= y < size and y % 2 == first]
            for x in range(size)
        ]
        for size in grid
    ]
    label_of = {voxel: int(label) for voxel, label in np.ndenumerate(labels)}
    return {
        (z, y, x): [label_of[voxel] for voxel in product(around[0][z], around[1][y], around[2][x])]
        for z, y, x in product(*map(range, grid))
    }


def faces(place: Place) -> Iterable[Place]:
    """The faces of a cell that have one dimension less."""
    for axis in range(3):
        if place[axis] % 2:
            for step in (-1, 1):
                face = list(place)
                face[axis] += step
                yield face[0], face[1], face[2]


def dimension(place: Place) -> int:
    return place[0] % 2 + place[1] % 2 + place[2] % 2


class Filtration:
    """The cells of a volume in the order in which they enter: by voxel, then by dimension.

    A cube (connectivity 26) brings its faces with it, so that a cell enters with the first of its
    voxels. A vertex (connectivity 6) brings the cells that it completes, so that a cell enters with
    the last of its voxels.
    """

    def __init__(self, volume: NDArray[np.floating], connectivity: int, frame: bool) -> None:
        values = volume.ravel()
        order = sorted(range(values.size), key=lambda v: (-values[v], v))
        self.age = {OUTSIDE: -1} | {voxel: k for k, voxel in enumerate(order)}
        labels = np.arange(values.size).reshape(volume.shape)
        if frame:
            labels = np.pad(labels, 1, constant_values=OUTSIDE)
        choose = min if connectivity == 26 else max
        self.voxel_of = {
            place: choose(voxels, key=self.age.__getitem__)
            for place, voxels in cells(labels, connectivity).items()
        }

    def cells_of(self, wanted: int) -> list[Place]:
        """The cells of one dimension, in their order."""
        found = [place for place in self.voxel_of if dimension(place) == wanted]
        return sorted(found, key=lambda place: (self.age[self.voxel_of[place]], place))

    def pairs(self, wanted: int) -> list[Pair]:
        """(birth voxel, death voxel) of the classes of a dimension that die, by reduction.

        A column is a number whose binary digits are its entries: adding modulo 2 is ``^``, and the
        lowest 1 of the column is the highest digit.
        """
        rows = self.cells_of(wanted)
        position = {place: k for k, place in enumerate(rows)}
        column_with_lowest: dict[int, int] = {}
        found = []
        for place in self.cells_of(wanted + 1):
            column = sum(1 << position[face] for face in faces(place))
            while column and column.bit_length() - 1 in column_with_lowest:
                column ^= column_with_lowest[column.bit_length() - 1]
            if column:
                lowest = column.bit_length() - 1
                column_with_lowest[lowest] = column
                found.append((self.voxel_of[rows[lowest]], self.voxel_of[place]))
        return found


def rows_by_reduction(
    volume: NDArray[np.floating],
    connectivity: int = 26,
    frame: bool = False,
    frame_value: float = 1.0,
    dims: tuple[int, ...] = (0, 1, 2),
) -> list[Row]:
    """The rows of some dimensions without any duality. The complex is a box: all else dies."""
    values = volume.ravel()
    filtration = Filtration(volume, connectivity, frame)
    rows = []
    for d in dims:
        for birth, death in filtration.pairs(d):
            if birth == death:  # Both in the frame, or with one voxel.
                continue
            if (frame_value if birth == OUTSIDE else values[birth]) != values[death]:
                rows.append((d, birth, death))
    if 0 in dims and not frame:
        eldest = min(range(values.size), key=filtration.age.__getitem__)
        rows.append((0, eldest, OUTSIDE))
    return in_order(rows)


def persistence(
    volume: NDArray[np.floating],
    connectivity: int = 26,
    frame: bool = False,
    frame_value: float = 1.0,
) -> list[Row]:
    """Rows (dimension, birth voxel, death voxel) of one (D, H, W) volume, in the kernel's order."""
    pieces, cavities = pieces_and_holes(
        volume.ravel(),
        partial(neighbours, shape=volume.shape, connectivity=connectivity),
        partial(neighbours, shape=volume.shape, connectivity=32 - connectivity),
        frame,
        frame_value,
    )
    tunnels = rows_by_reduction(volume, connectivity, frame, frame_value, dims=(1,))
    return in_order([(0, *pair) for pair in pieces] + tunnels + [(2, *pair) for pair in cavities])


def euler_number(mask: NDArray[np.bool_], connectivity: int) -> int:
    """Vertices - edges + squares - cubes of the complex of a mask, each kind counted by itself.

    Two voxels side by side are both needed by the edge between them (connectivity 6), or share a
    face that either of them brings (connectivity 26).
    """
    given = np.pad(mask, 1) if connectivity == 26 else mask
    total = 0
    for extended in product((False, True), repeat=3):
        present = given
        for axis in range(3):
            one, other = np.delete(present, -1, axis), np.delete(present, 0, axis)
            if connectivity == 26 and not extended[axis]:
                present = one | other
            elif connectivity == 6 and extended[axis]:
                present = one & other
        total += (-1) ** sum(extended) * int(present.sum())
    return total


def betti_numbers(
    mask: NDArray[np.bool_], connectivity: int = 26, frame: bool = False
) -> tuple[int, int, int]:
    """Pieces, tunnels and cavities of a mask.

    Pieces and cavities are labelled by scipy. The Euler number gives the tunnels.
    """
    framed = np.pad(mask, 1, constant_values=frame)
    around = np.pad(framed, 1, constant_values=False)
    pieces = ndimage.label(around, STRUCTURES[connectivity])[1]
    cavities = ndimage.label(~around, STRUCTURES[32 - connectivity])[1] - 1  # Not the outside.
    tunnels = pieces + cavities - euler_number(framed, connectivity)
    # The frame's own piece isn't counted.
    return pieces - frame, tunnels, cavities
