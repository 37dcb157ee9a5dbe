"""Images as worse cameras, other places and smaller files would have given them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance
from skimage.color import hsv2rgb, rgb2hsv
from skimage.filters import gaussian
from skimage.util import img_as_ubyte, random_noise

CLEAN = "clean"
# (H, W) or (H, W, 3).
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Corruption:
    """One way in which an image may differ from those of the training.

    Attributes:
        what: The number that makes it strong, in words.
        strengths: Of this number, weak first.
        change: Makes the corrupted image; whatever is random comes from the generator.
    """

    what: str
    strengths: tuple[float, float, float]
    change: Callable[[Pixels, float, np.random.Generator], Pixels]


def _blur(image: Pixels, sigma: float, _: np.random.Generator) -> Pixels:
    return _bytes(gaussian(image, sigma, channel_axis=2 if image.ndim == 3 else None))


def _noise(image: Pixels, deviation: float, generator: np.random.Generator) -> Pixels:
    return _bytes(random_noise(image, var=deviation**2, rng=generator))


def _contrast(image: Pixels, factor: float, _: np.random.Generator) -> Pixels:
    return np.asarray(ImageEnhance.Contrast(Image.fromarray(image)).enhance(factor))


def _jpeg(image: Pixels, quality: float, _: np.random.Generator) -> Pixels:
    file = io.BytesIO()
    Image.fromarray(image).save(file, format="jpeg", quality=int(quality))
    return np.asarray(Image.open(file))


def _hue(image: Pixels, turn: float, _: np.random.Generator) -> Pixels:
    if image.ndim == 2:
        raise ValueError("hue needs RGB images, these are grey: leave it out of --corruptions")
    hsv = rgb2hsv(image)
    hsv[..., 0] = (hsv[..., 0] + turn) % 1
    return _bytes(hsv2rgb(hsv))


def _scale(image: Pixels, factor: float, _: np.random.Generator) -> Pixels:
    height, width = (max(1, round(side * factor)) for side in image.shape[:2])
    resized = Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(resized)


def _bytes(image: NDArray[np.float64]) -> Pixels:
    bytes_: Pixels = img_as_ubyte(np.clip(image, 0, 1))
    return bytes_


CORRUPTIONS = {
    "blur": Corruption("sigma of a Gaussian, pixels", (1, 2, 3), _blur),
    "noise": Corruption("deviation, of the range of grey values", (0.05, 0.1, 0.2), _noise),
    "contrast": Corruption("factor", (0.7, 0.5, 0.3), _contrast),
    "jpeg": Corruption("quality", (40, 20, 10), _jpeg),
    "hue": Corruption("part of a turn", (0.05, 0.1, 0.15), _hue),
    "scale": Corruption("factor: seen from farther away", (0.8, 0.65, 0.5), _scale),
}


def corrupt(
    image: NDArray[np.float32], name: str, level: int, generator: np.random.Generator
) -> NDArray[np.float32]:
    """Returns the corrupted image.

    Args:
        image: (C, H, W) with grey values from 0 to 255.
        name: One of ``CORRUPTIONS``, or "clean".
        level: 1, 2 or 3; a clean image has none.
        generator: Where noise comes from.

    Returns:
        (C, h, w) float32; other sides than the image's after "scale" only.

    Raises:
        ValueError: If a grey value is no whole number from 0 to 255, or a grey image shall get
            another hue.
    """
    if name == CLEAN:
        return image
    pixels = image.astype(np.uint8)
    if not (pixels == image).all():
        raise ValueError("corruptions need images of 8 bits")
    corruption = CORRUPTIONS[name]
    last = pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, 2)
    changed = corruption.change(np.ascontiguousarray(last), corruption.strengths[level - 1],
                                generator)  # fmt: skip
    first = changed[None] if changed.ndim == 2 else np.moveaxis(changed, 2, 0)
    return first.astype(np.float32)
