"""The C++ module of Betti-Matching-3D that topolosses carries, without the rest of topolosses.

The package imports torchvision and OpenCV for other losses; neither is needed here.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def betti_matching_3d() -> ModuleType:
    """The module ``betti_matching``: ``compute_matching(list of f, list of g)``, sublevel sets."""
    found = importlib.util.find_spec("topolosses")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent / "losses" / "betti_matching" / "src"
    (library,) = folder.glob("betti_matching.*.so")
    spec = importlib.util.spec_from_file_location("betti_matching", library)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault("betti_matching", module)
    spec.loader.exec_module(module)
    return module
