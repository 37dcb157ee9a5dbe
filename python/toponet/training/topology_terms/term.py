"""What the trainer asks of a topological loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeAlias

from toponet.topology.explanation import Explanation

# Torch is imported where a loss is made: a command that shows its options needs names alone.
if TYPE_CHECKING:
    import torch
    from torch import Tensor

# Options by their names.
Options = dict[str, Any]
# Of probabilities (B, 1, P, P), truths and ``valid=``: a scalar.
TopologyLoss: TypeAlias = "Callable[..., Tensor]"
# Likelihoods (B, H, W), truths and valid pixels of the same shape; one explanation a patch.
Explain: TypeAlias = "Callable[[Tensor, Tensor, Tensor | None], Sequence[Explanation]]"


def option(default: Any) -> Any:
    """A field of a loss's own options.

    The field is None in the configuration of a run with another loss. In a run with this loss, None
    stands for ``default``.
    """
    return field(default=None, metadata={"default": default})


@dataclass(frozen=True)
class TopologyTerm:
    """A topological loss that a run can add to its base loss.

    Attributes:
        help: One line for ``toponet-train --help``.
        make: Makes the loss of probabilities (B, 1, P, P), truths and ``valid=``, from its own
            options, the connectivity of the structure, the CPU threads and the device. The loss is
            a mean over the images, so that parts of a batch and ranks can be averaged. It depends
            on the probabilities in every call: a constant has no gradient to compare.
        options: A dataclass whose fields, each an :func:`option`, are the loss's own options; None
            = it has none.
        check: Raises ValueError or TypeError if no run could use these options with this
            connectivity. Files are looked at later, in ``make``.
        what_it_moves: From its own options, the connectivity and the side of a training patch: the
            function that tells which critical pixels of an image the loss moves; None = it has no
            critical pixels.
    """

    help: str
    make: Callable[[Options, int, int, torch.device], TopologyLoss]
    options: type[Any] | None = None
    check: Callable[[Options, int], None] = lambda options, connectivity: None
    what_it_moves: Callable[[Options, int, int], Explain] | None = None

    @property
    def defaults(self) -> Options:
        """Its own options, each with its default."""
        if self.options is None:
            return {}
        return {f.name: f.metadata["default"] for f in fields(self.options)}
