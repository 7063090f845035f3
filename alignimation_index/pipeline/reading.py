"""Reading files ahead, and looking up what is to be done about what they hold."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field

from alignimation_index.errors import in_words
from alignimation_index.found_files import FoundFile
from alignimation_index.library.formats import readable_kinds
from alignimation_index.library.scan import content_hash, read_unchanged
from alignimation_index.pipeline.flow import MAX_READERS, batches, ordered_map
from alignimation_index.pipeline.profile import Profile
from alignimation_index.pipeline.results import known_results
from alignimation_index.pipeline.work import Work
from alignimation_index.store import faces, files, runs, tombstones
from alignimation_index.store.engine import Store

# Enough to keep the readers and the store busy, few enough that their bytes fit into memory.
FILES_AHEAD = 2 * MAX_READERS
FILES_PER_LOOKUP = 8

Files = list[tuple[int, FoundFile]]
"""Files by their id."""


@dataclass
class Item:
    """A new file, or a photo known before, on its way through an update.

    Attributes:
        photo_id: its photo's row; None for a new photo until it is written.
        content: (file id, content hash) of a new file that could be read.
        unreadable: reason by file id.
        work: what is to be computed; None for nothing.
    """

    photo_id: int | None = None
    content: tuple[int, str] | None = None
    unreadable: dict[int, str] = field(default_factory=dict)
    work: Work | None = None


@dataclass(frozen=True)
class _Read:
    """An item, and the file that was read for it."""

    item: Item
    path: str = ""
    data: bytes | None = None


class Reading:
    """Items in the order of what they are made from, with work for those that need any.

    Contents met before are remembered: a second file of a photo that is still on its way does not compute it again.
    """

    def __init__(self, store: Store, photo_keys: Mapping[str, str], profile: Profile, executor: Executor) -> None:
        self._store, self._photo_keys, self._profile, self._executor = store, photo_keys, profile, executor
        self._met: set[str] = set()

    def new_files(self, pending: Files) -> Iterator[Item]:
        """Files whose content is not known yet."""
        return self._looked_up(ordered_map(self._executor, self._read_new, pending, FILES_AHEAD))

    def known_photos(self, photo_ids: Collection[int]) -> Iterator[Item]:
        """Photos of which stale stages read the pixels; each from the first of its files that can be read."""
        with self._store.reading() as session:
            present = files.present_files(session, photo_ids, readable_kinds())
        photos = [(photo_id, present.get(photo_id, [])) for photo_id in photo_ids]
        return self._looked_up(ordered_map(self._executor, self._read_again, photos, FILES_AHEAD))

    def rows(self, photo_ids: Collection[int]) -> list[Item]:
        """Photos whose stale stages read only rows."""
        works = self._stale_works({photo_id: _Read(Item(), f"photo {photo_id}") for photo_id in photo_ids})
        return [Item(photo_id, work=works.get(photo_id)) for photo_id in photo_ids]

    def _read_new(self, file: tuple[int, FoundFile]) -> _Read:
        file_id, found = file
        try:
            data = self._read(found)
        except OSError as error:
            return _Read(Item(unreadable={file_id: in_words(error)}))
        with self._profile.measure("hash"):
            return _Read(Item(content=(file_id, content_hash(data))), found.path, data)

    def _read_again(self, photo: tuple[int, Files]) -> _Read:
        item = Item(photo[0])
        for file_id, found in photo[1]:
            try:
                return _Read(item, found.path, self._read(found))
            except OSError as error:
                item.unreadable[file_id] = in_words(error)
        return _Read(item)

    def _read(self, found: FoundFile) -> bytes:
        with self._profile.measure("read"):
            return read_unchanged(found)

    def _looked_up(self, reads: Iterator[_Read]) -> Iterator[Item]:
        for batch in batches(reads, FILES_PER_LOOKUP):
            with self._profile.measure("look up"):
                self._add_work([read for read in batch if read.data is not None])
            # Taken out one by one: while an item is on its way, its bytes are held by its work only.
            batch.reverse()
            while batch:
                yield batch.pop().item

    def _add_work(self, reads: list[_Read]) -> None:
        hashes = [read.item.content[1] for read in reads if read.item.content]
        with self._store.reading() as session:
            known = files.photo_ids(session, hashes)
            forgotten = tombstones.boxes_on(session, hashes)
        for read in reads:
            if read.item.content:
                read.item.photo_id = known.get(read.item.content[1])
        works = self._stale_works({read.item.photo_id: read for read in reads if read.item.photo_id is not None})
        for read in reads:
            if read.item.photo_id is not None:
                work = works.get(read.item.photo_id)
            else:
                work = Work(read.path, set(self._photo_keys), read.data)
                work.forgotten = forgotten.get(read.item.content[1]) if read.item.content else None
            if work and self._is_first(read.item):
                read.item.work = work

    def _is_first(self, item: Item) -> bool:
        """Whether no file of the same content came before; from now on one did."""
        if item.content is None:
            return True
        count = len(self._met)
        self._met.add(item.content[1])
        return len(self._met) > count

    def _stale_works(self, reads: Mapping[int, _Read]) -> dict[int, Work]:
        """Work for those known photos that have stale stages, by photo id."""
        if not reads:
            return {}
        with self._store.reading() as session:
            stale = runs.stale_stages(session, reads.keys(), self._photo_keys)
            unfinished = runs.unfinished_stages(session, reads.keys(), self._photo_keys)
            stored = faces.stored_faces(session, reads.keys())
            forgotten = tombstones.boxes_on_photos(session, reads.keys())
        return {
            photo_id: Work(
                read.path,
                stale[photo_id],
                read.data,
                known_results(stored[photo_id]),
                dict.fromkeys(unfinished[photo_id], ""),
                forgotten.get(photo_id),
            )
            for photo_id, read in reads.items()
            if stale[photo_id]
        }
