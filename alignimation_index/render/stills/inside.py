"""The largest rectangle around the subject that all photos fill.

In template space a photo is a turned rectangle, four half-planes. A rectangle of the canvas's shape, with centre (x, y)
and s times the size of the view, lies in the half-plane n·p ≤ d if n·(x, y) + s·reach(n) ≤ d, where reach is how far
the view's corners go along n. That is linear: to find the largest s is a linear program in three unknowns, whatever the
number of photos. It is solved exactly, by corners of the few constraints that matter, which are found one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from alignimation_index import similarity
from alignimation_index.errors import UserError
from alignimation_index.query.frames import Frame
from alignimation_index.render.stills.framing import Framing, Rectangle, canvas_from_rectangle, view_rectangle
from alignimation_index.similarity import Matrices

Rows = NDArray[np.float64]
Core = tuple[float, float, float, float]

# What the rectangle holds in any case, left, top, right and bottom in template units: eyes and mouth; of a body, its
# middle.
CORE = {"face": (0.34, 0.38, 0.66, 0.71), "body": (0.4, 0.3, 0.6, 0.7)}
# How far the middle of that may come from its place in the view, in shares of the rectangle's sides: a face does not
# end up at the upper edge because there is more photo below.
MOST_MOVED = 0.12
# At most one photo in so many is left out, and only if the rectangle of the others is larger by this factor.
SPARED_ONE_IN = 20
WORTH_LEAVING_OUT = 1.25

TOO_NEAR = "the photo ends too near to the subject for --crop inside"
_TOLERANCE = 1e-9
# Of the largest size, what is given up so that the best place for it is found with certainty.
_SLACK = 1e-6


@dataclass(frozen=True)
class Inside:
    """What all photos fill.

    Attributes:
        canvas_from_template: for each kind of frame the (2, 3) matrix to the canvas.
        share: of the view's size that is left, of the kind that has least.
        limiting: the frames whose photos end at the rectangle's sides.
        left_out: reasons, by the frame's place in the sequence.
    """

    canvas_from_template: dict[str, Matrices]
    share: float
    limiting: list[Frame]
    left_out: dict[int, str]


def fit_inside(frames: Sequence[Frame], framing: Framing) -> Inside:
    """Shrink, and move, the view so that the photos of all frames fill it.

    Never larger than the view, the subject as near to its place in it as is possible. A photo that ends right at the
    subject is left out, and so are the few that the view would shrink most for, if that is worth it: see the constants.

    Args:
        frames: registered ones, of any kind; those of each kind get a rectangle of their own.
        framing: the canvas and the view.

    Raises:
        UserError: there is no such rectangle.
    """
    matrices: dict[str, Matrices] = {}
    limiting: list[Frame] = []
    left_out: dict[int, str] = {}
    share = 1.0
    for kind in sorted({frame.kind for frame in frames}):
        indices = np.array([i for i, frame in enumerate(frames) if frame.kind == kind])
        fit = _Fit.of([frames[i] for i in indices], view_rectangle(framing, kind), CORE[kind])
        matrices[kind] = canvas_from_rectangle(framing, fit.rectangle)
        limiting += [frames[indices[i]] for i in fit.limiting]
        left_out |= {int(indices[i]): reason for i, reason in fit.left_out.items()}
        share = min(share, fit.share)
    return Inside(matrices, share, limiting, left_out)


@dataclass(frozen=True)
class _Fit:
    """As Inside, of frames of one kind, with the rectangle; indices are those of the frames."""

    rectangle: Rectangle
    share: float
    limiting: list[int]
    left_out: dict[int, str]

    @classmethod
    def of(cls, frames: Sequence[Frame], view: Rectangle, core: Core) -> _Fit:
        sides = _sides_of_photos(frames)
        far_enough = _hold(sides, core)
        own = np.where(far_enough, _own_shares(sides, view, core), np.inf)
        left_out = {int(i): TOO_NEAR for i in np.flatnonzero(~far_enough)}
        order = [int(i) for i in np.argsort(own, kind="stable") if far_enough[i]]
        spared, solution = _spared(order, sides, view, core)
        if solution is None or not order:
            raise UserError(
                "There is no rectangle around the subject that all photos fill. Leave out --crop inside, "
                "or choose fewer photos"
            )
        reason = f"it would shrink --crop inside below {solution[2]:.0%} of the view"
        left_out |= dict.fromkeys(order[:spared], reason)
        kept = np.array(order[spared:], int)
        rows = _rows(sides[kept], view)
        touching = (rows[..., :3] @ solution - rows[..., 3] > -1e-4).any(1)
        x, y, share = (float(value) for value in solution)
        # Unless it is the view's own size that ends it.
        touching &= share < 1 - 2 * _SLACK
        return cls(Rectangle(x, y, share * view.width, share * view.height), share, kept[touching].tolist(), left_out)


def _sides_of_photos(frames: Sequence[Frame]) -> Rows:
    """(N, 4, 3) half-planes of each photo in template units: outward unit normal and distance."""
    size = np.array([(frame.width_px, frame.height_px) for frame in frames], np.float64)
    corners = size[:, None] * [[0, 0], [1, 0], [1, 1], [0, 1]] - 0.5
    quads = similarity.apply(np.array([_matrix(frame) for frame in frames]), corners)
    along = np.roll(quads, -1, axis=1) - quads
    normals = np.stack([along[..., 1], -along[..., 0]], -1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return np.concatenate([normals, (normals * quads).sum(-1, keepdims=True)], -1)


def _matrix(frame: Frame) -> NDArray[np.float32]:
    if frame.template_from_photo is None:
        raise ValueError(f"face {frame.face_id} is not registered")
    return frame.template_from_photo


def _hold(sides: Rows, box: Core) -> NDArray[np.bool_]:
    """(N,) whether each photo holds a box, xyxy in template units."""
    corners = np.array([(x, y) for x in box[::2] for y in box[1::2]])
    inside: NDArray[np.bool_] = (sides[..., :2] @ corners.T <= sides[..., 2:]).all((1, 2))
    return inside


def _rows(sides: Rows, view: Rectangle) -> Rows:
    """(N, 4, 4) constraints a·(x, y, s) ≤ d, as rows (a, d)."""
    reach = np.abs(sides[..., :2]) @ [view.width / 2, view.height / 2]
    return np.concatenate([sides[..., :2], reach[..., None], sides[..., 2:]], -1)


def _own_shares(sides: Rows, view: Rectangle, core: Core) -> Rows:
    """(N,) the share of the view that each photo fills, where the subject keeps its place in it."""
    middle = _middle(core)
    rows = _rows(sides, view)
    reach = rows[..., 2] + rows[..., :2] @ (np.array([view.x, view.y]) - middle)
    shares: Rows = ((rows[..., 3] - rows[..., :2] @ middle) / np.maximum(reach, _TOLERANCE)).min(1)
    return shares


def _middle(core: Core) -> Rows:
    return np.array([(core[0] + core[2]) / 2, (core[1] + core[3]) / 2])


def _rows_of_subject(view: Rectangle, core: Core) -> Rows:
    """(8, 4) constraints: the rectangle holds the core, whose middle is near to its place in the view."""
    rows = []
    places = (_middle(core) - [view.x, view.y]) / [view.width, view.height]
    for axis, (unit, side, place) in enumerate(zip(np.eye(2), view[2:], places, strict=True)):
        low, high = core[axis], core[axis + 2]
        rows += [
            [*unit, -side / 2, low],
            [*-unit, -side / 2, -high],
            [*unit, (place - MOST_MOVED) * side, (low + high) / 2],
            [*-unit, -(place + MOST_MOVED) * side, -(low + high) / 2],
        ]
    return np.array(rows, np.float64)


def _spared(order: list[int], sides: Rows, view: Rectangle, core: Core) -> tuple[int, Rows | None]:
    """How many photos are left out, of an order that begins with the worst, and the solution of the others."""

    def solve(count: int) -> Rows | None:
        return _largest(_rows(sides[order[count:]], view).reshape(-1, 4), view, core)

    most = len(order) // SPARED_ONE_IN
    everyone, fewer = solve(0), solve(most)
    if fewer is None or (everyone is not None and fewer[2] < WORTH_LEAVING_OUT * everyone[2]):
        return 0, everyone
    low, high = 0, most  # the least count that gains nearly as much
    while high - low > 1:
        middle = (low + high) // 2
        found = solve(middle)
        if found is not None and found[2] >= fewer[2] / 1.05:
            high = middle
        else:
            low = middle
    return high, solve(high)


def _largest(rows: Rows, view: Rectangle, core: Core) -> Rows | None:
    """The (x, y, s) of the largest rectangle that holds the core, nearest to the view's middle; None if there is none.

    Args:
        rows: (M, 4) constraints of the photos.
        view: of s = 1.
        core: xyxy in template units.
    """
    rows = np.vstack([_rows_of_subject(view, core), rows])
    active = np.vstack([rows[:8], [[0, 0, 1, 1]]])
    while True:
        best = _highest_corner(active)
        if best is None:
            return None
        worst = _most_violated(rows, best)
        if worst is None:
            break
        active = np.vstack([active, worst])
    share = best[2] * (1 - _SLACK)
    in_place = np.column_stack([rows[:, :2], rows[:, 3] - rows[:, 2] * share])
    middle = _nearest(in_place, np.array([view.x, view.y]))
    return best if middle is None else np.array([*middle, share])


def _most_violated(rows: Rows, point: Rows) -> Rows | None:
    excess = rows[:, :-1] @ point - rows[:, -1]
    if not len(excess) or excess.max() <= _TOLERANCE:
        return None
    row: Rows = rows[excess.argmax()]
    return row


def _highest_corner(rows: Rows) -> Rows | None:
    """The corner of largest s that three constraints make and that all of them allow."""
    triples = rows[np.array(list(combinations(range(len(rows)), 3)))]
    solvable = np.abs(np.linalg.det(triples[..., :3])) > 1e-12
    points = np.linalg.solve(triples[solvable][..., :3], triples[solvable][..., 3:])[..., 0]
    allowed = points[(points @ rows[:, :3].T <= rows[:, 3] + _TOLERANCE).all(1)]
    return allowed[allowed[:, 2].argmax()] if len(allowed) else None


def _nearest(rows: Rows, wanted: Rows) -> Rows | None:
    """The point nearest to the wanted one that constraints n·(x, y) ≤ d allow, |n| = 1; None if they allow none.

    Args:
        rows: (M, 3) constraints (n, d).
        wanted: (2,).
    """
    active = rows[:0]
    while True:
        point = _nearest_candidate(active, wanted)
        worst = None if point is None else _most_violated(rows, point)
        if worst is None:
            return point
        active = np.vstack([active, worst])


def _nearest_candidate(rows: Rows, wanted: Rows) -> Rows | None:
    """As `_nearest`, among the point itself, its feet on the lines, and where two lines meet."""
    feet = wanted - (rows[:, :2] @ wanted - rows[:, 2])[:, None] * rows[:, :2]
    pairs = rows[np.array(list(combinations(range(len(rows)), 2)), int).reshape(-1, 2)]
    pairs = pairs[np.abs(np.linalg.det(pairs[..., :2])) > 1e-12]
    meetings = np.linalg.solve(pairs[..., :2], pairs[..., 2:])[..., 0]
    points = np.vstack([wanted[None], feet, meetings])
    allowed = points[(points @ rows[:, :2].T <= rows[:, 2] + _TOLERANCE).all(1)]
    return allowed[np.linalg.norm(allowed - wanted, axis=1).argmin()] if len(allowed) else None
