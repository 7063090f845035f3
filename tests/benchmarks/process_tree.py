"""What a process and those below it take, on Linux: memory that they share is counted once."""

from __future__ import annotations

import os
import subprocess
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

INTERVAL_S = 0.2


def processes(top: int) -> list[int]:
    """A process and all below it."""
    children = defaultdict(list)
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            children[int((entry / "stat").read_text().rpartition(")")[2].split()[1])].append(int(entry.name))
    found = [top]
    for process in found:
        found += children[process]
    return found


def memory_mib(top: int) -> int:
    """MiB that the processes hold now: the sum of their proportional shares."""
    total = 0
    for process in processes(top):
        with suppress(OSError, StopIteration):
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
            total += int(next(line for line in lines if line.startswith("Pss:")).split()[1])
    return total // 1024


def cpu_s() -> float:
    """Seconds that this process and those below it, as far as they live, have computed for."""
    total = 0
    for process in processes(os.getpid()):
        with suppress(OSError):
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def peak_mib(command: Sequence[str]) -> int:
    """Run a command to its end; the most memory that it took, of what was seen each INTERVAL_S."""
    peak, started = 0, subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while started.poll() is None:
        peak = max(peak, memory_mib(started.pid))
        time.sleep(INTERVAL_S)
    if started.returncode:
        raise subprocess.CalledProcessError(started.returncode, command)
    return peak
