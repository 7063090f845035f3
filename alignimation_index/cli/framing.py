"""Options that say what a film shows of each photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from alignimation_index.cli.option_groups import Command, as_one
from alignimation_index.cli.output import say

if TYPE_CHECKING:
    from alignimation_index.query.frames import Frame
    from alignimation_index.render.stills.framing import Framing

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
    click.option(
        "--background",
        default="keep",
        show_default=True,
        metavar="FILL",
        help="Behind the person: blur, a colour by name or as #rrggbb, a picture's path, or transparent.",
    ),
)


@dataclass(frozen=True, slots=True)
class FramingOptions:
    """What the options say, each as click gives it; see `framing_options`."""

    view: str
    size: str
    crop: str | None
    edges: str
    match: str | None
    background: str

    @property
    def replaces_background(self) -> bool:
        """Whether something else is to be behind people."""
        return self.background != "keep"

    def framing(self) -> Framing:
        """The framing that they describe.

        Raises:
            UserError: the size is none, or a colour, or the picture for the background cannot be read.
        """
        from alignimation_index.render.stills.framing import Framing, parse_edges, parse_size

        if self.replaces_background:
            from alignimation_index.render.stills.background import parse_background

            parse_background(self.background)
        width_px, height_px = parse_size(self.size)
        is_inside, is_lit = self.crop == "inside", self.match == "light"
        return Framing(width_px, height_px, self.view, parse_edges(self.edges), inside=is_inside, match_light=is_lit)


def framing_options(command: Command) -> Command:
    """Give a command the options that say what is seen of each photo, as one argument `framing` of FramingOptions."""
    return as_one(command, "framing", FramingOptions, _OPTIONS)


def say_what_is_inside(frames: Sequence[Frame], framing: Framing) -> None:
    """With --crop inside, tell how far the view shrinks, and for which photo.

    Raises:
        UserError: no rectangle is filled by all frames.
    """
    if not (framing.inside and frames):
        return
    from alignimation_index.render.stills.inside import fit_inside

    fit = fit_inside(frames, framing)
    if fit.limiting and fit.share < 1:
        others = f" and {len(fit.limiting) - 1} more" if len(fit.limiting) > 1 else ""
        say(f"--crop inside: {fit.share:.0%} of the view, limited by {fit.limiting[0].path}{others}")
