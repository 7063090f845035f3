"""Who watches a store: a lock that ends with its process, and beside it what that process says of itself.

Both are files, so that a store that is locked, or a disk with no room for it, does not silence the watch.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from alignimation_index.errors import UserError

HEARTBEAT_S = 60
# Two heartbeats may be missed by a machine that is busy.
SILENT_AFTER_S = 3 * HEARTBEAT_S


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


@dataclass
class WatchRecord:
    """What a watching process says of itself.

    Attributes:
        pid: its process; None once it has ended in good order.
        host: the machine that it runs on.
        started: when it began.
        heartbeat: when it last said so.
        modes: how each root is watched: "inotify", "events", "polling" or "missing".
        last_error: what last went wrong; None if nothing did.
        last_error_at: when that was.
    """

    pid: int | None = field(default_factory=os.getpid)
    host: str = field(default_factory=socket.gethostname)
    started: str = field(default_factory=_now)
    heartbeat: str = field(default_factory=_now)
    modes: dict[str, str] = field(default_factory=dict)
    last_error: str | None = None
    last_error_at: str | None = None

    def fail(self, reason: str) -> None:
        """Note what went wrong."""
        self.last_error, self.last_error_at = reason, _now()

    def heartbeat_age_s(self) -> int:
        """Seconds since the last heartbeat."""
        return max(0, round((datetime.now().astimezone() - datetime.fromisoformat(self.heartbeat)).total_seconds()))

    def is_running(self) -> bool:
        """Whether that process is at work, as far as can be told from here."""
        if self.pid is None or self.heartbeat_age_s() > SILENT_AFTER_S:
            return False
        return self.host != socket.gethostname() or _is_alive(self.pid)


class Heartbeat:
    """Writes a record beside the store every HEARTBEAT_S, and when there is news."""

    def __init__(self, store: Path, record: WatchRecord) -> None:
        self.record = record
        self._path = _record_path(store)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self.beat()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def beat(self) -> None:
        """Write the record now, readable by its owner only; complete or not at all."""
        unfinished = self._path.with_suffix(".part")
        with self._lock, suppress(OSError):  # a full disk must not end the watch
            self.record.heartbeat = _now()
            with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123 - a descriptor
                json.dump(asdict(self.record), file)
            unfinished.replace(self._path)

    def end(self) -> None:
        """Note that the watch has ended in good order."""
        self._ended.set()
        self._thread.join()
        self.record.pid = None
        self.beat()

    def _run(self) -> None:
        while not self._ended.wait(HEARTBEAT_S):
            self.beat()


@contextmanager
def watching(store: Path) -> Iterator[Heartbeat]:
    """Be the one who watches a store, for as long as the block runs or the process lives.

    Raises:
        UserError: another process watches it.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(f"{store}.watch.lock", mode=0o600)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise UserError(_refusal(store)) from None
    before = read_record(store) or WatchRecord()
    heartbeat = Heartbeat(store, WatchRecord(last_error=before.last_error, last_error_at=before.last_error_at))
    try:
        yield heartbeat
    finally:
        heartbeat.end()
        lock.release()


def read_record(store: Path) -> WatchRecord | None:
    """What the process that watches a store, or did last, says of itself; None if there never was one."""
    try:
        said: dict[str, Any] = json.loads(_record_path(store).read_text("utf-8"))
        return WatchRecord(**said)
    except (OSError, ValueError, TypeError):
        return None


def _record_path(store: Path) -> Path:
    return store.with_name(f"{store.name}.watch.json")


def _refusal(store: Path) -> str:
    record = read_record(store)
    if record is None or record.pid is None:
        return f"The store {store} is being watched by another process. End that one first."
    return (
        f"The store {store} is being watched by process {record.pid} on {record.host} since {record.started}. "
        f"End that one first: kill {record.pid}"
    )


def _is_alive(pid: int) -> bool:
    if os.name != "posix":  # where signal 0 would end it
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
