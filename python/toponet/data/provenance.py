"""Which image of a data set a prediction belongs to, as predict.json says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toponet._ground.reading import read_text

PREDICT_FILE = "predict.json"


@dataclass(frozen=True)
class Provenance:
    """An image of a data set that was named.

    Attributes:
        data: The data set, as a command line names it; with its seed, if it has one.
        sha256: Of the image's pixels. It outlasts a move of the files, and tells data sets apart
            that give their images the same names.
    """

    data: str
    sha256: str

    @classmethod
    def of(cls, data: str, image: NDArray[np.float32]) -> Provenance:
        """Of an image (C, H, W) in its file's own grey values."""
        return cls(data, image_digest(image))


def image_digest(image: NDArray[np.float32]) -> str:
    """SHA-256 of size and pixels."""
    digest = hashlib.sha256(str(image.shape).encode())
    digest.update(image.astype("<f4").tobytes())
    return digest.hexdigest()


def read_provenances(folder: Path) -> Mapping[str, Provenance]:
    """By name, of a folder of predictions; empty where nobody noted any.

    Raises:
        ValueError: If the folder's predict.json is something else.
    """
    path = folder / PREDICT_FILE
    if not path.exists():
        return {}
    text = read_text(path)
    try:
        plain = json.loads(text)
        return {name: Provenance(**entry) for name, entry in plain.get("data", {}).items()}
    except (ValueError, TypeError, AttributeError):
        raise ValueError(f"{path} isn't what toponet-predict writes") from None
