"""The configuration of an inspection; the command line is made from it."""

from __future__ import annotations

from dataclasses import dataclass

from toponet._ground.validation import check_connectivity, check_whole


@dataclass(frozen=True)
class InspectConfig:
    """Which data set to inspect, and which holes and specks count as tiny.

    Attributes:
        data: Folder with images/ and labels/, and maybe valid/ for the pixels that count; or
            NAME:PATH as toponet-train takes it.
        min_size: Holes and specks of less than this many pixels are tiny. They are counted by size,
            marked on the contact sheet and removed by --clean.
        connectivity: Connectivity of the structure, 8 or 4, for marks and cleaning; empty = the
            recommended one.
        out: New folder for report.json, report.md, images.csv and contact_sheet.png; empty =
            nothing is written.
        clean: New folder for labels/ without tiny holes and specks (PNG, 0 and 255); empty =
            nothing is cleaned.
    """

    data: str
    min_size: int = 10
    connectivity: int | None = None
    out: str | None = None
    clean: str | None = None

    def __post_init__(self) -> None:
        """Refuses values that no inspection could use. Files are checked later."""
        check_whole("min_size", self.min_size, least=1, most=10_000)
        if self.connectivity is not None:
            check_connectivity(self.connectivity)
