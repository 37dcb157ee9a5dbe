"""Images and their truths: from files, from a generator, cut into patches."""

from toponet.data.folder import load_folder
from toponet.data.image_set import ImageSet, Normalisation, fold_split
from toponet.data.patches import PatchSampler, pad_reflected
from toponet.data.synthetic import synthetic_membranes

__all__ = [
    "ImageSet",
    "Normalisation",
    "PatchSampler",
    "fold_split",
    "load_folder",
    "pad_reflected",
    "synthetic_membranes",
]
