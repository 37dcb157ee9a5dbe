"""What all ``torchmetrics.Metric`` classes of this package share: means over images.

All states are sums and counts. Over DDP ranks they are added. So a result is the mean over the
images of all ranks, even if some ranks have more images than others.

The sums are whole numbers: multiples of a small unit. Trainers that run a model in half precision
convert the floating point states of its metrics as well, and a sum in bfloat16 stops growing at
256. Some devices have no float64, but all have whole numbers.
"""

from __future__ import annotations

import zlib
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric

from toponet._ground.spaces import space_of
from toponet._ground.validation import check_choice, check_number
from toponet.metrics.inputs import Masks, likelihood_to_compare, without_channel

# Sums are multiples of this unit. It is fine enough for float32 results, and an int64 holds sums up
# to 3e10.
UNIT = 2.0**-28

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class MeanMetric(Metric):
    """The mean of the rows that :meth:`_measure` returns: each row is an image."""

    is_differentiable = False
    full_state_update = False
    plot_lower_bound = 0.0
    _read = staticmethod(without_channel)  # Makes an array of the predictions.

    _by_name = False  # Whether ``compute`` gives a dict.

    def __init__(
        self,
        names: Sequence[str],
        convention: str,
        *,
        spatial_dims: int = 2,
        means: int | None = None,
        only: str | None = None,
        threshold: float | None = None,
        **kwargs: Any,
    ) -> None:
        """Makes the states.

        Args:
            names: Of the numbers that are measured.
            convention: Tells all options of the class, in words.
            spatial_dims: 2 = images, 3 = volumes.
            means: How many means are kept; None = one for each name.
            only: ``compute`` gives this number alone, as a scalar; None = all.
            threshold: Predictions are likelihoods, and >= is structure; None = they are masks, or
                the class cuts them itself.
            kwargs: torchmetrics' own options.
        """
        super().__init__(**kwargs)
        self._names = tuple(names)
        self._space = space_of(spatial_dims)
        self.spatial_dims = self._space.spatial_dims
        if only is not None:
            check_choice("only", only, (*self._names, *self._sums_by_name()))
        if threshold is not None:
            check_number("threshold", threshold)
            convention = f"{convention}; likelihood >= {threshold} is structure"
        self.only, self.threshold, self._words = only, threshold, convention
        # A MetricCollection takes two metrics for the same one if their states have the same names
        # and, after the first batch, the same values. So the names depend on the convention, which
        # tells all options.
        mark = f"{zlib.crc32(f'{type(self).__name__} {convention}'.encode()):08x}"
        self._sum_name, self._count_name = f"sum_{mark}", f"count_{mark}"
        count = len(self._names) if means is None else means
        self.add_state(self._sum_name, torch.zeros(count, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state(self._count_name, torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, preds: Masks, target: Masks, valid: Masks | None = None) -> None:
        """Adds a batch.

        Args:
            preds: (H, W), (B, H, W) or (B, 1, H, W), 1 = structure; a mask, or a likelihood if the
                function takes one. Of volumes (D, H, W), (B, D, H, W) or (B, 1, D, H, W).
            target: Mask, 1 = structure.
            valid: 1 where a pixel counts; None = everywhere. An image in which no pixel counts adds
                nothing.

        Raises:
            TypeError: If an argument holds no numbers, or is a masked array.
            ValueError: If the function refuses an argument, or it has more than one channel.
        """
        predicted = self._read("preds", preds, self._space)
        truth = without_channel("target", target, self._space)
        counted = None if valid is None else without_channel("valid", valid, self._space)
        if self.threshold is not None:
            compared = likelihood_to_compare(predicted, truth, counted, self._space)
            predicted = compared.prediction >= self.threshold
        rows = self._measure(predicted, truth, counted)
        total = getattr(self, self._sum_name)
        # Each image is rounded by itself, so the result doesn't depend on which rank has it.
        added = torch.from_numpy(np.rint(rows / UNIT).astype(np.int64).sum(axis=0))
        setattr(self, self._sum_name, total + added.to(total.device))
        setattr(self, self._count_name, getattr(self, self._count_name) + len(rows))

    def compute(self) -> Any:
        """The numbers by name, or a scalar if the class has one number or was asked for one."""
        numbers = self._numbers()
        if self.only is not None:
            parts = self._sums_by_name().get(self.only, (self.only,))
            return torch.stack([numbers[part] for part in parts]).sum()
        return numbers if self._by_name else numbers[self._names[0]]

    def extra_repr(self) -> str:
        """The convention that the numbers are measured by; ``print(metric)`` shows it."""
        return self._words if self.only is None else f"{self.only}: {self._words}"

    def plot(self, val: Any = None, ax: Axes | None = None) -> tuple[Figure | None, Axes]:
        """Draws a result, or several results as curves, by torchmetrics' own plot.

        Args:
            val: A result of ``compute`` or ``forward``, or a list of results; None = the result of
                ``compute``.
            ax: Axes to draw into; None = new axes, of pyplot.

        Returns:
            The figure and the axes. If ``ax`` is given, the figure is None, as in torchmetrics.

        Raises:
            ValueError: If ``val`` is None and there was no update.
        """
        drawn: Any = self._plot(val, ax)  # Its type allows arrays of axes, for confusion matrices.
        figure, axes = drawn
        return figure, axes

    def _apply(self, fn: Callable[[Tensor], Tensor], exclude_state: Sequence[str] = "") -> Any:
        """Moves the states to another device. Their type stays, even under ``set_dtype``."""

        def moved(tensor: Tensor) -> Tensor:
            result = fn(tensor)
            return result if result.dtype == tensor.dtype else tensor.to(result.device)

        return super()._apply(moved, exclude_state)

    def _numbers(self) -> dict[str, Tensor]:
        """The numbers so far, by name."""
        return dict(zip(self._names, self._means().unbind(), strict=True))

    def _sums_by_name(self) -> Mapping[str, Sequence[str]]:
        """The sums of numbers that may be asked for as well, and what they are sums of."""
        return {}

    def _means(self) -> Tensor:
        """The means so far, in float32 whatever torch's default is."""
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
