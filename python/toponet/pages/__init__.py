"""Reports as one HTML file that opens from disk: tables, charts, and images to look into."""

from toponet.pages.page import Chart, Column, Curve, Page, Row
from toponet.pages.shown_image import ShownImage, is_mask, most_pixels, with_pictures

__all__ = [
    "Chart",
    "Column",
    "Curve",
    "Page",
    "Row",
    "ShownImage",
    "is_mask",
    "most_pixels",
    "with_pictures",
]
