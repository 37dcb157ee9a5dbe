"""The metrics as ``torchmetrics.Metric`` classes: over batches, epochs and processes.

All states are sums and counts. Over DDP ranks they are added, so that a result is the mean over
the images of all ranks, however unequal the ranks' shares are. Every image counts the same,
whatever its size.

The sums are whole numbers (of a small unit): trainers that run a model in half precision convert
the floating point states of its metrics as well, and a sum in bfloat16 stops growing at 256. Whole
numbers are also what every device has: float64 is missing on some.
"""

from __future__ import annotations

import zlib
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric

from toponet._ground.validation import check_connectivity, check_flag
from toponet.metrics.betti import BettiErrorResult, betti_differences, betti_result
from toponet.metrics.conventions import BettiConvention, betti_convention
from toponet.metrics.inputs import Masks, without_channel
from toponet.metrics.partition import THRESHOLDS, conditional_entropies, rand_scores
from toponet.metrics.pixel import equal_shares

# What sums are counted in: fine enough for float32 results, and an int64 holds 3e10 of them.
UNIT = 2.0**-28

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class _MeanMetric(Metric):
    """Means of what :meth:`_measure` returns, over its rows: the images."""

    is_differentiable = False
    full_state_update = False
    plot_lower_bound = 0.0

    def __init__(self, means: int, options: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # A MetricCollection takes two metrics for one if names and values of their states are
        # equal after the first batch. Names that hold the options keep others apart.
        mark = f"{zlib.crc32(f'{type(self).__name__} {options}'.encode()):08x}"
        self._sum_name, self._count_name = f"sum_{mark}", f"count_{mark}"
        self.add_state(self._sum_name, torch.zeros(means, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state(self._count_name, torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, preds: Masks, target: Masks, valid: Masks | None = None) -> None:
        """Adds a batch.

        Args:
            preds: (H, W), (B, H, W) or (B, 1, H, W), 1 = structure; as the function asks for.
            target: Mask, 1 = structure.
            valid: 1 where a pixel counts; None = everywhere. An image without any adds nothing.

        Raises:
            TypeError: If they hold no numbers, or are masked arrays.
            ValueError: If the function refuses them, or they have more than one channel.
        """
        rows = self._measure(
            without_channel("preds", preds),
            without_channel("target", target),
            None if valid is None else without_channel("valid", valid),
        )
        total = getattr(self, self._sum_name)
        # Each image is rounded for itself: the result doesn't depend on how they are dealt out.
        added = torch.from_numpy(np.rint(rows / UNIT).astype(np.int64).sum(axis=0))
        setattr(self, self._sum_name, total + added.to(total.device))
        setattr(self, self._count_name, getattr(self, self._count_name) + len(rows))

    def plot(self, val: Any = None, ax: Axes | None = None) -> tuple[Figure | None, Axes]:
        """Draws a result, or several as curves, by torchmetrics' own plot.

        Args:
            val: A result of ``compute`` or ``forward``, or a list of such; None = of ``compute``.
            ax: Drawn into; None = new ones, of pyplot.

        Returns:
            The figure and the axes. If ``ax`` is given, the figure is None, as in torchmetrics.

        Raises:
            ValueError: If ``val`` is None and there was no update.
        """
        drawn: Any = self._plot(val, ax)  # Typed for arrays of axes, which confusion matrices have.
        figure, axes = drawn
        return figure, axes

    def _apply(self, fn: Callable[[Tensor], Tensor], exclude_state: Sequence[str] = "") -> Any:
        """Moves the states from device to device; their type stays, ``set_dtype`` included."""

        def moved(tensor: Tensor) -> Tensor:
            result = fn(tensor)
            return result if result.dtype == tensor.dtype else tensor.to(result.device)

        return super()._apply(moved, exclude_state)

    def _means(self) -> Tensor:
        """float32, whatever torch's default is."""
        count = getattr(self, self._count_name)
        if count == 0:
            raise ValueError(f"{type(self).__name__} has seen no image: call update() first")
        mean: Tensor = getattr(self, self._sum_name).float() / count.float() * UNIT
        return mean

    @abstractmethod
    def _measure(
        self, preds: NDArray[Any], target: NDArray[Any], valid: NDArray[Any] | None
    ) -> NDArray[np.float64]:
        """(n, means): a row for each image in which a pixel counts."""


class _BettiMetric(_MeanMetric):
    """Betti errors, with a convention."""

    higher_is_better = False
    _prefix: str

    def __init__(self, convention: BettiConvention, **kwargs: Any) -> None:
        super().__init__(len(convention.dims), str(convention), **kwargs)
        self._convention = convention
        self._number: int | None = None

    @property
    def convention(self) -> BettiConvention:
        """All options that the numbers are measured by."""
        return self._convention

    def compute(self) -> dict[str, Tensor]:
        """The error of each dimension, by name."""
        names = (f"{self._prefix}_{dimension}" for dimension in self._convention.dims)
        return dict(zip(names, self._means().unbind(), strict=True))

    def result(self) -> BettiErrorResult:
        """:meth:`compute` as the function returns it: carries and prints its convention."""
        return betti_result([float(error) for error in self.compute().values()], self._convention)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Adds a batch and returns its own error; the patches are those of ``update``."""
        # torchmetrics resets the count of updates for the time of a forward().
        self._number = self.update_count
        try:
            return super().forward(*args, **kwargs)
        finally:
            self._number = None

    def extra_repr(self) -> str:
        """The convention."""
        return str(self._convention)

    def _measure(
        self, preds: NDArray[Any], target: NDArray[Any], valid: NDArray[Any] | None
    ) -> NDArray[np.float64]:
        number = self.update_count - 1 if self._number is None else self._number
        return betti_differences(preds, target, self._convention, number, valid)


class BettiError(_BettiMetric):
    """Absolute difference of Betti numbers, mean over patches, then over images; 0 is perfect.

    The class of :func:`toponet.metrics.betti_error`, with its options. Random patches are drawn
    anew at each update, from ``seed`` and the number of updates since the last ``reset``: the same
    batches in the same order give the same result, each epoch and on each rank. The first update
    draws the positions that the function draws.

    Args:
        convention: See :func:`toponet.metrics.betti_error`, as for all of these.
        patch_size: Side of the patches.
        patches: Number of random patches an image, "grid" or "whole".
        seed: Of random positions.
        connectivity: Of the structure.
        frame: True, False or "rim".
        dims: Dimensions to count.
        kwargs: torchmetrics' own, such as ``process_group``.

    Returns:
        ``compute``: a dict of scalars ``betti_error_0`` and ``betti_error_1``.

    Raises:
        TypeError: As the function.
        ValueError: As the function; from ``compute`` if there was no update.

    Example:
        >>> import torch
        >>> from toponet.metrics import BettiError
        >>> metric = BettiError(patches="grid")
        >>> truth = torch.zeros(2, 1, 9, 9)
        >>> truth[:, :, 4] = 1
        >>> broken = truth.clone()
        >>> broken[1, 0, 4, 4] = 0
        >>> metric.update(broken, truth)
        >>> metric.compute()
        {'betti_error_0': tensor(0.), 'betti_error_1': tensor(0.5000)}
    """

    _prefix = "betti_error"

    def __init__(
        self,
        *,
        convention: str | None = None,
        patch_size: int | None = None,
        patches: int | str | None = None,
        seed: int | None = None,
        connectivity: int | None = None,
        frame: bool | str | None = None,
        dims: Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        """Checks the options."""
        chosen = betti_convention(
            convention,
            patch_size=patch_size,
            patches=patches,
            seed=seed,
            connectivity=connectivity,
            frame=frame,
            dims=dims,
        )
        super().__init__(chosen, **kwargs)


class BettiNumberError(_BettiMetric):
    """Absolute difference of the Betti numbers of whole images, mean over images; 0 is perfect.

    The class of :func:`toponet.metrics.betti_number_error`.

    Args:
        connectivity: Of the structure.
        frame: True, False or "rim".
        kwargs: torchmetrics' own.

    Returns:
        ``compute``: a dict of scalars ``betti_number_error_0`` and ``betti_number_error_1``.

    Raises:
        TypeError: As the function.
        ValueError: As the function; from ``compute`` if there was no update.
    """

    _prefix = "betti_number_error"

    def __init__(self, *, connectivity: int = 8, frame: bool | str = True, **kwargs: Any) -> None:
        """Checks the options."""
        chosen = betti_convention(patches="whole", connectivity=connectivity, frame=frame)
        super().__init__(chosen, **kwargs)


class AdaptedRandScore(_MeanMetric):
    """Adapted Rand F-score of the cells, mean over images; 1 is perfect.

    The class of :func:`toponet.metrics.adapted_rand_score`.

    Args:
        connectivity: Of the structure; cells have the dual one.
        maximal: The best mean over 19 thresholds of a likelihood, one threshold for all images.
        kwargs: torchmetrics' own.

    Returns:
        ``compute``: a scalar.

    Raises:
        TypeError: As the function.
        ValueError: As the function; from ``compute`` if there was no update.
    """

    higher_is_better = True
    plot_upper_bound = 1.0

    def __init__(self, *, connectivity: int = 8, maximal: bool = False, **kwargs: Any) -> None:
        """Checks the options."""
        check_connectivity(connectivity)
        check_flag("maximal", maximal)
        means = len(THRESHOLDS) if maximal else 1
        super().__init__(means, f"{connectivity} {maximal}", **kwargs)
        self.connectivity = connectivity
        self.maximal = maximal

    def compute(self) -> Tensor:
        """The score."""
        return self._means().max()

    def _measure(
        self, preds: NDArray[Any], target: NDArray[Any], valid: NDArray[Any] | None
    ) -> NDArray[np.float64]:
        return rand_scores(preds, target, self.connectivity, self.maximal, valid)


class VariationOfInformation(_MeanMetric):
    """Variation of information between the cells, in bits, mean over images; 0 is perfect.

    The class of :func:`toponet.metrics.variation_of_information`.

    Args:
        connectivity: Of the structure; cells have the dual one.
        kwargs: torchmetrics' own.

    Returns:
        ``compute``: a dict of scalars ``voi_split`` and ``voi_merge``; VOI is their sum.

    Raises:
        TypeError: As the function.
        ValueError: As the function; from ``compute`` if there was no update.
    """

    higher_is_better = False

    def __init__(self, *, connectivity: int = 8, **kwargs: Any) -> None:
        """Checks the options."""
        check_connectivity(connectivity)
        super().__init__(2, str(connectivity), **kwargs)
        self.connectivity = connectivity

    def compute(self) -> dict[str, Tensor]:
        """Split and merge, by name."""
        split, merge = self._means()
        return {"voi_split": split, "voi_merge": merge}

    def _measure(
        self, preds: NDArray[Any], target: NDArray[Any], valid: NDArray[Any] | None
    ) -> NDArray[np.float64]:
        return conditional_entropies(preds, target, self.connectivity, valid)


class PixelAccuracy(_MeanMetric):
    """Share of pixels at which the masks are equal, mean over images; 1 is perfect.

    The class of :func:`toponet.metrics.pixel_accuracy`.

    Args:
        kwargs: torchmetrics' own.

    Returns:
        ``compute``: a scalar.

    Raises:
        TypeError: As the function.
        ValueError: As the function; from ``compute`` if there was no update.
    """

    higher_is_better = True
    plot_upper_bound = 1.0

    def __init__(self, **kwargs: Any) -> None:
        """No options of its own."""
        super().__init__(1, "", **kwargs)

    def compute(self) -> Tensor:
        """The share."""
        return self._means()[0]

    def _measure(
        self, preds: NDArray[Any], target: NDArray[Any], valid: NDArray[Any] | None
    ) -> NDArray[np.float64]:
        return equal_shares(preds, target, valid)
