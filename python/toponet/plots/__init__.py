"""Pictures, drawn with matplotlib."""

from toponet.plots.decision_diagram import plot_decision_diagram
from toponet.plots.decisions import plot_decisions
from toponet.plots.diagram import plot_diagram
from toponet.plots.epochs import plot_losses, plot_metric
from toponet.plots.filtration import plot_filtration
from toponet.plots.likelihood import plot_critical_pixels, plot_landscape
from toponet.plots.segmentation import (
    plot_errors,
    plot_masks,
    plot_mistakes,
    plot_segmentation,
)
from toponet.plots.volume import plot_volume_feature

__all__ = [
    "plot_critical_pixels",
    "plot_decision_diagram",
    "plot_decisions",
    "plot_diagram",
    "plot_errors",
    "plot_filtration",
    "plot_landscape",
    "plot_losses",
    "plot_masks",
    "plot_metric",
    "plot_mistakes",
    "plot_segmentation",
    "plot_volume_feature",
]
