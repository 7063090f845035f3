"""Functions called in child processes: whatever a picture does to what reads it, this process goes on.

Where the system can, children are forked from a server that has imported what they need, so that they start at once and
share its memory. None outlives its parent.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple, ParamSpec, TypeVar, cast

from alignimation_index.errors import DecodeError, UserError, in_words

MEMORY_LIMIT_BYTES = 4 << 30
"""What a child may take beyond its size at the start and what it loads; the largest picture takes 2.5 GB."""

_READY = "ready"
_LARGE_BYTES = 1 << 16
_TIMED_OUT = 1  # the exit code with which faulthandler ends a process

P = ParamSpec("P")
T = TypeVar("T")


class ChildDiedError(DecodeError):
    """The child died at a call, or took too long for it."""


@dataclass(frozen=True)
class _ByItself:
    data: bytes

    def __reduce__(self) -> tuple[Any, ...]:
        return bytes, (pickle.PickleBuffer(self.data),)


def by_itself(data: bytes) -> bytes:
    """Data as an argument of a call, to which it would else be copied several times; it arrives as what it is here."""
    return cast("bytes", _ByItself(data))


class _Message(NamedTuple):
    """A value on its way: what lies in it as large buffers goes straight from where it is to where it will be."""

    pickled: bytes
    buffers: Sequence[memoryview | bytearray]

    @classmethod
    def of(cls, value: object) -> _Message:
        large: list[memoryview] = []

        def is_small(buffer: pickle.PickleBuffer) -> bool:
            view = buffer.raw()
            if view.nbytes >= _LARGE_BYTES:
                large.append(view)
            return view.nbytes < _LARGE_BYTES

        return cls(pickle.dumps(value, 5, buffer_callback=is_small), large)

    @property
    def value(self) -> Any:  # noqa: ANN401
        return pickle.loads(self.pickled, buffers=self.buffers)


@dataclass(frozen=True)
class _Channel:
    """Messages to another process and from it; EOFError or OSError where it is gone."""

    connection: Connection

    def send(self, message: _Message) -> None:
        self.connection.send((message.pickled, [len(buffer) for buffer in message.buffers]))
        for buffer in message.buffers:
            self._write(memoryview(buffer))

    def receive(self) -> _Message:
        pickled, sizes = self.connection.recv()
        return _Message(pickled, [self._read(size) for size in sizes])

    def _write(self, view: memoryview) -> None:
        if sys.platform == "win32":
            self.connection.send_bytes(view)
            return
        while view:
            view = view[os.write(self.connection.fileno(), view) :]

    def _read(self, size: int) -> bytearray:
        if sys.platform == "win32":
            return bytearray(self.connection.recv_bytes())
        # Into its place: Connection puts together what comes in small parts, which takes four times as long.
        buffer = bytearray(size)
        rest = memoryview(buffer)
        while rest:
            count = os.readv(self.connection.fileno(), [rest])
            if not count:
                raise EOFError
            rest = rest[count:]
        return buffer


@dataclass(frozen=True)
class _Child:
    process: BaseProcess
    channel: _Channel


class Children:
    """Child processes that answer calls, one for each thread that asks, started at first use.

    Safe to call from many threads; to be closed once they are through, and may be called again after that.
    """

    def __init__(self, imports: Callable[[], Sequence[str]] = tuple) -> None:
        """Prepare.

        Args:
            imports: names modules that the children need and that take long to import; asked once one is started.
        """
        self._imports = imports
        self._idle: list[_Child] = []

    def call(self, limit_s: float, function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        """What a function, known by its module and name, returns or raises in a child.

        Raises:
            ChildDiedError: the child died, or took longer than the limit.
            UserError: no child could be started.
        """
        with self._borrowed() as child:
            result = _ask(child, (limit_s, function, arguments, options))
        if isinstance(result, Exception):
            raise result
        return cast("T", result)

    def close(self) -> None:
        """End the children."""
        while self._idle:
            _end(self._idle.pop())

    @contextmanager
    def _borrowed(self) -> Iterator[_Child]:
        """A child for this thread; one with which anything went wrong is not used again."""
        child = self._take_idle() or _start(self._imports())
        try:
            yield child
        except BaseException:
            _end(child)
            raise
        self._idle.append(child)

    def _take_idle(self) -> _Child | None:
        """One that waits and is alive, so that no picture is blamed for what happened before it."""
        with suppress(IndexError):
            while True:
                child = self._idle.pop()
                if child.process.is_alive():
                    return child
                _end(child)
        return None


def _start(imports: Sequence[str]) -> _Child:
    # There is a child to a processor: threads of NumPy's for the others would wait in each for what is never enough for
    # them, and take a twentieth of the processors' time with it. It reads this when it is loaded there.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Forking this process would not do: it has threads.
    method = "forkserver" if sys.platform == "linux" else "spawn"
    context: Any = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload(["__main__", __name__, *imports, "alignimation_index.frozen"])
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    try:
        process.start()
    except OSError as error:
        raise UserError(f"Cannot start a process that reads photos: {in_words(error)}. Use fewer workers.") from error
    finally:
        theirs.close()
    child = _Child(process, _Channel(ours))
    try:
        child.channel.receive()
    except EOFError as error:
        raise UserError(f"Cannot start a process that reads photos: it {_end(child)}.") from error
    return child


def _ask(child: _Child, call: tuple[Any, ...]) -> object:
    try:
        child.channel.send(_Message.of(call))
        return cast("object", child.channel.receive().value)
    except (EOFError, OSError) as error:
        raise ChildDiedError(f"what reads it {_end(child)}") from error


def _end(child: _Child) -> str:
    """End a child, in whatever state; how it ended, in words."""
    child.channel.connection.close()
    # What ended by itself is given the time to say how.
    child.process.join(1)
    child.process.kill()
    child.process.join()
    code = child.process.exitcode or 0
    if code == _TIMED_OUT:
        return "took too long"
    with suppress(ValueError):
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def _serve(connection: Connection) -> None:
    """Answer calls until the parent is gone: what a child does."""
    # The parent decides what Ctrl-C ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Whatever a library prints must not end up among the parent's results.
    os.dup2(2, 1)
    _limit_memory()
    channel = _Channel(connection)
    with suppress(EOFError, OSError):
        channel.send(_Message.of(_READY))
        while True:
            _answer(channel)
    os._exit(0)  # at once: nothing here is left to be done


def _answer(channel: _Channel) -> None:
    call = channel.receive()
    try:
        limit_s, function, arguments, options = call.value
        limit_time(limit_s)
        reply = _Message.of(function(*arguments, **options))
    except Exception as error:
        reply = _Message.of(error)
    faulthandler.cancel_dump_traceback_later()
    channel.send(reply)


def limit_time(limit_s: float) -> None:
    """End this process in so many seconds, unless the call in hand has ended by then, or this is called again."""
    # Works while a library hangs, and when the parent is no longer there to look at the clock.
    faulthandler.dump_traceback_later(limit_s, exit=True, file=_nowhere())


@contextmanager
def loading() -> Iterator[None]:
    """What the block loads is there to stay, and does not count against the limit of this process's memory."""
    unlimit_memory()
    try:
        yield
    finally:
        _limit_memory()


@cache
def _nowhere() -> int:
    return os.open(os.devnull, os.O_WRONLY)


def _limit_memory() -> None:
    """Make of a picture that takes all there is a MemoryError, where the system has such a limit for a process."""
    if sys.platform != "linux":
        return
    import resource
    from pathlib import Path

    size_bytes = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size_bytes + MEMORY_LIMIT_BYTES, hard))


def unlimit_memory() -> None:
    """Let this process take what memory there is, as one does that works with a GPU's drivers."""
    if sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
