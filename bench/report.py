"""What was found: shown as it comes, and kept for the files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.tables import Table


@dataclass
class Report:
    """The tables, and every figure behind them."""

    data: dict[str, Any] = field(default_factory=dict)
    shown: list[Table] = field(default_factory=list)

    def show(self, *found: Table) -> None:
        """Print tables and keep them."""
        for table in found:
            print(table.text(), flush=True)
        self.shown += found

    def write(self, json_file: Path | None, markdown_file: Path | None) -> None:
        """Write the files that were asked for."""
        if json_file:
            json_file.write_text(json.dumps(self.data, indent=1) + "\n", encoding="utf-8")
        if markdown_file:
            body = "\n".join(table.markdown() for table in self.shown)
            markdown_file.write_text(f"# Benchmark\n\n{body}", encoding="utf-8")
