"""Faces for MONAI: a metric, a transform, and images as MONAI's dictionaries.

The losses need no face: MONAI calls them as it calls its own, ``loss(logits, target)``.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from monai.config.type_definitions import KeysCollection, NdarrayOrTensor
from monai.data.meta_tensor import MetaTensor
from monai.metrics.metric import CumulativeIterationMetric
from monai.metrics.utils import do_metric_reduction, ignore_background
from monai.transforms.transform import MapTransform, Transform
from monai.utils.enums import MetricReduction, TransformBackends
from monai.utils.module import look_up_option
from monai.utils.type_conversion import convert_to_dst_type, convert_to_tensor
from torch import Tensor

from toponet._ground.spaces import space_of
from toponet.data.samples import Case
from toponet.data.source import open_data, open_images
from toponet.metrics import scalar_metric
from toponet.segmentation import SegmentationOptions, segment


class TopologyMetric(CumulativeIterationMetric):
    """A metric of :mod:`toponet.metrics` as MONAI's engines and handlers take it.

    Each channel is a structure of its own. Where MONAI has one number for each image and channel,
    so has this class, and ``aggregate`` reduces them in MONAI's way. For one channel and
    ``reduction="mean"`` the result is that of :func:`toponet.metrics.scalar_metric` on the same
    images.

    Args:
        name: Of the number, as :func:`toponet.metrics.scalar_metric` takes it, such as
            "betti_error_1" or "voi".
        include_background: Whether the first channel of several counts.
        reduction: One of MONAI's words, such as "mean", "mean_batch" or "none".
        options: Those of the number, and ``threshold``, at which likelihoods are cut.

    Shape:
        - y_pred: (B, C, H, W), or a list of (C, H, W); masks, or likelihoods with ``threshold``.
          With ``spatial_dims=3`` (B, C, D, H, W), or a list of (C, D, H, W).
        - y: the same shape; masks.
        - output of a call: (B, C).

    Raises:
        TypeError: For the reasons of the metric.
        ValueError: For the reasons of the metric; if a reduction or a shape is wrong, or
            ``aggregate`` is called before there was an image; for ``maximal=True``, which has no
            number for each image.

    Example:
        >>> import torch
        >>> from toponet.integrations.monai import TopologyMetric
        >>> metric = TopologyMetric("betti_error_1", patches="whole", threshold=0.5)
        >>> metric(torch.full((1, 1, 5, 5), 0.4), torch.eye(5)[None, None])
        tensor([[1.]])
        >>> metric.aggregate().item()
        1.0
    """

    def __init__(
        self,
        name: str,
        *,
        include_background: bool = True,
        reduction: MetricReduction | str = "mean",
        **options: Any,
    ) -> None:
        """Checks the options."""
        if options.get("maximal"):
            raise ValueError(
                "maximal=True has one threshold for all images, and no number for each of them; "
                "use toponet.metrics.AdaptedRandScore(maximal=True)"
            )
        self.metric = scalar_metric(name, **options)
        self.include_background = include_background
        self.reduction = look_up_option(reduction, MetricReduction)
        super().__init__()

    def reset(self) -> None:
        """Forgets all images. Random patches begin again at their first positions."""
        super().reset()  # type: ignore[no-untyped-call] # MONAI's has no types.
        self.metric.reset()

    def aggregate(self, reduction: MetricReduction | str | None = None) -> Tensor:
        """The numbers so far, reduced.

        Args:
            reduction: Another one than that of the class.

        Raises:
            ValueError: If there was no image.
        """
        numbers = self.get_buffer()  # type: ignore[no-untyped-call] # MONAI's has no types.
        if numbers is None:
            raise ValueError("TopologyMetric has seen no image: call it with a batch first")
        reduced: Tensor = do_metric_reduction(numbers, reduction or self.reduction)[0]
        return reduced

    def _compute_tensor(self, y_pred: Tensor, y: Tensor | None = None, **_: Any) -> Tensor:
        """(B, C): a number for each image and channel."""
        space = space_of(self.metric.spatial_dims)
        if y is None or y_pred.ndim != space.spatial_dims + 2 or y_pred.shape != y.shape:
            raise ValueError(
                f"TopologyMetric expects predictions and truths of one shape (B, C, {space.axes}), "
                f"got {tuple(y_pred.shape)} and {None if y is None else tuple(y.shape)}"
            )
        preds, truths = (convert_to_tensor(images, track_meta=False) for images in (y_pred, y))
        if not self.include_background:
            preds, truths = ignore_background(preds, truths)
        return torch.stack([
            torch.stack([self.metric(*pair) for pair in zip(*channels, strict=True)])
            for channels in zip(preds, truths, strict=True)
        ])  # fmt: skip


class SegmentByPersistence(Transform):
    """Makes masks of likelihoods by persistence: :func:`toponet.segment` as a transform.

    Each channel is a structure of its own; masks of several channels may overlap.

    Args:
        threshold: Where the mask cuts.
        keep: Least persistence of a shown feature; 0 = all stay.
        add: Least persistence of a hidden feature that is brought out; None = none is.
        options: The others of :func:`toponet.segment`: ``dims``, ``connectivity``, ``frame``,
            ``num_threads``.

    Shape:
        - img: (C, H, W), floating point, in [0, 1]; array or tensor, on any device.
        - output: the same shape, type of container, device and metadata; 0 or 1 as float32, as
          MONAI's AsDiscrete gives them.

    Raises:
        TypeError: For the reasons of :func:`toponet.segment`.
        ValueError: For the reasons of :func:`toponet.segment`; if the shape is wrong.

    Example:
        >>> import numpy as np
        >>> from toponet.integrations.monai import SegmentByPersistence
        >>> SegmentByPersistence()(np.array([[[0.1, 0.1, 0.45, 0.1, 0.1]]], dtype=np.float32))
        array([[[0., 0., 1., 0., 0.]]], dtype=float32)
    """

    backend = [TransformBackends.TORCH, TransformBackends.NUMPY]  # noqa: RUF012, MONAI's own type.

    def __init__(
        self, threshold: float = 0.5, keep: float = 0.5, add: float | None = 0.3, **options: Any
    ) -> None:
        """Checks the options."""
        SegmentationOptions(threshold, keep, add)
        self.options = {"threshold": threshold, "keep": keep, "add": add, **options}
        segment(np.zeros((1, 1), dtype=np.float32), **self.options)  # Checks the other options.

    def __call__(self, img: NdarrayOrTensor) -> NdarrayOrTensor:
        """The masks of one image's channels."""
        if img.ndim != 3:
            raise ValueError(
                f"SegmentByPersistence expects a likelihood (C, H, W), got {tuple(img.shape)}"
            )
        likelihood = convert_to_tensor(img, track_meta=False)
        mask = segment(likelihood, **self.options).mask
        masks: NdarrayOrTensor = convert_to_dst_type(mask, img, dtype=torch.float32)[0]
        return masks


