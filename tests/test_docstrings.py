"""Every example in a docstring runs and prints what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import toponet

MODULES = [
    m.name for m in pkgutil.walk_packages(toponet.__path__, "toponet.") if "_core" not in m.name
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name: str) -> None:
    # By import_module: toponet.persistence as an attribute is the function of that name.
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0
