"""A training in a process of its own, which ends when the process that began it does.

    python -m comparison.training [options of toponet-train]

Its standard input is a pipe that the other process holds open and never writes to: the pipe's end
means that the other one is gone, however it died. The training then stops as by SIGTERM, after the
step and with its state saved.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from toponet.cli.train import main

FOLDER = Path(__file__).resolve().parents[1]


class Training:
    """A training that goes on beside this process.

    Args:
        arguments: Of toponet-train.
        environment: Its variables.
    """

    def __init__(self, arguments: Sequence[str], environment: dict[str, str]) -> None:
        """Starts it."""
        places = [str(FOLDER), *filter(None, [environment.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "comparison.training", *arguments],
            env={**environment, "PYTHONPATH": os.pathsep.join(places)},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        self._leash = self._process.stdin
        # Else communicate() would close it, and end the training at once.
        self._process.stdin = None

    def wait(self) -> tuple[int, str]:
        """Its exit code and what it said on stderr."""
        _, said = self._process.communicate()
        self.stop()
        return self._process.returncode, said

    def stop(self) -> None:
        """Asks it to end; whoever waits for it sees that."""
        self._leash.close()


def _stop_with_parent() -> None:
    # Not through sys.stdin, whose lock a waiting thread would hold at the interpreter's end.
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    sys.exit(main(sys.argv[1:]))
