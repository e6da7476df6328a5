"""Echelon plans the inventory of a warehouse network every night: forecast, buy, place.

Map: `stages` lists the stages and the tables between them; `runner` runs them for a business
date; `store` reads and publishes tables; `contracts` defines every column, table and setting;
`core` is the mathematics; each stage has a package of its own name. Start at `runner.run_night`.
"""

import os
import sys

_LOCATORS = "pipeline.kernels.Given,pipeline.kernels.Beside,pipeline.kernels.OfUser"
os.environ.setdefault("NUMBA_CACHE_LOCATOR_CLASSES", _LOCATORS)
if "numba" in sys.modules:  # it has read the environment already
    sys.modules["numba"].config.CACHE_LOCATOR_CLASSES = os.environ["NUMBA_CACHE_LOCATOR_CLASSES"]
