"""What overlays of likelihoods are drawn on: the likelihoods themselves, or the images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from toponet.data.series import Pages, Series
from toponet.data.source import open_images

# The images of nnU-Net have the number of their channel at the end.
FIRST_CHANNEL = "_0000"


def find_images(spec: str, likelihoods: Sequence[Series]) -> dict[str, Series]:
    """The images of likelihoods, by the names of the likelihoods.

    Args:
        spec: What :func:`toponet.data.source.open_images` takes. One image is that of one
            likelihood whatever their names.
        likelihoods: Those that are segmented.

    Raises:
        ValueError: If there are no images, or a likelihood has none of its name.
    """
    images = open_images(spec)
    if len(images) == len(likelihoods) == 1:
        return {likelihoods[0].name: images[0]}
    found = {image.name.removesuffix(FIRST_CHANNEL): image for image in images}
    for likelihood in likelihoods:
        if likelihood.name not in found:
            raise ValueError(
                f"{likelihood.origin} has no image named {likelihood.name!r} in {spec}"
            )
    return found


def background(
    likelihood: Series, pages: Pages, images: Mapping[str, Series]
) -> Callable[[int], NDArray[np.float32]]:
    """Gives what page ``i`` is drawn on, (C, H, W).

    Args:
        likelihood: The source of the pages.
        pages: Of the likelihood.
        images: Of :func:`find_images`; empty = pages are drawn on themselves.

    Raises:
        ValueError: If the image can't be used or has another number of pages; the function, if a
            page has another size.
    """
    if not images:
        return pages.read
    image = images[likelihood.name]
    pictures = image.open()
    if pictures.count != pages.count:
        raise ValueError(
            f"{likelihood.origin} has {pages.count} page(s), its image {image.origin} has "
            f"{pictures.count}"
        )

    def read(i: int) -> NDArray[np.float32]:
        picture, (height, width) = pictures.read(i), pages.read(i).shape[1:]
        if picture.shape[1:] != (height, width):
            raise ValueError(
                f"{likelihood.origin} has {height} x {width} pixels, its image {image.origin} "
                f"{picture.shape[1]} x {picture.shape[2]}"
            )
        return picture

    return read
