"""The folders of a Google Photos export: which are the same one, and what their localised names mean."""

from __future__ import annotations

import os
import re
import unicodedata
from functools import lru_cache
from typing import Literal

FolderKind = Literal["year", "trash", "archive", "locked", "failed", "untitled", "album"]

_SPECIAL_FOLDERS: dict[FolderKind, str] = {
    "trash": "trash|bin|corbeille|cestino|kosz|koš|kôš|kuka|lixeira|lixo|papelera|paperera|papierkorb|papirkurv"
    "|papperskorg|prullenbak|roskakori|çöp kutusu|корзина|кошик|кошче|ゴミ箱|回收站|垃圾桶|휴지통",
    "archive": "archive|archief|archiv|archiver|archivieren|archiveren|archivio|archivo|archiwum|archív|archívum"
    "|arkisto|arkiv|arquivo|arşiv|arxiu|архив|архів|アーカイブ|归档|档案|封存|보관함",
    "locked": "locked folder|carpeta bloqueada|carpeta privada|cartella bloccata|cartella privata|dossier verrouillé"
    "|gesperrter ordner|pasta trancada|vergrendelde map|личная папка|ロックされたフォルダ|已锁定的文件夹|잠긴 폴더",
    "failed": "failed videos|fehlgeschlagene videos|mislukte video_s|video non riusciti|vidéos ayant échoué"
    "|vídeos com falha|vídeos fallidos",
    "untitled": "untitled|bez názvu|bez tytułu|naamloos|namnlös|ohne titel|sans titre|sem título|senza titolo"
    "|sense títol|sin título|unbenannt|uten tittel|без заглавие|без назви|без названия|無題|无标题|제목 없음",
}
_KINDS = {name: kind for kind, names in _SPECIAL_FOLDERS.items() for name in names.split("|")}

_YEAR_FOLDER = re.compile(
    r"(?:photos from|fotos von|photos de|fotos del?|foto d(?:a|el)|foto_s (?:van|uit)|foton från|bilder (?:från|fra)"
    r"|billeder fra|zdjęcia z|fot(?:ky|ografie) z(?: roku)?|фото(?:графии)? за|снимки от) (YEAR)(?: г\.| год)?"
    r"|(YEAR) ?(?:年の写真|年的照片|年的相片|년의? 사진)"
    r"|(YEAR)-\d\d-\d\d(?: #\d+)?".replace("YEAR", r"(?:18|19|20)\d\d"),
    re.ASCII,
)
"""In many languages; last, the folder of a day in exports before 2020."""


_ALBUM_METADATA = frozenset(
    "metadados|metadades|metadane|metadata|metadate|metadaten|metadati|metadatos|metadáta|metagegevens|metatiedot"  # noqa: SIM905
    "|métadonnées|метаданные|метаданни|метадані|メタデータ|元数据|中繼資料|메타데이터".split("|")
)
_ALBUM_METADATA_NAME = re.compile(r"(.+?)(?:\(\d+\))?\.json", re.ASCII)

_COUNTER = re.compile(r" ?\(\d+\)$", re.ASCII)
_EXPORT_PART = re.compile(r"(takeout-\d{8}T\d{6}Z(?:-\d+)?)-\d{3,}(?: ?\(\d+\))?(?:\.(?:zip|tgz|tar\.gz)!)?", re.ASCII)
"""`takeout-DATE-PART` or `takeout-DATE-N-PART`, unpacked or not, perhaps downloaded twice."""


def export_folder(path: str) -> str:
    """Name the folder of a file, the same in all the parts over which Google spreads one export.

    Args:
        path: of a file, or of an archive's member as `archive.zip!/member`.

    Returns:
        The folder in NFC, with `/` between its names and without the part numbers of exports. Their time stamps stay,
        and so does every other name, so that no two exports become one.
    """
    *folders, _ = unicodedata.normalize("NFC", path.replace(os.sep, "/")).split("/")
    parts = [(folder, _EXPORT_PART.fullmatch(folder)) for folder in folders]
    return "/".join(part[1] if part else folder for folder, part in parts)


def folder_of(path: str) -> str:
    """`export_folder`, several times as fast where many paths lie in few folders."""
    return _export_folder(os.path.dirname(path))  # noqa: PTH120 - on every new file


@lru_cache(maxsize=1000)
def _export_folder(folder: str) -> str:
    return export_folder(os.path.join(folder, ""))  # noqa: PTH118


def folder_kind(name: str) -> FolderKind:
    """What a folder of an export holds, by its base name in any of the known languages; "album" for all others."""
    if year_of_folder(name) is not None:
        return "year"
    plain = _plain(name)
    # An album that somebody called "Archive" becomes "Archive(1)".
    is_untitled = _KINDS.get(_COUNTER.sub("", plain)) == "untitled"
    return "untitled" if is_untitled else _KINDS.get(plain, "album")


def year_of_folder(name: str) -> int | None:
    """The year of the folder in which Google files photos by date, like `Photos from 2015`; None for any other."""
    match = _YEAR_FOLDER.fullmatch(_plain(name))
    return int(next(filter(None, match.groups()))) if match else None


def is_album_metadata(name: str) -> bool:
    """Whether a base name is that of the file that describes an album, like `metadata.json`, in a known language."""
    match = _ALBUM_METADATA_NAME.fullmatch(_plain(name))
    return match is not None and match[1] in _ALBUM_METADATA


def _plain(name: str) -> str:
    """A name as the tables above spell it: NFC, lower case, a typographic or plain apostrophe as Google writes it."""
    return re.sub("[’']", "_", unicodedata.normalize("NFC", name).lower().strip())
