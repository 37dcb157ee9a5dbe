"""SIGINT and SIGTERM as a wish to stop after the step."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class InterruptedTrainingError(RuntimeError):
    """Training was asked to stop, and has saved its state.

    Attributes:
        exit_code: By the shell's convention, 128 plus the signal's number.
    """

    def __init__(self, message: str, signal_number: int) -> None:
        """With the sentence for the user."""
        super().__init__(message)
        self.exit_code = 128 + signal_number


class Interruption:
    """A context that notes the first signal. A second signal has its usual effect at once.

    Only the main thread may handle signals; in other threads nothing is noted.
    """

    def __init__(self) -> None:
        """Nothing noted yet."""
        self.signal_number: int | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interruption:
        """Takes over the signals."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Gives them back."""
        self._give_back()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.signal_number = number
        self._give_back()

    def _give_back(self) -> None:
        while self._before:
            signal.signal(*self._before.popitem())
