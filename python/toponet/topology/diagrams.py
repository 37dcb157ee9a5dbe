"""Persistence diagrams of a batch of images or volumes, as flat arrays."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toponet._ground.validation import FloatArray, check_flag, check_whole
from toponet.topology import archive, interchange
from toponet.topology.diagram_checks import MOST_DIMENSION, check_content, check_layout

_NAMES = ("values", "pixels", "dimensions", "splits")


@dataclass(frozen=True, eq=False, repr=False)
class PersistenceDiagrams:
    """Persistence diagrams of B images or volumes: one row per class of positive persistence.

    Rows are ordered by (image, dimension, death pixel, birth pixel); a class that never dies comes
    first. ``values == image.flat[pixels]`` bit for bit wherever ``pixels >= 0``. The arrays are
    read-only: the constructor copies an array that can be written to, and takes any other array as
    it is.

    Diagrams of other libraries (:meth:`from_gudhi`, :meth:`from_scikit_tda`) know no pixels: all
    their pixels are -1. Their rows are ordered by (image, dimension). Within a dimension, a class
    that never dies comes first, and the others come as they were given. Such diagrams can be the
    targets of a loss, because a loss needs no pixels of its target.

    Attributes:
        values: (n, 2), the images' dtype. Birth and death; birth >= death (superlevel sets). A
            class that never dies has death -inf.
        pixels: (n, 2) int32. Birth and death pixel, flat indices into H x W (D x H x W of volumes);
            -1 = born with the frame, or never dies, or not known.
        dimensions: (n,) int8. 0 = connected component, 1 = hole (of a volume: tunnel), 2 = cavity
            of a volume.
        splits: (B + 1,) int64. Rows ``splits[i]:splits[i + 1]`` belong to image i.

    Raises:
        TypeError: If an argument isn't a numpy array, or has another dtype.
        ValueError: If the shapes don't fit together. The numbers in the arrays are not checked.

    Example:
        >>> import numpy as np, toponet
        >>> ring = np.array([[0.9, 0.8, 0.7], [0.6, 0.1, 0.9], [0.8, 0.7, 0.5]])
        >>> diagrams = toponet.persistence(np.stack([ring, ring / 2]))
        >>> diagrams
        PersistenceDiagrams(2 images, float64, values 0.05 to 0.9)
          dimension 0: 6 dots, median 3 an image, 2 never die
          dimension 1: 2 dots, median 1 an image
        >>> diagrams[1, 1].values
        array([[0.3 , 0.05]])
    """

    values: FloatArray
    pixels: NDArray[np.int32]
    dimensions: NDArray[np.int8]
    splits: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Checks dtypes and shapes, which is cheap; copies the arrays that can be written to."""
        check_layout(self.values, self.pixels, self.dimensions, self.splits)
        for name in _NAMES:
            array = getattr(self, name)
            if array.flags.writeable:
                own = array.copy()
                own.flags.writeable = False
                object.__setattr__(self, name, own)  # The class is frozen.

    def __reduce__(self) -> tuple[type[PersistenceDiagrams], tuple[NDArray[Any], ...]]:
        """Copies and pickles go through the constructor, so that their arrays are read-only too."""
        return PersistenceDiagrams, (self.values, self.pixels, self.dimensions, self.splits)

    def __len__(self) -> int:
        """Number of images."""
        return len(self.splits) - 1

    def __getitem__(self, index: int | slice | tuple[int | slice, int]) -> PersistenceDiagrams:
        """The diagrams of one image (a batch of one) or of a slice of images; views, no copies.

        A second index chooses the dimension: ``diagrams[i, d]`` is ``diagrams[i].dimension(d)``.

        Raises:
            IndexError: If there is no such image.
            TypeError: If an index is neither a whole number nor a slice of images.
            ValueError: If a slice has a step other than 1, or the dimension isn't 0, 1 or 2.
        """
        if isinstance(index, tuple):
            if len(index) != 2:
                raise TypeError(f"diagrams have two indices, image and dimension, got {len(index)}")
            return self[index[0]].dimension(index[1])
        if isinstance(index, bool):
            raise TypeError(f"images are a whole number or a slice, got {index!r}")
        try:
            chosen = range(len(self))[index]
        except IndexError:
            raise IndexError(f"there is no image {index} in a batch of {len(self)}") from None
        except TypeError:
            raise TypeError(f"images are a whole number or a slice, got {index!r}") from None
        if isinstance(chosen, int):
            chosen = range(chosen, chosen + 1)
        elif chosen.step != 1:
            raise ValueError(f"diagrams can be sliced in steps of 1 only, got {index}")
        splits = self.splits[chosen.start : chosen.start + len(chosen) + 1]
        rows = slice(int(splits[0]), int(splits[-1]))
        return PersistenceDiagrams(
            self.values[rows], self.pixels[rows], self.dimensions[rows], splits - splits[0]
        )

    def __iter__(self) -> Iterator[PersistenceDiagrams]:
        """The diagrams of each image, as a batch of one."""
        return (self[image] for image in range(len(self)))

    def dimension(self, dimension: int) -> PersistenceDiagrams:
        """Only the classes of one dimension of every image.

        Raises:
            TypeError: If the dimension isn't a whole number.
            ValueError: If it isn't 0, 1 or 2.
        """
        check_whole("dimension", dimension, least=0, most=MOST_DIMENSION)
        return self._only(self.dimensions == dimension)

    def finite(self) -> PersistenceDiagrams:
        """Only the classes that die.

        If an image was padded by a frame, this drops the component of the frame, which is no dot
        of a framed image.
        """
        return self._only(np.isfinite(self.values[:, 1]))

    def _only(self, rows: NDArray[np.bool_]) -> PersistenceDiagrams:
        before = np.concatenate([[0], np.cumsum(rows, dtype=np.int64)])
        return PersistenceDiagrams(
            self.values[rows], self.pixels[rows], self.dimensions[rows], before[self.splits]
        )

    @staticmethod
    def concatenate(batches: Iterable[PersistenceDiagrams]) -> PersistenceDiagrams:
        """One batch of all the images, in their order.

        A loss takes the targets of a batch in this form.

        Raises:
            TypeError: If an entry isn't a PersistenceDiagrams, or the dtypes differ.
            ValueError: If there is no entry.

        Example:
            >>> import numpy as np, toponet
            >>> targets = [toponet.persistence(np.eye(5)), toponet.persistence(np.ones((3, 4)))]
            >>> len(toponet.PersistenceDiagrams.concatenate(targets))
            2
        """
        parts = list(batches)
        if not parts:
            raise ValueError("there must be at least one batch of diagrams to concatenate")
        for part in parts:
            if not isinstance(part, PersistenceDiagrams):
                raise TypeError(f"batches must hold PersistenceDiagrams, got {type(part).__name__}")
            if part.values.dtype != parts[0].values.dtype:
                raise TypeError(f"batches must have one dtype, got {parts[0].values.dtype} and "
                                f"{part.values.dtype}")  # fmt: skip
        counts = np.concatenate([np.diff(part.splits) for part in parts])
        return PersistenceDiagrams(
            np.concatenate([part.values for part in parts]),
            np.concatenate([part.pixels for part in parts]),
            np.concatenate([part.dimensions for part in parts]),
            np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]),
        )

    def to_gudhi(self, *, negated: bool = True) -> list[list[interchange.Pair]]:
        """The form of gudhi's ``persistence()``: a list of (dimension, (birth, death)) per image.

        Args:
            negated: True: the values that gudhi finds in the negated image (see
                :meth:`from_gudhi`). There birth <= death, and a class that never dies has death
                inf. False: the values as they are.

        Raises:
            TypeError: If negated isn't True or False.

        Example:
            >>> import numpy as np, toponet
            >>> toponet.persistence(np.array([[0.5, 0.25, 0.75]])).to_gudhi()
            [[(0, (-0.75, inf)), (0, (-0.5, -0.25))]]
        """
        dots = self._signed(negated).tolist()
        pairs = [(d, (b, x)) for d, (b, x) in zip(self.dimensions.tolist(), dots, strict=True)]
        return [pairs[start:end] for start, end in pairwise(self.splits.tolist())]

    @staticmethod
    def from_gudhi(
        diagrams: Sequence[Sequence[interchange.Pair]], *, negated: bool = True
    ) -> PersistenceDiagrams:
        """Diagrams of gudhi's ``persistence()``: a list of (dimension, (birth, death)) per image.

        gudhi works on sublevel sets, toponet on superlevel sets, so give gudhi the negated image.
        Its ``top_dimensional_cells`` correspond to connectivity 8, its ``vertices`` to 4. gudhi
        knows no frame: pad the image by one pixel, and drop the frame's component by
        :meth:`finite`.

        Args:
            diagrams: One list for each image. The list of a single image must be in a list as well.
                Pairs of zero persistence are dropped.
            negated: True: the diagrams describe the negated image, so births and deaths change
                their sign, and inf becomes -inf. False: they describe superlevel sets already.

        Returns:
            The diagrams of all images, float64, without pixels.

        Raises:
            TypeError: If the diagrams aren't such lists.
            ValueError: If a dimension isn't 0, 1 or 2; if a number isn't finite (the death of a
                component may be infinite, other deaths may not); or if births and deaths
                aren't in the order that ``negated`` says.

        Example:
            >>> import toponet
            >>> pairs = [(0, (-0.75, float("inf"))), (0, (-0.5, -0.25))]
            >>> toponet.PersistenceDiagrams.from_gudhi([pairs]).values
            array([[0.75, -inf],
                   [0.5 , 0.25]])
        """
        return PersistenceDiagrams(*interchange.from_pairs(diagrams, negated))

    def to_scikit_tda(self, *, negated: bool = True) -> list[list[FloatArray]]:
        """The form of ripser and persim: for each image an (n, 2) array for each dimension.

        There are two arrays, dimension 0 and 1. There are three if any of the diagrams has a dot of
        dimension 2.

        Args:
            negated: True: the values for the sublevel sets of the negated image, which ripser and
                persim expect. There birth <= death, and a class that never dies has death inf.
                False: the values as they are.

        Raises:
            TypeError: If negated isn't True or False.

        Example:
            >>> import numpy as np, toponet
            >>> components, holes = toponet.persistence(np.eye(3)).to_scikit_tda()[0]
            >>> components, holes.shape
            (array([[-1., inf]]), (0, 2))
        """
        values = self._signed(negated)
        dims = self._dims()
        return [
            [values[start:end][self.dimensions[start:end] == d] for d in dims]
            for start, end in pairwise(self.splits.tolist())
        ]

    @staticmethod
    def from_scikit_tda(
        diagrams: Sequence[Sequence[ArrayLike]], *, negated: bool = True
    ) -> PersistenceDiagrams:
        """Diagrams as (n, 2) arrays of births and deaths, one array for each dimension.

        This is the form of ripser and persim, and of gudhi's
        ``persistence_intervals_in_dimension``.

        Args:
            diagrams: For each image a list of arrays, dimension 0 first. The list of a single image
                must be in a list as well. Pairs of zero persistence are dropped.
            negated: The same as in :meth:`from_gudhi`.

        Returns:
            The diagrams of all images, without pixels; float32 if all arrays are, else float64.

        Raises:
            TypeError: If the diagrams aren't lists of arrays of real numbers.
            ValueError: If an array isn't (n, 2); if an array of dimension 3 or more isn't empty;
                and for the reasons of :meth:`from_gudhi`.

        Example:
            >>> import numpy as np, toponet
            >>> arrays = [np.array([[-0.75, np.inf], [-0.5, -0.25]]), np.empty((0, 2))]
            >>> toponet.PersistenceDiagrams.from_scikit_tda([arrays]).dimensions
            array([0, 0], dtype=int8)
        """
        return PersistenceDiagrams(*interchange.from_arrays(diagrams, negated))

    def _dims(self) -> range:
        """The dimensions to speak of: 0 and 1, and 2 if there is a dot of it."""
        return range(3 if (self.dimensions == MOST_DIMENSION).any() else 2)

    def _signed(self, negated: bool) -> FloatArray:
        check_flag("negated", negated)
        return interchange.change_sign(self.values) if negated else self.values

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Writes a .npz file of the four arrays: whole or not at all, without pickle.

        Args:
            path: Taken as it is: no suffix is added.
            overwrite: Whether to replace a file that exists.

        Raises:
            FileExistsError: If the file exists and ``overwrite`` is False.
            FileNotFoundError: If the folder of the file doesn't exist.
            TypeError: If overwrite isn't True or False.
            ValueError: If the numbers can't belong to diagrams: :meth:`load` would refuse them.
        """
        self.check()
        arrays = {name: getattr(self, name) for name in _NAMES}
        archive.write_arrays(path, arrays, overwrite=overwrite)

    def check(self) -> None:
        """Raises ValueError if the numbers can't belong to diagrams.

        The constructor checks only dtypes and shapes. Diagrams that :func:`toponet.persistence`
        returns always pass.
        """
        check_content(self.values, self.pixels, self.dimensions, self.splits)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> PersistenceDiagrams:
        """Reads a file that :meth:`save` wrote, and checks everything in it.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If the file is of another kind or format, is damaged, or holds other arrays
                than diagrams have. The error names the file.
        """
        arrays = archive.read_arrays(path, _NAMES)
        try:
            diagrams = PersistenceDiagrams(**arrays)
            diagrams.check()
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path} holds no persistence diagrams: {error}") from None
        return diagrams

    def __repr__(self) -> str:
        """The number of dots, not the dots: diagrams have hundreds of rows."""
        finite = self.values[np.isfinite(self.values)]
        values = f"values {finite.min():.4g} to {finite.max():.4g}" if finite.size else "no dots"
        lines = [f"PersistenceDiagrams({len(self)} images, {self.values.dtype}, {values})"]
        for d in self._dims() if finite.size else ():
            dots = self.dimension(d)
            count = len(dots.values)
            line = f"  dimension {d}: {count} dots, median {np.median(np.diff(dots.splits)):g}"
            essential = count - len(dots.finite().values)
            lines.append(f"{line} an image" + (f", {essential} never die" if essential else ""))
        return "\n".join(lines)
