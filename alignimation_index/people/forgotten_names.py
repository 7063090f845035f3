"""Names that are not to be read again, known by salted digests only.

A salt keeps the same name from having the same digest in two libraries. It does not keep a name secret from somebody
who has the store and guesses the name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from alignimation_index.people.answers import folded

# Languages that write no spaces have words of one character here.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
LONGEST_NAME_WORDS = 8


@dataclass(frozen=True)
class ForgottenNames:
    """Some names, by `digest` with this salt."""

    salt: str = ""
    digests: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.digests)

    def __contains__(self, name: str) -> bool:
        return bool(self.digests) and digest(name, self.salt) in self.digests

    def are_in(self, text: str) -> bool:
        """Whether a text mentions one of them, as whole words."""
        if not self.digests:
            return False
        words = _words(text)
        return any(
            _digest(" ".join(words[start:end]), self.salt) in self.digests
            for start in range(len(words))
            for end in range(start + 1, min(start + LONGEST_NAME_WORDS, len(words)) + 1)
        )


def digest(name: str, salt: str) -> str:
    """Of a name, however it is spelled in letter case, accents, spaces and punctuation: 64 hexadecimal digits."""
    return _digest(" ".join(_words(name)) or folded(name), salt)


def digests(names: Iterable[str], salt: str) -> frozenset[str]:
    """Of each name."""
    return frozenset(digest(name, salt) for name in names)


def _words(text: str) -> list[str]:
    return _WORD.findall(folded(text))


def _digest(words: str, salt: str) -> str:
    return hashlib.blake2b(words.encode("utf-8", "surrogatepass"), key=salt.encode(), digest_size=32).hexdigest()
