"""The paper's topological loss, on persistence diagrams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toponet._ground.validation import check_whole
from toponet.topology.explanation import Explanation
from toponet.training.topology_terms.term import Explain, Options, TopologyTerm, option

if TYPE_CHECKING:
    from torch import Tensor

    from toponet.losses import TopologicalLoss


@dataclass(frozen=True, kw_only=True)
class PersistenceOptions:
    """The options of ``--topo-loss persistence``.

    Attributes:
        topo_patch_size: Of topo_loss "persistence": patches of about this side, in a grid, that
            the loss cuts the training patch into; empty = the training patch as a whole.
        dims: Of topo_loss "persistence": dimensions in the loss, 0 = components, 1 = holes; empty =
            both.
        matching: Of topo_loss "persistence": "complete", "wasserstein", "persistence", "betti" or
            "in_place"; empty = "complete".
        frame: Of topo_loss "persistence": whether the loss surrounds each patch by a frame of
            structure, as metrics always do; empty = true.
        unmatched_weight: Of matching "betti": factor of the cost of dots without partner; empty =
            1.
        in_place_weight: Of matching "in_place": the weight of each pull, "persistence" or "one";
            empty = "persistence".
        in_place_extremes: Of matching "in_place": whether the strongest value of each true piece
            and the weakest value of each true cell are pulled as well; empty = false.
    """

    topo_patch_size: int | None = option(None)
    dims: tuple[int, ...] | None = option((0, 1))
    matching: str | None = option("complete")
    frame: bool | None = option(True)
    unmatched_weight: float | None = option(1.0)
    in_place_weight: str | None = option(None)
    in_place_extremes: bool | None = option(None)


def _make(options: Options, connectivity: int, threads: int, device: Any) -> TopologicalLoss:
    return _loss(options, connectivity, options["topo_patch_size"], threads)


def _check(options: Options, connectivity: int) -> None:
    if not isinstance(options["dims"], (tuple, list)):
        raise TypeError(f"dims must be a list such as [0, 1], got {options['dims']!r}")
    size = options["topo_patch_size"]
    if size is not None:
        check_whole("topo_patch_size", size, least=1, most=2**20)
    _loss(options, connectivity, size, 1)  # The constructor checks the others.


def _what_it_moves(options: Options, connectivity: int, patch_size: int) -> Explain:
    """Patches are a grid over the image, as large as the loss sees them in training."""
    loss = _loss(options, connectivity, options["topo_patch_size"] or patch_size, None)

    def explain(f: Tensor, g: Tensor, valid: Tensor | None) -> Sequence[Explanation]:
        return loss.explain(f, g, valid=valid)

    return explain


def _loss(
    options: Options, connectivity: int, patch_size: int | None, threads: int | None
) -> TopologicalLoss:
    from toponet.losses import TopologicalLoss

    return TopologicalLoss(
        dims=options["dims"],
        connectivity=connectivity,
        matching=options["matching"],
        frame=options["frame"],
        unmatched_weight=options["unmatched_weight"],
        in_place_weight=options["in_place_weight"],
        in_place_extremes=bool(options["in_place_extremes"]),
        patch_size=patch_size,
        num_threads=threads,
    )


PERSISTENCE = TopologyTerm(
    help="the paper's, on persistence diagrams",
    make=_make,
    options=PersistenceOptions,
    check=_check,
    what_it_moves=_what_it_moves,
)
