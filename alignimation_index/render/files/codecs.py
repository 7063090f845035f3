"""Which formats a film can have, and what ffmpeg has to be told for each."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from functools import lru_cache

import imageio_ffmpeg

from alignimation_index.errors import UserError

FASTSTART = ("-movflags", "+faststart")


@dataclass(frozen=True, slots=True)
class Codec:
    """One way to encode pictures.

    Attributes:
        encoder: ffmpeg's name.
        arguments: what it is told.
        pixels: ffmpeg's name of the pixel format; "" where the filter decides.
        pixels_with_alpha: likewise for pictures with alpha; None where there can be none.
        filters: what pictures go through; {pixels} is one of the two above.
    """

    encoder: str
    arguments: tuple[str, ...]
    pixels: str = "yuv420p"
    pixels_with_alpha: str | None = None
    # Players take HD video for BT.709 whatever it says, so it is converted to that and says so.
    filters: str = (
        "scale=out_color_matrix=bt709:out_range=tv,format={pixels},setparams=color_primaries=bt709:color_trc=bt709"
    )


CODECS = {
    "h264": Codec("libx264", ("-crf", "18", *FASTSTART)),
    # Players of Apple's know H.265 by this tag only.
    "h265": Codec("libx265", ("-crf", "20", "-tag:v", "hvc1", "-x265-params", "log-level=error", *FASTSTART)),
    "av1": Codec("libsvtav1", ("-crf", "28", "-preset", "8", "-svtav1-params", "tune=0", *FASTSTART)),
    "vp9": Codec(
        "libvpx-vp9",
        ("-crf", "22", "-b:v", "0", "-row-mt", "1", "-deadline", "good", "-cpu-used", "4", "-auto-alt-ref", "0"),
        pixels_with_alpha="yuva420p",
    ),
    "prores": Codec(
        "prores_ks",
        ("-vendor", "apl0", "-profile:v", "{profile}"),
        pixels="yuv422p10le",
        pixels_with_alpha="yuva444p10le",
    ),
    # A palette of each frame's own: one for all would need every frame in memory first, and twenty years of light have
    # no colours in common.
    "gif": Codec(
        "gif",
        ("-loop", "0"),
        filters="split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1:dither=sierra2_4a",
        pixels_with_alpha="",
    ),
    "webp": Codec("libwebp_anim", ("-quality", "85", "-loop", "0"), pixels_with_alpha="", filters="null"),
}

CONTAINERS = {
    ".mp4": ("h264", "h265", "av1"),
    ".mov": ("prores", "h264", "h265"),
    ".webm": ("vp9", "av1"),
    ".gif": ("gif",),
    ".webp": ("webp",),
}
"""By suffix, the codecs that may be in it, the usual one first."""


def codec_of(suffix: str, name: str | None) -> Codec:
    """The codec that a film of this suffix has, the usual one where none is named.

    Raises:
        UserError: it cannot be in such a file, or the ffmpeg here has no encoder for it.
    """
    possible = CONTAINERS[suffix]
    if name is not None and name not in possible:
        fitting = ", ".join(suffix for suffix, names in CONTAINERS.items() if name in names)
        raise UserError(f"--codec {name} does not go into a {suffix} file (it takes {', '.join(possible)}): {fitting}")
    codec = CODECS[name or possible[0]]
    if codec.encoder not in _encoders():
        others = [other for other in possible if CODECS[other].encoder in _encoders()]
        raise UserError(
            f"The ffmpeg here ({ffmpeg()}) has no encoder {codec.encoder}. "
            f"{'Use --codec ' + ' or '.join(others) if others else 'Choose another format'}, "
            f"or set IMAGEIO_FFMPEG_EXE to an ffmpeg that has it."
        )
    return codec


def ffmpeg() -> str:
    """The program.

    Raises:
        UserError: there is none.
    """
    try:
        program: str = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise UserError("ffmpeg is missing; install it, or reinstall the package imageio-ffmpeg") from error
    return program


def arguments_of(codec: Codec, has_alpha: bool) -> list[str]:
    """What ffmpeg is told between the pictures and the file.

    Raises:
        UserError: the pictures have alpha, and the codec has none.
    """
    if has_alpha and codec.pixels_with_alpha is None:
        raise UserError(
            f"{codec.encoder} cannot keep what is transparent; use .webm, .mov, .gif, .webp, or a folder of PNG frames"
        )
    pixels = codec.pixels_with_alpha if has_alpha else codec.pixels
    profile = "4444" if has_alpha else "hq"
    filters = codec.filters.format(pixels=pixels)
    return ["-lavfi", filters, "-codec:v", codec.encoder, *(one.format(profile=profile) for one in codec.arguments)]


@lru_cache(maxsize=1)
def _encoders() -> frozenset[str]:
    command = [ffmpeg(), "-hide_banner", "-encoders"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL).stdout
    return frozenset(re.findall(r"^ [VAS][A-Z.]{5} (\S+)", listed, re.MULTILINE))
