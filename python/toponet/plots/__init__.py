"""Pictures, with matplotlib."""

from toponet.plots.losses import plot_losses
from toponet.plots.segmentation import plot_mistakes, plot_segmentation

__all__ = ["plot_losses", "plot_mistakes", "plot_segmentation"]
