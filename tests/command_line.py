"""The command line on a folder of real photos, in this process."""

from __future__ import annotations

import csv
import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from alignimation_index.cli import run

DATE_TIME_ORIGINAL = 0x9003
EXIF_IFD = 0x8769


@dataclass
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def rows(self):
        return list(csv.DictReader(io.StringIO(self.out)))


@dataclass
class Library:
    """A folder of photos and the store that knows it."""

    photos: Path
    store: Path

    def run(self, *arguments):
        """Run the command line on this store, in this process."""
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
        with redirect_stdout(out), redirect_stderr(err):
            code = run(["--store", str(self.store), *map(str, arguments)])
        return Outcome(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))

    def path(self, year):
        return self.photos / f"{year}.jpg"


def save_dated(image, path, year):
    exif = Image.Exif()
    exif.get_ifd(EXIF_IFD)[DATE_TIME_ORIGINAL] = f"{year}:06:15 12:30:00"
    image.save(path, quality=95, exif=exif)
