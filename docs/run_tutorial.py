"""Runs docs/tutorial.ipynb and keeps what it shows, with pictures of few colours.

    pip install nbclient ipykernel
    python docs/run_tutorial.py

The notebook's own folder is made in a folder that vanishes afterwards.
"""

from __future__ import annotations

import base64
import io
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from PIL import Image

NOTEBOOK = Path(__file__).with_name("tutorial.ipynb")
COLOURS = 128  # Of a picture: noise in many grey levels makes files large.


def smaller(png: str) -> str:
    """A picture with fewer colours, the rare ones of marks among them; both are PNG in base64."""
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    file = io.BytesIO()
    few = picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def keep_small(notebook: Any) -> None:
    """Makes pictures smaller, and takes away when and by which Python the cells ran."""
    for cell in notebook.cells:
        cell.metadata.clear()
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                data["image/png"] = smaller(data["image/png"])
    notebook.metadata["language_info"] = {"name": "python"}


def main() -> None:
    """Replaces the outputs of all cells."""
    notebook: Any = nbformat.read(NOTEBOOK, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(
            notebook, timeout=None, kernel_name="python3", resources={"metadata": {"path": folder}}
        ).execute()
    keep_small(notebook)
    nbformat.write(notebook, NOTEBOOK)


if __name__ == "__main__":
    main()
