"""Packed tables on disk, mapped part by part: a sequence of ItemTables for the solver."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from pipeline.core.item import ItemTables


@dataclass(frozen=True)
class Spool:
    """Parts written once and mapped on every access, so that only touched pages take memory."""

    folder: Path
    n_parts: int

    @classmethod
    def write(cls, folder: Path, parts: Iterable[ItemTables]) -> "Spool":
        """Write the parts as they come; one at a time is in memory."""
        n_parts = 0
        for part in parts:
            at = folder / f"{n_parts:05d}"
            at.mkdir(parents=True, exist_ok=True)
            for field in fields(ItemTables):
                np.save(at / f"{field.name}.npy", getattr(part, field.name))
            n_parts += 1
        return cls(folder, n_parts)

    def __len__(self) -> int:
        return self.n_parts

    def __getitem__(self, index: int, /) -> ItemTables:
        at = self.folder / f"{index:05d}"
        mapped = {
            field.name: np.asarray(np.load(at / f"{field.name}.npy", mmap_mode="c"))
            for field in fields(ItemTables)
        }
        return ItemTables(**mapped)
