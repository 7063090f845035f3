"""Stills of a film, with something else behind the people."""

from __future__ import annotations

from dataclasses import replace

from alignimation_index.render.stills.background import Background, SteadyMasks, mask_on_canvas, replace_background
from alignimation_index.render.stills.still import Still
from alignimation_index.similarity import compose
from alignimation_index.store.bodies import from_png


class Backdrop:
    """Puts a background behind the people of a film's stills, in the order in which they are shown."""

    def __init__(self, background: Background) -> None:
        self._background = background
        self._steady = SteadyMasks()

    def behind(self, still: Still) -> Still:
        """The still with the background in place of its own, see `replace_background`.

        Raises:
            ValueError: its frame has no cutout.
        """
        cutout = still.frame.cutout
        if cutout is None:
            raise ValueError(f"{still.frame.path}: the person is not cut out")
        height, width = still.pixels.shape[:2]
        layer = mask_on_canvas(
            from_png(cutout.png), compose(still.canvas_from_photo, cutout.photo_from_mask), width, height
        )
        return replace(still, pixels=replace_background(still.pixels, self._steady.next(layer), self._background))
