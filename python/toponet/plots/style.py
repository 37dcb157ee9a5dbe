"""Colours that colour-blind readers can tell apart (Okabe and Ito, 2008), and their meanings."""

BLUE = "#0072B2"
ORANGE = "#E69F00"
VERMILION = "#D55E00"
GREEN = "#009E73"
BLACK = "#000000"

# Colour, marker and name of each dimension.
DIMENSION_STYLES = ((BLUE, "o", "component"), (VERMILION, "s", "hole"))

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
