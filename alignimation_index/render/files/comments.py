"""Saying in a GIF or WebP file what it is, which ffmpeg does not."""

from __future__ import annotations

import struct
from pathlib import Path
from xml.sax.saxutils import escape

_GIF_END = b"\x3b"
_XMP_FLAG = 0x04


def add_comment(path: Path, title: str, comment: str) -> None:
    """Put a title and a comment into a GIF (a comment extension) or a WebP (XMP); other files are left as they are.

    Raises:
        OSError: it cannot be written.
    """
    if path.suffix.lower() == ".gif":
        _add_to_gif(path, f"{title}\n{comment}".strip())
    if path.suffix.lower() == ".webp":
        _add_to_webp(path, title, comment)


def _add_to_gif(path: Path, text: str) -> None:
    """GIF89a, section 24: 21 FE, blocks of up to 255 bytes each after its length, 0; before the trailer."""
    data = text.encode()
    blocks = (data[start : start + 255] for start in range(0, len(data), 255))
    extension = b"\x21\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"
    with path.open("rb+") as file:
        file.seek(-1, 2)
        if file.read(1) == _GIF_END:
            file.seek(-1, 2)
            file.write(extension + _GIF_END)


def _add_to_webp(path: Path, title: str, comment: str) -> None:
    """WebP container specification: the chunk XMP comes last, and a flag in VP8X says that it is there."""
    xmp = _XMP.format(title=escape(title), comment=escape(comment)).encode()
    chunk = b"XMP " + struct.pack("<I", len(xmp)) + xmp + b"\0" * (len(xmp) % 2)
    with path.open("rb+") as file:
        head = bytearray(file.read(21))
        if head[12:16] != b"VP8X":
            return
        size = file.seek(0, 2)
        file.write(chunk)
        head[4:8] = struct.pack("<I", size + len(chunk) - 8)
        head[20] |= _XMP_FLAG
        file.seek(0)
        file.write(head)


_XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/">\
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>\
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{comment}</rdf:li></rdf:Alt></dc:description>\
</rdf:Description></rdf:RDF></x:xmpmeta>"""
