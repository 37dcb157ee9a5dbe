"""Colours that colour-blind readers can tell apart (Okabe and Ito, 2008), and their meanings."""

BLUE = "#0072B2"
ORANGE = "#E69F00"
VERMILION = "#D55E00"
GREEN = "#009E73"
BLACK = "#000000"
GREY = "#B3B3B3"
PURPLE = "#CC79A7"

# Colour, marker and name of each dimension. In volumes a "hole" of dimension 1 is a tunnel.
DIMENSION_STYLES = ((BLUE, "o", "component"), (VERMILION, "s", "hole"), (PURPLE, "^", "cavity"))

# What the loss does to a dot or pixel, by fate: its colour, and its name in legends.
FATE_STYLES = {"matched": (GREEN, "to fix"), "removed": (ORANGE, "to remove")}

# What a segmentation by persistence does for a feature: its colour, and its name in legends. Warm
# colours take a feature away, cold ones bring one out. In each pair the first colour raises the
# likelihood, the second one lowers it.
ACTION_STYLES = {
    "filled": (VERMILION, "hole filled"),
    "opened": (ORANGE, "hole opened"),
    "closed": (BLUE, "hole closed"),
    "hollowed": (GREEN, "hole hollowed out"),
    "joined": (VERMILION, "component joined"),
    "removed": (ORANGE, "component removed"),
    "added": (BLUE, "component added"),
    "separated": (GREEN, "component separated"),
}

# What becomes of a dot when its likelihood is segmented by persistence: its colour, and its name in
# legends. Later ones lie above.
DOT_STYLES = {
    "hidden": (GREY, "{}s that stay hidden"),
    "shown": (BLACK, "{}s that stay"),
    "left": (BLACK, "{}s left as they are"),
    "taken away": (ORANGE, "{}s taken away"),
    "brought out": (BLUE, "{}s brought out"),
    **ACTION_STYLES,
}

# Wrong topology of a mask, by its name in `toponet.topology.mistakes.Mistakes`: colour, marker, and
# name in legends.
MISTAKE_STYLES = {
    "lost_cells": (VERMILION, "o", "cell merged or lost"),
    "extra_cells": (BLUE, "s", "cell too many"),
    "pieces": (ORANGE, "D", "piece too many or too few"),
}
