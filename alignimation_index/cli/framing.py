"""Options that say what a film shows of each photo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, TypeVar

import click

from alignimation_index.cli.output import say

if TYPE_CHECKING:
    from alignimation_index.query.frames import Frame
    from alignimation_index.render.framing import Framing

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--frame",
        "view",
        type=click.Choice(["tight", "face", "head", "bust", "body"]),
        default="head",
        show_default=True,
        help="How much is seen around the subject. Of bodies, all from face to body is the whole body.",
    ),
    click.option(
        "--size",
        default="720",
        show_default=True,
        metavar="PIXELS",
        help="Width and height, as 1080x1920, or the side of a square.",
    ),
    click.option(
        "--crop",
        type=click.Choice(["inside"]),
        help="inside: shrink the view to what all photos fill, so that no edge is seen.",
    ),
    click.option(
        "--edges",
        default="black",
        show_default=True,
        metavar="FILL",
        help="What is seen beyond a photo: blur, mirror, or a colour by name or as #rrggbb.",
    ),
    click.option(
        "--match",
        type=click.Choice(["light"]),
        help="light: even out the light and colour of the faces of each person.",
    ),
)


def choosing_framing(command: Command) -> Command:
    """Add the options to a command, which takes `view`, `size`, `crop`, `edges` and `match`; see `framing_from`."""
    return reduce(lambda decorated, option: option(decorated), reversed(_OPTIONS), command)


def framing_from(view: str, size: str, crop: str | None, edges: str, match: str | None) -> Framing:
    """The framing that the options say.

    Raises:
        UserError: the size is none, or the colour.
    """
    from alignimation_index.render.framing import Framing, parse_edges, parse_size

    width_px, height_px = parse_size(size)
    return Framing(width_px, height_px, view, parse_edges(edges), inside=crop == "inside", match_light=match == "light")


def say_what_is_inside(frames: Sequence[Frame], framing: Framing) -> None:
    """With --crop inside, tell how far the view shrinks, and for which photo.

    Raises:
        UserError: no rectangle is filled by all frames.
    """
    if not (framing.inside and frames):
        return
    from alignimation_index.render.inside import fit_inside

    fit = fit_inside(frames, framing)
    if fit.limiting and fit.share < 1:
        others = f" and {len(fit.limiting) - 1} more" if len(fit.limiting) > 1 else ""
        say(f"--crop inside: {fit.share:.0%} of the view, limited by {fit.limiting[0].path}{others}")
