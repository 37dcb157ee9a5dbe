"""The definition of segmentation by persistence, in plain Python: what the kernel must equal.

Slow and obvious on purpose. It settles one dimension at a time. Holes are pieces of the background,
which grows downwards from its minima; pieces of the foreground grow upwards from its maxima. Both
are treated alike: `Side` is what grows, and "first" is the pixel that a piece begins with.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from reference import OUTSIDE, neighbours

Pixels = set[int]


@dataclass
class Decision:
    """What was done for one feature, whose pixels are -1 for the frame and for never."""

    dimension: int
    birth: int
    death: int
    action: str
    pixels: Pixels = field(default_factory=set)


class Side:
    """What grows in one dimension of an image: pieces of the foreground or of the background."""

    def __init__(
        self,
        image: NDArray[np.floating],
        threshold: float,
        dimension: int,
        connectivity: int,
        frame: bool,
    ) -> None:
        self.dimension, self.shape = dimension, image.shape
        self.values = [float(x) for x in image.ravel()]
        self.threshold = float(image.dtype.type(threshold))
        self.connectivity = connectivity if dimension == 0 else 12 - connectivity
        self.order = sorted(range(image.size), key=lambda p: (-self.values[p], p))
        if dimension == 1:
            self.order.reverse()
        # The frame is foreground; without a frame, the outside is background.
        self.outside_grows = frame == (dimension == 0)
        self.place = {pixel: k for k, pixel in enumerate(self.order)} | {OUTSIDE: -1}
        self._near = {
            p: sorted(
                {q for q in neighbours(p, self.shape, self.connectivity)
                 if q != OUTSIDE or self.outside_grows},
                key=self.place.__getitem__,
            )
            for p in self.order
        }  # fmt: skip
        self.grow()

    def grow(self) -> None:
        """The merge tree: where the piece of a first pixel meets an elder one, and whose it is."""
        root = {OUTSIDE: OUTSIDE}
        self.firsts: list[int] = []
        self.meets: dict[int, tuple[int, int]] = {}
        for pixel in self.order:
            roots = sorted({root[q] for q in self.earlier(pixel)}, key=self.place.__getitem__)
            if not roots:
                self.firsts.append(pixel)
            root[pixel] = roots[0] if roots else pixel
            for younger in roots[1:]:
                self.meets[younger] = (pixel, roots[0])
            for q in root:
                root[q] = roots[0] if root[q] in roots[1:] else root[q]

    def inside(self, pixel: int) -> bool:
        """Whether the mask at the threshold counts the pixel to what grows."""
        return (self.values[pixel] >= self.threshold) == (self.dimension == 0)

    def near(self, pixel: int) -> list[int]:
        """Neighbours, in the order in which they enter."""
        return self._near[pixel]

    def earlier(self, pixel: int) -> list[int]:
        return [q for q in self.near(pixel) if self.place[q] < self.place[pixel]]

    def descend(self, pixel: int) -> list[int]:
        """The steepest way from a pixel to a first one, both included."""
        way = [pixel]
        while way[-1] != OUTSIDE and self.earlier(way[-1]):
            way.append(self.earlier(way[-1])[0])
        return way

    def root_before(self, start: int, pixel: int) -> int:
        """First pixel of the piece that holds `start` just before `pixel` enters."""
        first = self.descend(start)[-1]
        while first in self.meets and self.place[self.meets[first][0]] < self.place[pixel]:
            first = self.meets[first][1]
        return first

    def meeting(self, a: int, b: int) -> int:
        """The pixel that joins the pieces of two first pixels."""
        never = len(self.order)
        pixel = OUTSIDE
        while a != b:
            if self.death_place(a, never) > self.death_place(b, never):
                a, b = b, a
            pixel, a = self.meets[a]
        return pixel

    def death_place(self, first: int, never: int) -> int:
        return self.place[self.meets[first][0]] if first in self.meets else never

    def dot(self, first: int) -> tuple[int, int]:
        """Pixels (birth, death) of the feature that begins at a first pixel."""
        end = self.meets[first][0] if first in self.meets else -1
        return (first, end) if self.dimension == 0 else (end, first)

    def ends(self, first: int) -> tuple[float, float]:
        """(birth, death): the frame's value is 1, and what never dies is taken to die at 0."""
        birth, death = self.dot(first)
        return self.values[birth] if birth >= 0 else 1.0, self.values[death] if death >= 0 else 0.0

    def wanted(self, first: int, keep: float, add: float | None) -> bool:
        birth, death = self.ends(first)
        if birth >= self.threshold > death:
            return keep == 0 or birth - death > keep
        return add is not None and birth - death > add

    def pieces(self, pixels: Iterable[int]) -> list[Pixels]:
        """Connected pieces of a set of pixels."""
        left, found = set(pixels), []
        while left:
            piece, todo = set(), [left.pop()]
            while todo:
                pixel = todo.pop()
                piece.add(pixel)
                more = left.intersection(self.near(pixel))
                left -= more
                todo += more
            found.append(piece)
        return found

    def touched(self, pixels: Pixels) -> Pixels:
        """The pixels and all that lie beside them; the outside as well, if it grows."""
        return pixels.union(*map(self.near, pixels))

    def euler(self, pixels: Pixels) -> int:
        """Euler number of foreground pixels, up to a constant if the frame is foreground."""
        mask = np.zeros(self.shape, dtype=bool)
        mask.ravel()[list(pixels)] = True
        mask = np.pad(mask, 1, constant_values=self.outside_grows)
        count = np.any if self.connectivity == 8 else np.all
        terms = {(2, 2): 1, (1, 2): -1, (2, 1): -1, (1, 1): 1}
        return sum(
            sign * int(count(np.lib.stride_tricks.sliding_window_view(mask, s), (2, 3)).sum())
            for s, sign in terms.items()
        )

    def encloses_holes(self, piece: Pixels) -> bool:
        return self.euler(piece) - self.euler(set()) != 1


