"""How Google Photos names the files of an export: limits, counters, edited copies."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Collection
from itertools import accumulate

SIDECAR_UNITS = 46
"""UTF-16 units that Google keeps of a sidecar's name, before counter and `.json`."""
MEDIA_UNITS = 47
"""UTF-16 units that Google keeps of the stem of a photo's or video's name, before counter and extension."""

EDITED = frozenset(
    "bearbeitet|bewerkt|diedit|düzenlendi|editada|editado|editat|edited|edytowane|ha editado|modificato"  # noqa: SIM905
    "|modifié|muokattu|redigerad|redigeret|redigert|szerkesztett|upravené|upraveno|відредаговано|изменено"
    "|отредактировано|已編輯|已编辑|编辑|編集済み|편집됨".split("|")
)
"""What stands behind the `-` of an edited copy, in the languages that are known, lower case."""
CREATIONS = frozenset({"animation", "collage", "effects", "mix", "motion", "smile"})
"""What stands behind the `-` of what Google itself made from photos, in lower case."""

_COUNTER = re.compile(r"\(\d+\)\Z", re.ASCII)
_FORBIDDEN = re.compile(r"""[\\/:*?"'<>|%&\x00-\x1f]""")


def is_edited(name: str) -> str | None:
    """The original's stem, with its counter, if a media name is that of an edited copy; None otherwise.

    A suffix that Google's limit cut off is recognised by its first two letters.
    """
    stem, counter, _ = split_name(nfc(name))
    original = original_stem(stem, EDITED, least_letters=2)
    return None if original is None else original + counter


def is_creation(name: str) -> bool:
    """Whether a media name is that of what Google made from photos: a collage, an animation, an effect."""
    stem, _, _ = split_name(nfc(name))
    return original_stem(stem, CREATIONS, least_letters=2) is not None


def original_stem(stem: str, suffixes: Collection[str], least_letters: int) -> str | None:
    """What stands before `-` and one of `suffixes`, or its first letters where the limit cut it off; None without.

    Args:
        stem: of a media name in NFC, without its counter.
        suffixes: EDITED or CREATIONS.
        least_letters: how much must be left of a suffix that was cut off.
    """
    original, _, rest = stem.rpartition("-")
    rest = rest.casefold()
    is_cut_off = utf16_units(stem) >= MEDIA_UNITS and len(rest) >= least_letters
    if original and (rest in suffixes or (is_cut_off and any(suffix.startswith(rest) for suffix in suffixes))):
        return original
    return None


def split_name(name: str) -> tuple[str, str, str]:
    """Stem, counter like `(1)` and extension with its dot of a media name, each may be empty."""
    stem, dot, extension = name.rpartition(".")
    if not dot or "(" in extension or ")" in extension:
        return *split_counter(name), ""
    return *split_counter(stem), dot + extension


def split_counter(stem: str) -> tuple[str, str]:
    """A stem without the counter at its end, and that counter, which may be empty."""
    match = _COUNTER.search(stem)
    return (stem[: match.start()], match[0]) if match else (stem, "")


def media_name(title: str) -> str:
    """The name of the photo or video that was the first to be uploaded with a title."""
    stem, counter, extension = split_name(nfc(_FORBIDDEN.sub("_", title)))
    return clipped(stem + counter, MEDIA_UNITS)[0] + extension


def clipped(text: str, limit: int) -> list[str]:
    """What a limit in UTF-16 units can have left of a text in NFC, the likeliest first.

    Where the limit falls inside a character, Google keeps that character in the names of media; nobody knows about
    sidecars. It counts what was uploaded, and that may have been NFD.
    """
    if text.isascii():
        return [text[:limit]]
    cuts = []
    for form in dict.fromkeys((text, unicodedata.normalize("NFD", text))):
        ends = list(accumulate(1 + (character > "\uffff") for character in form))
        cuts += [form[: bisect_left(ends, limit) + 1], form[: bisect_right(ends, limit)]]
    return [nfc(cut) for cut in dict.fromkeys(cuts)]


def utf16_units(text: str) -> int:
    """The length of a text in UTF-16 code units."""
    return len(text) + sum(character > "\uffff" for character in text)


def nfc(name: str) -> str:
    """A name in NFC, whichever way the file system wrote its accents."""
    return unicodedata.normalize("NFC", name)
