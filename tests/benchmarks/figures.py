"""What a benchmark ends with: its figures as a table, and as JSON where that is asked for."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


def parser(description: str | None) -> argparse.ArgumentParser:
    """Arguments of a benchmark, `--json OUT` among them."""
    arguments = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--json", type=Path, dest="json_out")
    return arguments


def show(result: Mapping[str, Any], json_out: Path | None) -> None:
    """Print figures by name, those of groups one by one, and write them to the file if there is one."""
    table = Table("figure", "value")
    for name, value in result.items():
        for part, figure in value.items() if isinstance(value, dict) else [("", value)]:
            table.add_row(f"{name} {part}".strip(), str(figure))
    Console().print(table)
    if json_out:
        json_out.write_text(json.dumps(result, indent=1))
