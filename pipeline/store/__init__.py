"""The only code that reads or writes artifacts: <root>/<as_of>/<table>/, local or object store.

partitions.py  publishing and reading whole partitions     arrow.py    tables as files hold them
night.py       what a stage sees of a business date        lineage.py  made from what; is it whole
locks.py       one writer of a business date at a time     faults.py   disks and servers that fail
memory.py      a night in memory, for simulations
"""

from pipeline.store.lineage import mark_whole, not_whole, stale_inputs
from pipeline.store.locks import holding
from pipeline.store.memory import Held, MemoryNight
from pipeline.store.night import Night, Source, code_version
from pipeline.store.partitions import MANIFEST, Store

__all__ = [
    "MANIFEST", "Held", "MemoryNight", "Night", "Source", "Store", "code_version", "holding",
    "mark_whole", "not_whole", "stale_inputs",
]  # fmt: skip
