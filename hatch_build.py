"""What a wheel carries beside the packages: the folders that a project starts with.

An editable installation finds them in the checkout, and copies nothing.
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHIPPED = ("configs", "dags", "data/sample", "docker-compose.yml", "constraints.txt")


class ShippedFiles(BuildHookInterface):
    """Put the project's folders under pipeline/shipped (pipeline/project.py reads them there)."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before each build; `version` is "editable" or "standard"."""
        if version != "editable":
            for name in SHIPPED:
                build_data["force_include"][f"{self.root}/{name}"] = f"pipeline/shipped/{name}"
