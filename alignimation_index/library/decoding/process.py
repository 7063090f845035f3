"""Reading pictures in processes of their own: whatever a picture does to its decoder, the run goes on.

A call is pickled to the standard input of a child, its result or exception comes back on the standard output. A child
ends with its input, so none outlives its parent.
"""

from __future__ import annotations

import faulthandler
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import IO, Any, ParamSpec, TypeVar, cast

from alignimation_index.datatypes import DecodedPhoto
from alignimation_index.errors import DecodeError, UserError, in_words
from alignimation_index.library.decoding.decode import TooLargeToShareError, decode
from alignimation_index.library.metadata import PhotoFacts, read_facts

TIME_LIMIT_S, TIME_LIMIT_S_PER_MB = 60.0, 2.0
MEMORY_LIMIT_BYTES = 4 << 30
"""What a child may take beyond its size at the start; MAX_PIXELS with transparency take 2.5 GB unless reduced."""

# The modules are found where this process found its own, and never in the current folder.
_CHILD = "import sys; sys.path[:] = sys.argv[1:]; from alignimation_index.library.decoding.process import main; main()"
_READY = b"."

P = ParamSpec("P")
T = TypeVar("T")


class Decoders:
    """Child processes that read pictures, one for each thread that is at it, started at first use.

    Safe to call from many threads; to be closed once they are through.
    """

    def __init__(self, time_limit_s: float = TIME_LIMIT_S) -> None:
        self._time_limit_s = time_limit_s
        self._idle: list[subprocess.Popen[bytes]] = []
        self._large_one = Lock()

    def decode(self, data: bytes, min_side_px: int | None = None) -> DecodedPhoto:
        """`decode`, one large picture at a time; that the child died or took too long is a DecodeError, too."""
        try:
            return self.call(self._limit_s(data), decode, data, min_side_px, is_alone=False)
        except TooLargeToShareError:
            with self._large_one:
                return self.call(self._limit_s(data), decode, data, min_side_px)

    def read_facts(self, data: bytes) -> PhotoFacts:
        """`read_facts`; that the child died or took too long is a DecodeError, too."""
        return self.call(self._limit_s(data), read_facts, data)

    def call(self, limit_s: float, function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        """What a function, known by its module and name, returns or raises in a child.

        Raises:
            DecodeError: the child died, or took longer than the limit.
            UserError: no child could be started.
        """
        with self._borrowed() as child:
            result = _ask(child, limit_s, (function, arguments, options))
        if isinstance(result, Exception):
            raise result
        return cast("T", result)

    def close(self) -> None:
        """End the children."""
        while self._idle:
            _end(self._idle.pop())

    def _limit_s(self, data: bytes) -> float:
        return self._time_limit_s + TIME_LIMIT_S_PER_MB * len(data) / 1e6

    @contextmanager
    def _borrowed(self) -> Iterator[subprocess.Popen[bytes]]:
        """A child for this thread; one with which anything went wrong is not used again."""
        child = self._take_idle() or _start()
        try:
            yield child
        except BaseException:
            _end(child)
            raise
        self._idle.append(child)

    def _take_idle(self) -> subprocess.Popen[bytes] | None:
        """One that waits and is alive, so that no picture is blamed for what happened before it."""
        with suppress(IndexError):
            while True:
                child = self._idle.pop()
                if child.poll() is None:
                    return child
                _end(child)
        return None


def _start() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", _CHILD, *sys.path]
    try:
        # In a session of its own, Ctrl-C does not reach it: the parent decides what ends.
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    except OSError as error:
        raise UserError(f"Cannot start a process that decodes photos: {in_words(error)}. Use fewer workers.") from error
    if _pipe(child.stdout).read(len(_READY)) != _READY:
        _end(child)
        raise UserError(f"Cannot start a process that decodes photos: it ended with {_how_it_ended(child)}.")
    return child


def _ask(child: subprocess.Popen[bytes], limit_s: float, call: tuple[Any, ...]) -> object:
    started = time.monotonic()
    try:
        _send((limit_s, call), _pipe(child.stdin))
        return pickle.load(_pipe(child.stdout))
    except (EOFError, BrokenPipeError, pickle.UnpicklingError) as error:
        took_s = time.monotonic() - started
        _end(child)
        if took_s >= limit_s:
            raise DecodeError(f"decoding took longer than {limit_s:.0f} s") from error
        raise DecodeError(f"the decoder died ({_how_it_ended(child)})") from error


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    return cast("IO[bytes]", stream)  # Popen makes what it is asked to


def _send(value: object, stream: IO[bytes]) -> None:
    pickle.dump(value, stream, protocol=5)  # the first that writes arrays as they are
    stream.flush()


def _end(child: subprocess.Popen[bytes]) -> None:
    # Its pipe may hold a part of a call that it did not live to read.
    with suppress(BrokenPipeError), child:
        child.kill()


def _how_it_ended(child: subprocess.Popen[bytes]) -> str:
    if child.returncode < 0:
        with suppress(ValueError):
            return signal.Signals(-child.returncode).name
    return f"exit code {child.returncode}"


def main() -> None:
    """Answer calls until the standard input ends: what a child does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Whatever a library prints must not end up among the results.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    _limit_memory()
    replies.write(_READY)
    replies.flush()
    with suppress(EOFError, BrokenPipeError):
        while True:
            _answer(sys.stdin.buffer, replies, nowhere)
    os._exit(0)  # at once: the parent is gone, and nothing here is left to be done


def _answer(calls: IO[bytes], replies: IO[bytes], nowhere: int) -> None:
    limit_s, (function, arguments, options) = pickle.load(calls)
    # Works while a library hangs, and when the parent is no longer there to look at the clock.
    faulthandler.dump_traceback_later(limit_s, exit=True, file=nowhere)
    result = _result(function, arguments, options)
    faulthandler.cancel_dump_traceback_later()
    _send(result, replies)


def _result(function: Callable[..., object], arguments: tuple[Any, ...], options: dict[str, Any]) -> object:
    try:
        return function(*arguments, **options)
    except Exception as error:
        return error


def _limit_memory() -> None:
    """Make of a picture that takes all there is a MemoryError, where the system has such a limit for a process."""
    if sys.platform != "linux":
        return
    import resource
    from pathlib import Path

    size_bytes = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size_bytes + MEMORY_LIMIT_BYTES,) * 2)
