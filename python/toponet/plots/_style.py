"""Colours that colour-blind readers can tell apart (Okabe and Ito, 2008)."""

BLUE = "#0072B2"
ORANGE = "#E69F00"
VERMILION = "#D55E00"
GREEN = "#009E73"
BLACK = "#000000"
