"""The topological losses of the trainer, by name: one module each.

A new loss is a module like its neighbours, with a :class:`TopologyTerm`, and an entry in ``TERMS``.
Options of its own are a dataclass, which :class:`TermOptions` inherits as well: the command line,
``config.yaml``, presets and checkpoints then know them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from toponet.training.topology_terms.cldice import CLDICE
from toponet.training.topology_terms.persistence import PERSISTENCE, PersistenceOptions
from toponet.training.topology_terms.term import TopologyTerm
from toponet.training.topology_terms.vgg import VGG, VGGOptions

TERMS: dict[str, TopologyTerm] = {
    "persistence": PERSISTENCE,
    "cldice": CLDICE,
    "vgg": VGG,
}


@dataclass(frozen=True, kw_only=True)
class TermOptions(VGGOptions, PersistenceOptions):
    """The own options of all topological losses; None where a run has another loss."""


def owners(option: str) -> list[str]:
    """The names of the losses that have an option of this name; none if it isn't one of theirs."""
    return [name for name, term in TERMS.items() if option in term.defaults]


def options_of_others(topo_loss: str) -> list[str]:
    """The names of all options that belong to topological losses, but not to this one."""
    own = TERMS[topo_loss].defaults if topo_loss in TERMS else {}
    return [field.name for field in fields(TermOptions) if field.name not in own]