class Reached(Enum):
    """How a way through the merge tree ended."""

    target = auto()
    shown = auto()  # It came to what stays, before the target.
    blocked = auto()


class Settling:
    """Settles one dimension of an image.

    Args:
        side: What grows.
        keep: A shown feature stays if its persistence is larger; 0 = all stay.
        add: A hidden feature is brought out if its persistence is larger; None = none is.
        holes: For pieces: pixels that must stay in their holes. No edit changes the holes then.
            None = holes don't matter.
    """

    def __init__(self, side: Side, keep: float, add: float | None, holes: Pixels | None) -> None:
        self.side, self.holes = side, holes
        self.wanted = [m for m in side.firsts if side.wanted(m, keep, add)]
        self.decisions: dict[int, Decision] = {}
        # What stays: pixel -> a name of the piece that it lies in.
        self.group: dict[int, int] = {OUTSIDE: OUTSIDE} if side.outside_grows else {}
        # Pieces at the threshold in which nothing is wanted: first pixel -> pixels.
        self.free: dict[int, Pixels] = {}
        self.given: Pixels = set()  # To what grows.
        self.taken: Pixels = set()  # From what grows.
        self.kept = self.undivided = 0
        for piece in side.pieces(p for p in side.order if side.inside(p)):
            self.sort_piece(piece)
        for first in self.wanted:
            if not side.inside(first):
                self.bring_out(first)
        for first in sorted(self.free, key=side.place.__getitem__):
            if first in self.free and not self.opened(first):
                self.taken |= self.free[first]
                action = "filled" if side.dimension else "removed"
                self.decide(first, action, self.free.pop(first))

    def decide(self, first: int, action: str, pixels: Iterable[int]) -> None:
        birth, death = self.side.dot(first)
        new = Decision(self.side.dimension, birth, death, action)
        self.decisions.setdefault(first, new).pixels.update(pixels)

    def sort_piece(self, piece: Pixels) -> None:
        """A piece at the threshold holds one wanted feature, several, or none."""
        wanted = [m for m in self.wanted if m in piece]
        outside = OUTSIDE in self.side.touched(piece)
        name = OUTSIDE if outside else min(piece, key=self.side.place.__getitem__)
        if self.holes is not None and (outside or self.side.encloses_holes(piece)):
            self.group |= dict.fromkeys(piece, name)
            self.kept += not wanted and not outside
            self.undivided += max(0, len(wanted) + outside - 1)
        elif len(wanted) + outside > 1:
            self.wall_off(piece, name, wanted)
        elif wanted or outside:
            self.group |= dict.fromkeys(piece, name)
        else:
            self.free[name] = piece

    def wall_off(self, piece: Pixels, name: int, wanted: list[int]) -> None:
        """Floods the piece from what is wanted: a pixel that touches two of them becomes wall."""
        side = self.side
        claims = {*wanted, OUTSIDE}
        label = {OUTSIDE: OUTSIDE} if name == OUTSIDE else {}
        walls: dict[int, int] = {}
        for pixel in sorted(piece, key=side.place.__getitem__):
            met = {label[q] for q in side.earlier(pixel) if q in label}
            if len(met & claims) > 1:
                walls[pixel] = max(met & claims, key=side.place.__getitem__)
                continue
            label[pixel] = min(met & claims or met or {pixel}, key=side.place.__getitem__)
            label.update({q: label[pixel] for q in label if label[q] in met})
        # A dent that only walls enclose becomes wall, too.
        for dent in side.pieces(p for p in piece - walls.keys() if label[p] not in claims):
            beside = min(side.touched(dent) & walls.keys())
            walls.update(dict.fromkeys(dent, walls[beside]))
        rest = piece - walls.keys()
        if self.holes is not None and any(map(side.encloses_holes, side.pieces(rest))):
            self.group |= dict.fromkeys(piece, name)
            self.undivided += len(wanted) - 1
            return
        self.taken |= walls.keys()
        self.group |= {p: label[p] for p in rest}
        for pixel, first in walls.items():
            self.decide(first, "closed" if side.dimension else "separated", {pixel})

    def bring_out(self, first: int) -> None:
        """A wanted feature beyond the threshold shows what lies beyond half of its height.

        And before it meets another wanted one.
        """
        side = self.side
        level = sum(side.ends(first)) / 2
        sign = 1 if side.dimension == 0 else -1
        ends = [side.place[side.meeting(first, m)] for m in self.wanted if m != first]
        if side.outside_grows:
            ends.append(side.place[side.meeting(first, OUTSIDE)])
        near = [p for p in side.order[: min(ends, default=None)]
                if sign * side.values[p] > sign * level]  # fmt: skip
        core = next(piece for piece in side.pieces(near) if first in piece)
        if self.holes is not None and (self.holes & core or side.encloses_holes(core)):
            core = {first}
        self.given |= core
        self.group |= dict.fromkeys(core, first)
        self.decide(first, "hollowed" if side.dimension else "added", core)

    def opened(self, first: int) -> bool:
        """Joins a piece to its elder, if that is cheaper than to take it away.

        Not if the elder isn't shown, or if two pieces that stay would be joined.
        """
        side = self.side
        costs = [abs(x - side.threshold) for x in side.ends(first)]
        if side.dimension == 1:
            costs.reverse()
        to_take, to_open = costs
        if first not in side.meets or not to_open < to_take:
            return False
        if side.meets[first][1] not in self.group:
            return False
        way: Pixels = set()
        joined: Pixels = set()
        if self.link(first, way, joined, set()) is Reached.blocked:
            return False
        beside = side.touched(way)
        joined |= {m for m, piece in self.free.items() if piece & beside}
        groups = {self.group[p] for p in beside if p in self.group}
        if len(groups) != 1 or not self.leaves_holes_alone(way, len(joined)):
            return False
        way -= self.group.keys()  # An earlier one has opened these.
        for m in joined:
            self.group |= dict.fromkeys(self.free.pop(m), *groups)
            self.decide(m, "opened" if side.dimension else "joined", way if m == first else ())
        self.group |= dict.fromkeys(way, *groups)
        self.given |= way
        return True

    def link(self, first: int, way: Pixels, joined: Pixels, linked: Pixels) -> Reached:
        """Adds to the way what joins a first pixel to its elder, where they meet."""
        side = self.side
        if first in linked:
            return Reached.target
        linked.add(first)
        pixel, elder = side.meets[first]
        way.add(pixel)
        ends = []
        for target in (first, elder):
            start = next(q for q in side.earlier(pixel) if side.root_before(q, pixel) == target)
            ends.append(self.walk(start, target, way, joined, linked))
        return ends[1] if ends[0] is Reached.target else Reached.blocked

    def walk(self, start: int, target: int, way: Pixels, joined: Pixels, linked: Pixels) -> Reached:
        """From a pixel down to a first one, and from there through the merge tree to the target."""
        side = self.side
        for at in side.descend(start):
            if at == OUTSIDE or at in self.group or side.inside(at):
                break
            way.add(at)
        if at == OUTSIDE or at in self.group:
            return Reached.shown
        if side.inside(at):
            at = next((m for m, piece in self.free.items() if at in piece), OUTSIDE)
            if at == OUTSIDE:
                return Reached.blocked  # A wall, or what was filled.
        while True:
            if at in self.group:
                return Reached.shown
            if at in self.free:
                joined.add(at)
            elif side.inside(at):
                return Reached.blocked
            if at == target:
                return Reached.target
            end = self.link(at, way, joined, linked)
            if end is not Reached.target:
                return end
            at = side.meets[at][1]

    def leaves_holes_alone(self, way: Pixels, joined: int) -> bool:
        """Whether the way changes nothing but the number of pieces."""
        if self.holes is None:
            return True
        side = self.side
        mask = ({p for p in side.order if side.inside(p)} - self.taken) | self.given
        return not self.holes & way and side.euler(mask | way) == side.euler(mask) - joined

    def result(self, image: NDArray[np.floating]) -> NDArray[np.floating]:
        settled = image.copy()
        threshold = image.dtype.type(self.side.threshold)
        below = np.nextafter(threshold, image.dtype.type(-math.inf))
        raised, lowered = self.given, self.taken
        if self.side.dimension == 1:
            raised, lowered = lowered, raised
        settled.ravel()[list(raised)] = threshold
        settled.ravel()[list(lowered)] = below
        return settled


@dataclass
class Result:
    """Of `segment`, with what each dimension had to settle."""

    likelihood: NDArray[np.floating]
    decisions: list[Decision]
    settled: dict[int, Settling]


def segment(
    image: NDArray[np.floating],
    threshold: float = 0.5,
    keep: float = 0.5,
    add: float | None = 0.3,
    dims: Sequence[int] = (0, 1),
    connectivity: int = 8,
    frame: bool = True,
) -> Result:
    """Holes first. Then pieces, by the features that the image has once its holes are settled."""
    result = Result(image, [], {})
    for dimension in sorted(dims, reverse=True):
        side = Side(result.likelihood, threshold, dimension, connectivity, frame)
        holes = set(result.settled[1].wanted) if 1 in result.settled else None
        settling = Settling(side, keep, add, holes)
        result.settled[dimension] = settling
        result.likelihood = settling.result(result.likelihood)
        result.decisions += settling.decisions.values()
    result.decisions.sort(key=lambda d: (d.dimension, d.death, d.birth))
    return result
