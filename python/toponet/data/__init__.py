"""Images and their truths: from files, from a generator, cut into patches."""

from toponet.data.catalogue import FORMATS, DataFormat
from toponet.data.folder import load_folder
from toponet.data.image_set import ImageSet, Normalisation, fold_split
from toponet.data.instances import instance_borders
from toponet.data.patches import Batch, PatchSampler, pad_reflected
from toponet.data.samples import Case, Sample
from toponet.data.source import load_data, open_data
from toponet.data.synthetic import synthetic_membranes

__all__ = [
    "FORMATS",
    "Batch",
    "Case",
    "DataFormat",
    "ImageSet",
    "Normalisation",
    "PatchSampler",
    "Sample",
    "fold_split",
    "instance_borders",
    "load_data",
    "load_folder",
    "open_data",
    "pad_reflected",
    "synthetic_membranes",
]
