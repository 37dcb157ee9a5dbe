"""The lists of planted bugs fit the files that they change, and the command says when they don't.

Whether tests notice the bugs is seen by ``.ci/planted-bugs`` itself, which takes an hour.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / ".ci" / "planted-bugs"
ENTRY = """
- name: a sum is a difference
  file: python/sum.py
  old: a + b
  new: a - b
  tests: tests/test_sum.py -k sum
"""


def check(script: Path, *areas: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(script), "--check", *areas]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_bug_can_be_planted() -> None:
    """Its text stands in its file once, and its tests are there."""
    done = check(SCRIPT)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert int(done.stdout.split()[0]) >= 340


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one line, with one bug in its list."""
    for folder in (".ci", "python", "tests/planted_bugs"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(SCRIPT, tmp_path / ".ci")
    (tmp_path / "python" / "sum.py").write_text("def add(a, b): return a + b\n")
    (tmp_path / "tests" / "test_sum.py").write_text("def test_a_sum(): ...\n")
    (tmp_path / "tests" / "planted_bugs" / "arithmetic.yaml").write_text(ENTRY)
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("old: a + b", "old: a * b", "its text stands 0 times in python/sum.py"),
        ("old: a + b", "old: a", "its text stands 3 times in python/sum.py"),
        ("new: a - b", "new: a + b", "nothing changes"),
        ("python/sum.py", "python/product.py", "there is no python/product.py"),
        ("tests/test_sum.py", "tests/test_product.py", "there is no tests/test_product.py"),
        ("-k sum", "-k difference", "no test of tests/test_sum.py is named so: difference"),
        ("tests: ", "equivalent: b is 0 in ", "1 bugs can be planted"),
        ("  tests: tests/test_sum.py -k sum", "", "expected either tests or equivalent"),
    ],
)
def test_a_list_that_no_longer_fits_is_noticed(
    project: Path, old: str, new: str, sentence: str
) -> None:
    assert ENTRY.count(old) == 1
    (project / "tests" / "planted_bugs" / "arithmetic.yaml").write_text(ENTRY.replace(old, new))
    done = check(project / ".ci" / "planted-bugs")
    assert sentence in done.stdout
    assert done.returncode == int("can be planted" not in sentence)


def test_an_area_that_is_none_is_refused(project: Path) -> None:
    done = check(project / ".ci" / "planted-bugs", "geometry")
    assert done.returncode == 2
    assert "no bug is of the area 'geometry'" in done.stderr
