"""topolosses' Betti matching, without the rest of topolosses.

The package imports torchvision and OpenCV for its other losses; neither is needed here.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def betti_matching_loss() -> ModuleType:
    """The module that holds ``BettiMatchingLoss``.

    Its ``betti_matching`` is Betti-Matching-3D: ``compute_matching(images, images)`` of sublevel
    sets.
    """
    found = importlib.util.find_spec("topolosses")
    assert found is not None
    assert found.origin is not None
    if "topolosses.losses" not in sys.modules:
        package = ModuleType("topolosses.losses")
        package.__path__ = [str(Path(found.origin).parent / "losses")]
        sys.modules["topolosses.losses"] = package
    return importlib.import_module("topolosses.losses.betti_matching.src.betti_matching_loss")
