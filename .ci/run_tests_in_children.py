"""Runs pytest again and again without importing torch and the like each time.

Reads command lines of pytest from stdin, one a line. Each is run in a child of its own, which
imports the package anew; what it prints goes to the file named first on the command line. Prints
the child's process id, which is that of its process group, and at its end its exit status.
"""

from __future__ import annotations

import importlib
import os
import shlex
import sys
import traceback
from contextlib import suppress
from pathlib import Path

import pytest

# Their import takes most of the time of a short test. Whatever of it is missing, tests skip.
MODULES = (
    "torch", "torchmetrics", "lightning_fabric", "monai.networks.nets.unet", "monai.inferers.utils",
    "monai.transforms.intensity.array", "skimage.measure", "skimage.metrics", "skimage.morphology",
    "skimage.segmentation", "scipy.ndimage", "matplotlib.figure", "ot", "hypothesis", "tifffile",
    "PIL.Image", "h5py", "jsonargparse", "rich.console", "yaml", "filelock",
)  # fmt: skip


def run(arguments: list[str], output: Path) -> int:
    """In the child: a process group of its own, so that it can be killed with its children."""
    os.setpgid(0, 0)
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    # Pytest would rewrite the assertions of its plugins, of which one is imported already.
    plain = ["-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning"]
    status = int(pytest.main([*plain, *arguments]))
    sys.stdout.flush()
    return status


def main() -> None:
    """Serves until stdin ends."""
    for name in MODULES:
        with suppress(ImportError):
            importlib.import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            status = 3  # Pytest's own for what is no test's fault.
            try:
                status = run(shlex.split(line), Path(sys.argv[1]))
            except Exception:
                traceback.print_exc()
            finally:
                os._exit(status)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
