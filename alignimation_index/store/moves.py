"""Files that vanished: which of them stand elsewhere now, and which were the last to hold their photos."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from alignimation_index.store import descriptions
from alignimation_index.store.bulk import delete_rows, update_rows
from alignimation_index.store.tables import File

_NS_PER_S = 10**9


def follow_moved(session: Session, vanished: Collection[int]) -> set[int]:
    """Let new files that are vanished ones under another path hold their photos, unread.

    The same file has size, modification time and inode (of a member, CRC-32) in common with the one that vanished,
    and its name as well. In the same folder the name may differ if the time is finer than a second: inodes are used
    again, and files from a camera may have their time to the second, but a new file does not have an old one's time to
    the nanosecond. Whatever is not recognised here is by its content, once it has been read.

    Args:
        session: of the transaction to write in.
        vanished: ids of files that are not where they were.

    Returns:
        Those of `vanished` that moved; their rows are gone.
    """
    at_hand = File.missing_since_utc.is_(None) & File.error.is_(None)
    columns: tuple[Any, ...] = (File.id, File.path, File.size, File.mtime_ns, File.inode, File.photo_id)
    before: dict[tuple[int, ...], list[Row[Any]]] = defaultdict(list)
    new = []
    for file in session.execute(select(*columns).where(at_hand).order_by(File.path)):
        if file.id in vanished and file.photo_id is not None:
            before[file.size, file.mtime_ns, file.inode].append(file)
        elif file.id not in vanished and file.photo_id is None and file.inode:  # 0: the file system has no inodes
            new.append(file)
    moved: dict[int, Row[Any]] = {}
    for file in new:
        was = _same_file(file, before.get((file.size, file.mtime_ns, file.inode), []))
        if was is not None:
            moved[file.id] = was
            before[file.size, file.mtime_ns, file.inode].remove(was)
    descriptions.outdate(session, {was.photo_id for was in moved.values()})
    delete_rows(session, File, [was.id for was in moved.values()])
    update_rows(session, File, {id_: {"photo_id": was.photo_id} for id_, was in moved.items()})
    return {was.id for was in moved.values()}


def last_holders(session: Session, vanished: Collection[int]) -> set[int]:
    """Those of the vanished files whose photos no other file at hand holds."""
    at_hand = File.missing_since_utc.is_(None) & File.photo_id.is_not(None)
    files = session.execute(select(File.id, File.photo_id).where(at_hand)).all()
    held = {photo_id for id_, photo_id in files if id_ not in vanished}
    return {id_ for id_, photo_id in files if id_ in vanished and photo_id not in held}


def _same_file(new: Row[Any], candidates: Sequence[Row[Any]]) -> Row[Any] | None:
    """The vanished file that a new one of its size, time and inode is; None where that is not certain."""
    folder, name = os.path.split(new.path)
    fine_time = new.mtime_ns % _NS_PER_S != 0
    alike = []
    for was in candidates:
        folder_before, name_before = os.path.split(was.path)
        if name_before == name or (fine_time and folder_before == folder):
            alike.append(was)
    return alike[0] if len({was.photo_id for was in alike}) == 1 else None