class SegmentByPersistenced(MapTransform):
    """Dictionary-based :class:`SegmentByPersistence`.

    Args:
        keys: Of the likelihoods that become masks.
        threshold: Where the masks cut.
        keep: Least persistence of a shown feature; 0 = all stay.
        add: Least persistence of a hidden feature that is brought out; None = none is.
        allow_missing_keys: Whether a key may be missing.
        options: The others of :func:`toponet.segment`.

    Raises:
        KeyError: If a key is missing.
        TypeError: For the reasons of :class:`SegmentByPersistence`.
        ValueError: For the reasons of :class:`SegmentByPersistence`.
    """

    backend = SegmentByPersistence.backend

    def __init__(
        self,
        keys: KeysCollection,
        threshold: float = 0.5,
        keep: float = 0.5,
        add: float | None = 0.3,
        allow_missing_keys: bool = False,
        **options: Any,
    ) -> None:
        """Checks the options."""
        super().__init__(keys, allow_missing_keys)
        self.segment = SegmentByPersistence(threshold, keep, add, **options)

    def __call__(self, data: Mapping[Hashable, NdarrayOrTensor]) -> dict[Hashable, NdarrayOrTensor]:
        """The dictionary, with masks in place of likelihoods."""
        result = dict(data)
        for key in self.key_iterator(result):
            result[key] = self.segment(result[key])
        return result


def labelled_dicts(data: str, seed: int = 0) -> list[dict[str, MetaTensor]]:
    """Images with their truths, as the dictionaries that MONAI's data sets take.

    Args:
        data: What ``toponet-train --data`` takes: ``synthetic:membranes,count=8``, a folder with
            ``images/`` and ``labels/``, ``isbi12:PATH``, ...
        seed: Of synthetic images.

    Returns:
        For each image "image", (C, H, W) float32 in the file's own grey values, and "label",
        (1, H, W) float32, 0 or 1. Their metadata have the image's name.

    Raises:
        TypeError: If ``data`` isn't text.
        ValueError: If the data aren't there or can't be used; if pixels of an image don't count,
            because MONAI's engines hand no mask of valid pixels to a loss.
    """
    return [_labelled(case) for case in open_data(data, seed)]


def image_dicts(data: str, seed: int = 0) -> list[dict[str, MetaTensor]]:
    """Images without truths, as the dictionaries that MONAI's data sets take.

    Args:
        data: What ``toponet-predict`` takes: that of :func:`labelled_dicts`, or a folder of images,
            an image file, a stack.
        seed: Of synthetic images.

    Returns:
        For each image "image", (C, H, W) float32 in the file's own grey values. Its metadata have
        the image's name.

    Raises:
        TypeError: If ``data`` isn't text.
        ValueError: If the data aren't there or can't be used.
    """
    return [{"image": image} for image in _images(data, seed)]


def _labelled(case: Case) -> dict[str, MetaTensor]:
    sample = case.read()
    if sample.valid is not None:
        raise ValueError(
            f"{sample.origin} has pixels that don't count, and MONAI's engines hand no such mask "
            "to a loss; use toponet-train, or a loop of your own with valid="
        )
    label = sample.mask[None].astype(np.float32)
    return {"image": _named(sample.image, case.name), "label": _named(label, case.name)}


def _images(data: str, seed: int) -> Iterator[MetaTensor]:
    for series in open_images(data, seed):
        pages = series.open()
        for i in range(pages.count):
            name = f"{series.name}_{i:03d}" if pages.stack else series.name
            yield _named(pages.read(i), name)


def _named(pixels: Any, name: str) -> MetaTensor:
    return MetaTensor(torch.from_numpy(np.ascontiguousarray(pixels)), meta=_meta(name))


def _meta(name: str) -> dict[str, Any]:
    """MONAI's writers name files by this entry."""
    return {"filename_or_obj": name}
