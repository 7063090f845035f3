import gc
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the server that children are forked from")

SMAPS = """\
55d0a0000000-55d0a0002000 r--p 00000000 fd:00 123 /usr/bin/python
Rss: 8 kB
Anonymous: 0 kB
55d0a0002000-55d0a0004000 r--p 00002000 fd:00 123 /usr/bin/python
Anonymous: 4 kB
55d0a0004000-55d0a0006000 r-xp 00004000 fd:00 123 /usr/lib/name with: blanks.so
Anonymous: 0 kB
55d0a0006000-55d0a0008000 rw-p 00006000 fd:00 123 /usr/bin/python
Anonymous: 0 kB
55d0a0008000-55d0a000a000 r--p 00000000 00:00 0
Anonymous: 0 kB
55d0a000a000-55d0a000c000 r--s 00000000 fd:00 124 /usr/share/shared
Anonymous: 0 kB
"""

LOAD_AND_FREEZE = """
import re
from pathlib import Path
import numpy, PIL.Image
held = lambda: int(re.search(r"RssFile:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before = held()
import alignimation_index.frozen
after = held()
assert after < before / 2, (before, after)
assert numpy.linalg.inv(numpy.eye(3) * 2)[1, 1] == 0.5
"""


def test_only_what_is_as_in_its_file_and_cannot_be_written_is_let_go():
    from alignimation_index.frozen import unwritten_mappings

    gc.unfreeze()  # what importing it did to this process

    found = [(hex(start), hex(end)) for start, end in unwritten_mappings(SMAPS)]
    assert found == [("0x55d0a0000000", "0x55d0a0002000"), ("0x55d0a0004000", "0x55d0a0006000")]


def test_pages_of_libraries_are_let_go_and_come_back_where_they_are_needed():
    subprocess.run([sys.executable, "-c", LOAD_AND_FREEZE], check=True)
