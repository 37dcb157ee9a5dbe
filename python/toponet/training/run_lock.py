"""A run folder belongs to one training at a time."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

FILE_NAME = "run.lock"


class RunLock:
    """The operating system's lock on a file of the run folder.

    It ends with its process, however that dies: the file stays, but what a dead process left
    behind locks nobody out.

    Args:
        folder: The run folder, which is there.

    Raises:
        ValueError: If another training has it.
        OSError: If the file can't be made.
    """

    def __init__(self, folder: Path) -> None:
        """Takes the lock at once, or not at all."""
        # Of the process and not of a thread: a trainer may be made in one and used in another.
        self._lock = FileLock(folder / FILE_NAME, thread_local=False)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise ValueError(
                f"{folder} is being trained by another process; wait for its end, or stop it first"
            ) from None

    def release(self) -> None:
        """Gives the folder back; a second time does nothing."""
        self._lock.release()
