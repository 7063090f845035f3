"""What is behind a person: kept, blurred, or replaced by a colour or a picture.

A network's mask is coarse: its edge is brought to the photo's own edges by a guided filter (He, Sun & Tang 2013,
"Guided Image Filtering"), at reduced size (He & Sun 2015, "Fast Guided Filter"), which follows hair as far as colour
tells it from what is behind. Where a pixel shows both, the person's own colour is estimated (Forte 2021, "Approximate
Fast Foreground Colour Estimation"), so that hardly a rim of the old background remains.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from kornia.filters import gaussian_blur2d, guided_blur
from kornia.geometry.transform import warp_affine
from numpy.typing import ArrayLike
from PIL import Image, ImageColor, ImageOps
from torch import Tensor

from alignimation_index.datatypes import Float, Pixels
from alignimation_index.errors import DecodeError, UserError, in_words
from alignimation_index.library.decoding.decode import decode
from alignimation_index.similarity import scale_of

# How far the photo's edges are looked for on both sides of the mask's, as a share of the root of its area: networks'
# masks are off by as much.
REACH = 0.04
# Variance of the photo's colours (of 0..255) below which there is no edge to follow.
LEAST_CONTRAST = 20.0
# What the filter leaves below or above is noise of the photo; between, the edge is feathered.
CLEAR, SURE = 0.2, 0.8
# How far the person's colours, and those behind, are taken from, and what is blurred how far: of the shorter side.
COLOUR_REACH = 0.02
BLUR = 0.02
# The side to which the canvas is reduced for what changes slowly over it.
REDUCED_SIDE_PX = 216
# Weight below which colours are not known from their surroundings.
LEAST_SHARE = 1e-4

# A mask follows the one before where both are nearly the same. Deviation of the smoothing that tells, as a share of the
# shorter side; the difference of smoothed masks that is a movement; and the share that the earlier masks keep.
STEADY_REACH, MOVEMENT, MEMORY = 0.01, 0.35, 0.75
# Masks that share less than this of what they cover together are of another scene.
SAME_SCENE_IOU = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """What a film shows behind a person; see `parse_background`.

    Attributes:
        kind: how it is made.
        colour: RGB, of a colour.
        picture: (H, W, 3) uint8 RGB of any size, of a picture; the canvas shows its middle.
    """

    kind: Literal["keep", "blur", "transparent", "colour", "picture"]
    colour: tuple[int, int, int] = (0, 0, 0)
    picture: Pixels | None = None


KEEP = Background("keep")


def parse_background(text: str) -> Background:
    """Read `keep`, `blur`, `transparent`, a colour (`white`, `#rrggbb`) or the path of a picture.

    Raises:
        UserError: it is none of these, or the picture cannot be read.
    """
    plain: dict[str, Background] = {"keep": KEEP, "blur": Background("blur"), "transparent": Background("transparent")}
    if text in plain:
        return plain[text]
    try:
        red, green, blue = ImageColor.getrgb(text)[:3]
    except ValueError:
        return Background("picture", picture=_read_picture(text))
    return Background("colour", (red, green, blue))


def mask_on_canvas(mask: ArrayLike, canvas_from_mask: ArrayLike, width_px: int, height_px: int) -> Float:
    """Bring a person mask to the canvas.

    Args:
        mask: (h, w) bool or 0..1, or uint8 of which 255 is the person.
        canvas_from_mask: (2, 3) similarity, pixels of the mask to pixels of the canvas.
        width_px: of the canvas.
        height_px: of the canvas.

    Returns:
        (height_px, width_px) float32 in 0..1; 0 beyond the mask.
    """
    source = np.asarray(mask)
    layer = torch.from_numpy(source.astype(np.float32) / (255 if source.dtype == np.uint8 else 1))[None, None]
    mask_px_per_canvas_px = 1 / float(scale_of(canvas_from_mask))
    # As smooth as a pixel of either is large: without steps where it grows, without flicker where it shrinks.
    layer = _blurred(layer, 0.5 * max(1.0, mask_px_per_canvas_px))
    matrix = torch.as_tensor(np.asarray(canvas_from_mask), dtype=torch.float32)[None]
    warped: Float = warp_affine(layer, matrix, (height_px, width_px), align_corners=True)[0, 0].clamp(0, 1).numpy()
    return warped


def replace_background(pixels: Pixels, mask: Float, background: Background) -> Pixels:
    """Put a person before another background.

    Args:
        pixels: (H, W, 3) uint8 RGB, the canvas.
        mask: (H, W) float32 in 0..1, where the person is on it, as `mask_on_canvas` gives it. An empty one leaves
            nothing but background.
        background: what to put there.

    Returns:
        (H, W, 3) uint8 RGB; of a transparent one (H, W, 4) with alpha, not premultiplied.
    """
    if background.kind == "keep":
        return pixels
    photo, layer = _planes(pixels), _layer(mask)
    alpha = _refined(photo, layer)
    if background.kind == "transparent":
        composed = photo.clone()
        _take_out_what_shines_through(composed, photo, alpha, torch.ones_like(alpha))
        composed = torch.cat([composed, 255 * alpha], 1)
    else:
        composed = torch.lerp(_behind(background, photo, alpha), photo, alpha)
        _take_out_what_shines_through(composed, photo, alpha, alpha)
    replaced = composed[0].add_(0.5).clamp_(0, 255).to(torch.uint8)
    return np.ascontiguousarray(replaced.permute(1, 2, 0).numpy())


def refine_mask(pixels: Pixels, mask: Float) -> Float:
    """Bring a mask's edge to the edges of the photo, feathered: both as for `replace_background`, (H, W) float32."""
    refined: Float = _refined(_planes(pixels), _layer(mask))[0, 0].numpy()
    return refined


