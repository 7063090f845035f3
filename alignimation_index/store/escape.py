"""File names as text that SQLite can hold.

A lone surrogate stands for a byte that is not UTF-8 (PEP 383); SQLite's text cannot hold one, so its 128 values move to
private-use code points that no file system's names contain in practice.
"""

from __future__ import annotations

_SURROGATE, _PRIVATE = 0xDC80, 0x10FF00
_ESCAPE = {_SURROGATE + i: _PRIVATE + i for i in range(128)}
_UNESCAPE = {private: surrogate for surrogate, private in _ESCAPE.items()}


def escape(path: str) -> str:
    """A file name from `os.fsdecode` as text without surrogates."""
    return path if path.isascii() else path.translate(_ESCAPE)


def unescape(text: str) -> str:
    """Undo `escape`."""
    return text if text.isascii() else text.translate(_UNESCAPE)
