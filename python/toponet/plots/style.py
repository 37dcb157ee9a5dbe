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