class SteadyMasks:
    """Takes the flicker out of the masks of a sequence of stills: their edges follow those before.

    Only where the masks differ by as little as a network's masks of one scene do. Whatever moves further is taken as it
    is, so that nothing trails; a mask of another scene begins anew.
    """

    def __init__(self) -> None:
        self._before: Tensor | None = None

    def next(self, mask: Float) -> Float:
        """Steady the next mask of the sequence: (H, W) float32 in 0..1, in and out."""
        layer = _layer(mask)
        self._before = layer if self._before is None else _following(layer, self._before)
        steadied: Float = self._before[0, 0].numpy()
        return steadied


def _following(mask: Tensor, before: Tensor) -> Tensor:
    """The mask, drawn to the one before where they nearly agree; both (1, 1, H, W)."""
    if before.shape != mask.shape or _overlap(mask, before) < SAME_SCENE_IOU:
        return mask
    step = _reduction(mask)
    reach = STEADY_REACH * min(mask.shape[-2:]) / step
    difference = _enlarged(_blurred(_reduced(before - mask, step), reach), mask)
    return mask + MEMORY * torch.exp(-((difference / MOVEMENT) ** 2)) * (before - mask)


def _overlap(a: Tensor, b: Tensor) -> float:
    return float(torch.minimum(a, b).sum() / torch.maximum(a, b).sum().clamp(min=1e-9))


def _refined(photo: Tensor, mask: Tensor) -> Tensor:
    """(1, 1, H, W) soft mask of (1, 3, H, W) colours in 0..255 and a (1, 1, H, W) mask."""
    alpha = torch.zeros_like(mask)
    rows, columns = mask.amax((0, 1, 3)).nonzero()[:, 0], mask.amax((0, 1, 2)).nonzero()[:, 0]
    if len(rows):
        reach_px = max(REACH * float(mask.sum()) ** 0.5, 1.0)
        margin = 4 * round(reach_px)
        # A person seldom fills the canvas, and all else is background anyway.
        part = (..., _grown(rows, margin), _grown(columns, margin))
        alpha[part] = _edge_to_edge(photo[part], mask[part], reach_px, _reduction(mask))
    return alpha


def _edge_to_edge(photo: Tensor, mask: Tensor, reach_px: float, step: int) -> Tensor:
    """The mask with its edge at that of the photo, within a reach; computed at 1 / step of the size."""
    window = 2 * round(reach_px) + 1
    filtered = guided_blur(photo, mask, window, LEAST_CONTRAST, border_type="replicate", subsample=step)
    share = ((filtered - CLEAR) / (SURE - CLEAR)).clamp(0, 1)
    # Beyond its reach, the photo does not overrule the mask: what looks like the person is another thing there.
    near = _enlarged(_blurred(_reduced(mask, step), 0.75 * reach_px / step), mask)
    share = torch.minimum(torch.maximum(share, 4 * near - 3), 4 * near)
    return share * share * (3 - 2 * share)


def _grown(places: Tensor, margin: int) -> slice:
    """From the first to the last of sorted places, and a margin further at both ends."""
    return slice(max(int(places[0]) - margin, 0), int(places[-1]) + 1 + margin)


