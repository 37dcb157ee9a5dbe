"""Every name is there, for imports alone."""

from __future__ import annotations


def __getattr__(name: str) -> type[object]:
    """Whatever is imported from here; but not what Python itself looks for."""
    if name.startswith("__"):
        raise AttributeError(name)
    return object
