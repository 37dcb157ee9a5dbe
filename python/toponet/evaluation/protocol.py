"""The conventions by which predictions are compared with truths."""

from __future__ import annotations

from dataclasses import dataclass, field

from toponet.metrics import BettiConvention, InstanceConvention
from toponet.metrics.betti_matching import describe_matching_error
from toponet.metrics.centreline import chosen_skeleton, describe_centreline
from toponet.metrics.conventions import FRAMES, betti_convention
from toponet.metrics.euler import describe_euler
from toponet.metrics.instances import describe_instance_rand
from toponet.metrics.partition import describe_information, describe_rand_score
from toponet.metrics.pixel import describe_accuracy
from toponet.topology.segmentation import SegmentationOptions

THRESHOLD = 0.5
# What tables and pictures call the two masks of a likelihood.
CUT, PERSISTENCE = f"cut at {THRESHOLD}", "by persistence"
# The cells of a prediction are numbered from 1 on; its structure is 0.
INSTANCES = InstanceConvention()

# What a training run goes by.
TRAINING_METRICS = ("accuracy", "ari", "voi", "betti_error_0", "betti_error_1")
# What was measured last. Whoever reads tables by the place of a column finds the others in place.
FURTHER_METRICS = (
    "cldice",
    "euler_number_error",
    "betti_matching_error_0",
    "betti_matching_error_1",
)
# The metrics of a single image, in the order in which they are shown.
METRICS = (
    "accuracy",
    "ari",
    "voi",
    "voi_split",
    "voi_merge",
    "betti_error_0",
    "betti_error_1",
    *FURTHER_METRICS,
)
# Of truths that are label maps, beside the others.
INSTANCE_METRICS = (
    "instance_ari",
    "instance_precision",
    "instance_recall",
    "instance_voi_split",
    "instance_voi_merge",
)
HIGHER_IS_BETTER = ("accuracy", "ari", "cldice", *INSTANCE_METRICS[:3])


def badness(metric: str, value: float) -> float:
    """Returns the value of a metric, with its sign turned where higher is better."""
    return -value if metric in HIGHER_IS_BETTER else value


def with_arrow(metric: str) -> str:
    """Returns the name of a metric with an arrow that points to better values."""
    return f"{metric} {'↑' if metric in HIGHER_IS_BETTER else '↓'}"


@dataclass(frozen=True)
class Protocol:
    """Everything that the numbers depend on, apart from the images.

    Attributes:
        betti: How Betti errors and Betti numbers are counted. Its connectivity also decides which
            cells ARI and VOI compare.
        threshold: A likelihood of at least this is structure, unless persistence says otherwise;
            between 0 and 1, both excluded.
        keep: A piece or hole that is shown stays if its persistence is larger than this; 0 = all
            stay.
        add: One that is hidden is brought out if its persistence is larger than this; None = none.
        instances: Whether truths are label maps: then the cells of the prediction are also compared
            with the instances by their numbers.

    Raises:
        TypeError: If one of the three isn't a number.
        ValueError: If one of the three is out of range.
    """

    betti: BettiConvention = field(default_factory=betti_convention)
    threshold: float = THRESHOLD
    keep: float = 0.0
    add: float | None = None
    instances: bool = False

    def __post_init__(self) -> None:
        """Refuses thresholds at which every image is all structure, or none."""
        _ = self.segmentation

    @property
    def segmentation(self) -> SegmentationOptions:
        """How likelihoods become masks. Images have a frame then, whatever ``betti`` says."""
        return SegmentationOptions(self.threshold, self.keep, self.add)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names that are counted; some named conventions leave a dimension out."""
        left_out = {
            f"{error}_{d}"
            for error in ("betti_error", "betti_matching_error")
            for d in (0, 1)
            if d not in self.betti.dims
        }
        counted = tuple(name for name in METRICS if name not in left_out)
        return (*counted, *INSTANCE_METRICS) if self.instances else counted

    def describe(self) -> dict[str, str]:
        """What each number means, in words."""
        connectivity = self.betti.connectivity
        words = {
            "all": f"{self._describe_masks()}; mean over the images",
            "accuracy": describe_accuracy(),
            "ari": describe_rand_score(connectivity),
            "voi": describe_information(connectivity),
            "voi_split": "of voi: true cells cut in pieces",
            "voi_merge": "of voi: true cells grown together",
            "betti_error_0": f"components: {self.betti}",
            "betti_error_1": f"holes: {self.betti}",
            "instance_ari": describe_instance_rand(INSTANCES),
            "instance_precision": "of instance_ari: small where instances grow together",
            "instance_recall": "of instance_ari: small where instances are split",
            "instance_voi_split": f"bits: instances cut in pieces; {INSTANCES}",
            "instance_voi_merge": f"bits: instances grown together; {INSTANCES}",
            "cldice": describe_centreline(chosen_skeleton(None)),
            "euler_number_error": describe_euler(self.betti),
            "betti_matching_error_0": f"components: {describe_matching_error(self.betti)}",
            "betti_matching_error_1": f"holes: {describe_matching_error(self.betti)}",
        }
        return {name: words[name] for name in ("all", *self.metrics)}

    def _describe_masks(self) -> str:
        """Which pixels of a likelihood are structure, in words."""
        if self.segmentation.is_cut:
            return f"likelihood >= {self.threshold} is structure"
        return (
            f"masks by persistence: threshold {self.threshold}, keep {self.keep}, "
            f"add {'none' if self.add is None else self.add}, connectivity "
            f"{self.betti.connectivity}, {FRAMES[True]}"
        )

    def describe_counts(self) -> str:
        """What the Betti numbers of whole images mean, in words."""
        return f"whole images, connectivity {self.betti.connectivity}, {FRAMES[self.betti.frame]}"
