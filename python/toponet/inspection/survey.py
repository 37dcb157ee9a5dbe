"""The findings of an inspection, in tables and sentences."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from toponet._ground.reporting import Table
from toponet.data.scales import GreyScale, scale_differences
from toponet.inspection.advice import Advice, advise, doubts_about_sides
from toponet.inspection.config import InspectConfig
from toponet.inspection.statistics import CONNECTIVITIES, ImageStatistics

COUNTED = (
    "components and holes are counted with a frame of structure around each image, as loss and "
    "metrics do; tiny ones wherever they lie; pixels that don't count (valid/) are taken for "
    "structure, and shares are of those that count"
)


@dataclass(frozen=True)
class Survey:
    """Statistics of the images that could be used, and the problems of the others.

    Attributes:
        config: What was asked for.
        images: In the order of the data set; at least one.
        problems: One sentence each; files that training would refuse.
        unused: One sentence each; files that training wouldn't read.
    """

    config: InspectConfig
    images: Sequence[ImageStatistics]
    problems: Sequence[str]
    unused: Sequence[str] = ()

    @property
    def advice(self) -> Advice:
        """The connectivity that fits."""
        return advise(self.images)

    @property
    def connectivity(self) -> int:
        """The connectivity that was asked for, or else the recommended one."""
        return self.config.connectivity or self.advice.connectivity

    @property
    def notes(self) -> list[str]:
        """Sentences on images that training would take, but that look odd."""
        found = scale_differences(
            [
                GreyScale(i.name, i.dtype, float(i.low.min()), float(i.high.max()))
                for i in self.images
            ]
        )
        found += doubts_about_sides(self.images)
        for image in self.images:
            if image.share in (0, 1):
                side = "structure" if image.share else "background"
                found.append(f"{image.name}: the label is all {side}")
            if (image.low == image.high).all():
                found.append(f"{image.name}: the image has a single grey value")
        return [*found, *self.unused]

    def overview(self) -> Table:
        """Returns the number of images, their sizes, grey values and share of structure."""
        images = self.images
        sizes = Counter(f"{i.shape[1]} x {i.shape[2]}" for i in images).most_common(4)
        more = "" if sum(n for _, n in sizes) == len(images) else ", others"
        shares = [100 * i.share for i in images]
        rows = [
            ["images", str(len(images))],
            ["height x width", ", ".join(f"{size} ({n})" for size, n in sizes) + more],
            ["type", ", ".join(f"{t} ({n})" for t, n in Counter(i.dtype for i in images).items())],
        ]
        for channel in range(images[0].shape[0]):
            low = min(float(i.low[channel]) for i in images)
            high = max(float(i.high[channel]) for i in images)
            mean = np.mean([i.mean[channel] for i in images])
            rows.append([f"channel {channel + 1}", f"{low:g} to {high:g}, mean {mean:.4g}"])
        counted = [i.counted / (i.shape[1] * i.shape[2]) for i in images]
        if min(counted) < 1:
            rows.append(["pixels that count", f"{100 * np.mean(counted):.1f} % of an image"])
        spread = f"(from {min(shares):.1f} to {max(shares):.1f})"
        rows.append(["structure", f"{np.mean(shares):.1f} % of an image {spread}"])
        return Table(f"Data set {self.config.data}", ("", "value"), rows, text=("value",))

    def topology(self) -> Table:
        """Returns Betti numbers and tiny parts of all images together, by connectivity."""
        small = f"< {self.config.min_size}"
        header = ("connectivity", "components", "holes", f"specks {small}", f"holes {small}")
        rows = [[str(c), *map(str, _totals(self.images, c).values())] for c in CONNECTIVITIES]
        return Table("Topology", header, rows)

    def sizes(self) -> Table:
        """Returns how many specks and holes there are of each tiny size that occurs."""
        kinds = [(kind, c) for kind in ("specks", "holes") for c in CONNECTIVITIES]
        counts = np.array([sum(getattr(i, kind)[c] for i in self.images) for kind, c in kinds]).T
        rows = [
            [str(size), *map(str, row)] for size, row in enumerate(counts, start=1) if row.any()
        ]
        header = ["pixels", *(f"{kind}, {c}" for kind, c in kinds)]
        return Table("Specks and holes by size and connectivity", header, rows)

    def image_table(self) -> Table:
        """Returns a row for each image."""
        images = self._rows()
        return Table("Images", list(images[0]), [[str(v) for v in row.values()] for row in images])

    def sentences(self) -> list[str]:
        """Returns the recommendation, the notes and the problems."""
        advice = self.advice
        found = [f"recommended connectivity: {advice.connectivity}; {advice.reason}", COUNTED]
        found += [f"note: {note}" for note in self.notes]
        found += [f"problem: {problem}" for problem in self.problems]
        return found

    def write(self, folder: Path) -> None:
        """Writes ``report.json``, ``report.md`` and ``images.csv``."""
        tables = (self.overview(), self.topology(), self.sizes(), self.image_table())
        lines = ["# Inspection", "", *(f"- {sentence}" for sentence in self.sentences()), ""]
        page = "\n".join([*lines, *(table.markdown() for table in tables)])
        (folder / "report.md").write_text(page, encoding="utf-8")
        (folder / "images.csv").write_text(self.image_table().csv(), encoding="utf-8")
        (folder / "report.json").write_text(json.dumps(self._plain(), indent=2) + "\n")

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "image": i.name,
                **dict(zip(("channels", "height", "width"), i.shape, strict=True)),
                "dtype": i.dtype,
                "low": float(i.low.min()),
                "high": float(i.high.max()),
                "counted": i.counted,
                "structure": round(i.share, 5),
                "corners": i.corners,
                **{
                    f"{name}_{c}": number
                    for c in CONNECTIVITIES
                    for name, number in _totals([i], c).items()
                },
            }
            for i in self.images
        ]

    def _plain(self) -> dict[str, Any]:
        return {
            "toponet": version("toponet"),
            "advice": asdict(self.advice),
            "conventions": COUNTED,
            "total": {str(c): _totals(self.images, c) for c in CONNECTIVITIES},
            "images": self._rows(),
            "notes": self.notes,
            "problems": list(self.problems),
            "config": asdict(self.config),
        }


def _totals(images: Sequence[ImageStatistics], connectivity: int) -> dict[str, int]:
    """Sums the numbers of these images."""
    return {
        "components": sum(i.betti[connectivity][0] for i in images),
        "holes": sum(i.betti[connectivity][1] for i in images),
        "tiny_specks": sum(int(i.specks[connectivity].sum()) for i in images),
        "tiny_holes": sum(int(i.holes[connectivity].sum()) for i in images),
    }