def _take_out_what_shines_through(composed: Tensor, photo: Tensor, alpha: Tensor, weight: Tensor) -> None:
    """Where a pixel shows the person and what was behind, let the person's own colour stand for the photo's.

    Both colours are those around, corrected by what they do not explain of the pixel. All are (1, ·, H, W); `weight` is
    how far the photo's colours are part of what was composed.
    """
    deviation_px = COLOUR_REACH * min(alpha.shape[-2:])
    rows, columns = ((alpha > 0) & (alpha < 1))[0, 0].nonzero(as_tuple=True)
    around = torch.cat([_surrounding_colours(photo, share, deviation_px) for share in (alpha, 1 - alpha)], 1)
    person, behind = _sampled(around, rows, columns, alpha).chunk(2)
    share, seen = alpha[0, :, rows, columns], photo[0, :, rows, columns]
    own = (person + share * (seen - torch.lerp(behind, person, share))).clamp(0, 255)
    composed[0, :, rows, columns] += weight[0, :, rows, columns] * (own - seen)


def _behind(background: Background, photo: Tensor, alpha: Tensor) -> Tensor:
    """What is behind the person, broadcastable to (1, 3, H, W)."""
    if background.kind == "blur":
        return _enlarged(_surrounding_colours(photo, 1 - alpha, BLUR * min(alpha.shape[-2:])), alpha)
    if background.kind == "picture":
        return _covering(background, photo.shape[-1], photo.shape[-2])
    return torch.tensor(background.colour, dtype=torch.float32).reshape(1, 3, 1, 1)


def _surrounding_colours(photo: Tensor, share: Tensor, deviation_px: float) -> Tensor:
    """(1, 3, h, w), reduced: the mean colour around each pixel, each counting by its share; of all where none does.

    This is normalised convolution (Knutsson & Westin 1993).
    """
    step = _reduction(share)
    weighted = _reduced(torch.cat([photo * share, share], 1), step)
    total = _blurred(weighted, deviation_px / step) + LEAST_SHARE * weighted.mean((2, 3), keepdim=True)
    return total[:, :3] / total[:, 3:].clamp(min=1e-12)


def _reduction(layers: Tensor) -> int:
    return max(min(layers.shape[-2:]) // REDUCED_SIDE_PX, 1)


def _reduced(layers: Tensor, step: int) -> Tensor:
    return F.avg_pool2d(layers, step, ceil_mode=True, count_include_pad=False)


def _sampled(layers: Tensor, rows: Tensor, columns: Tensor, like: Tensor) -> Tensor:
    """(C, P): reduced layers at these pixels of the size of another one."""
    height, width = like.shape[-2:]
    places = torch.stack([(2 * columns + 1) / width - 1, (2 * rows + 1) / height - 1], -1)
    return F.grid_sample(layers, places[None, None], padding_mode="border", align_corners=False)[0, :, 0]


def _planes(pixels: Pixels) -> Tensor:
    """(H, W, 3) uint8 as (1, 3, H, W) float32 in 0..255."""
    return torch.tensor(pixels).permute(2, 0, 1)[None].contiguous().float()


def _layer(mask: Float) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(mask, np.float32))[None, None]


def _enlarged(layers: Tensor, like: Tensor) -> Tensor:
    """Layers that were reduced, at the size of another one."""
    return F.interpolate(layers, size=like.shape[-2:], mode="bilinear", align_corners=False)


def _blurred(layers: Tensor, deviation_px: float) -> Tensor:
    size = 2 * int(3 * deviation_px + 1) + 1
    blurred: Tensor = gaussian_blur2d(layers, (size, size), (deviation_px, deviation_px), border_type="constant")
    return blurred


@lru_cache(maxsize=1)
def _covering(background: Background, width_px: int, height_px: int) -> Tensor:
    """The middle of the background's picture, as large as covers the canvas: (1, 3, H, W)."""
    assert background.picture is not None
    fitted = ImageOps.fit(Image.fromarray(background.picture), (width_px, height_px), Image.Resampling.LANCZOS)
    return _planes(np.asarray(fitted))


def _read_picture(text: str) -> Pixels:
    try:
        return np.asarray(decode(Path(text).expanduser().read_bytes()).pixels)
    except FileNotFoundError:
        known = "keep, blur, white, black, a colour like #ffcc00, or a picture's file"
        raise UserError(f"background {text!r} is no colour and no file; use {known}") from None
    except (OSError, DecodeError) as error:
        reason = in_words(error) if isinstance(error, OSError) else error
        raise UserError(f"background {text}: the picture cannot be read: {reason}; choose another") from error
