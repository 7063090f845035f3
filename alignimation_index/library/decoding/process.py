"""Reading pictures in processes of their own."""

from __future__ import annotations

from threading import Lock

from alignimation_index.children import Children, by_itself
from alignimation_index.datatypes import DecodedPhoto
from alignimation_index.library.decoding.decode import TooLargeToShareError, decode
from alignimation_index.library.metadata import PhotoFacts, read_facts

TIME_LIMIT_S, TIME_LIMIT_S_PER_MB = 60.0, 2.0


class Decoders:
    """What reads pictures in child processes, safe to call from many threads.

    Attributes:
        at_once: how many each of these decodes side by side.
    """

    at_once = 1

    def __init__(self, children: Children) -> None:
        self._children = children
        self._large_one = Lock()

    def decode(self, data: bytes, min_side_px: int | None = None) -> DecodedPhoto:
        """`decode`, one large picture at a time; that the child died or took too long is a DecodeError, too."""
        try:
            return self._children.call(time_limit_s(data), decode, by_itself(data), min_side_px, is_alone=False)
        except TooLargeToShareError:
            with self._large_one:
                return self._children.call(time_limit_s(data), decode, by_itself(data), min_side_px)

    def read_facts(self, data: bytes) -> PhotoFacts:
        """`read_facts`; that the child died or took too long is a DecodeError, too."""
        return self._children.call(time_limit_s(data), read_facts, by_itself(data))


def time_limit_s(data: bytes) -> float:
    """How long reading a picture may take, in seconds."""
    return TIME_LIMIT_S + TIME_LIMIT_S_PER_MB * len(data) / 1e6
