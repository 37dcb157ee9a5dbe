"""Random patches under activation checkpointing, which computes the loss twice."""

from __future__ import annotations

from collections import deque

import torch

# States of generators before the latest draws. A loss is recomputed long before it leaves the list.
_drawn_from: deque[int] = deque(maxlen=4096)


def check_same_draw(generator: torch.Generator | None) -> None:
    """Call it before positions are drawn from ``generator`` (None = torch's own).

    ``torch.utils.checkpoint`` throws the forward pass away and does it once more within the
    backward pass. The loss's value is then of the first pass and its gradient of the second: the
    two belong together only if the second draws from the state that the first drew from.

    Raises:
        RuntimeError: If they don't.
    """
    state = torch.get_rng_state() if generator is None else generator.get_state()
    mark = hash(state.numpy().tobytes())
    if torch._C._current_graph_task_id() == -1:  # Outside of any backward pass.
        _drawn_from.append(mark)
    elif mark not in tuple(_drawn_from):
        raise RuntimeError(
            "activation checkpointing computes the loss again on other random patches than in the "
            "forward pass, so that its gradient wouldn't be that of its value; leave "
            "preserve_rng_state=True and generator=None, or keep the loss out of the checkpoint"
        )
