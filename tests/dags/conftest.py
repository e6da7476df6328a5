"""Airflow reads its settings when first imported: give it a folder of its own before that."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_HOME = Path(tempfile.gettempdir()) / f"echelon-airflow-{os.getpid()}"
os.environ.setdefault("AIRFLOW_HOME", str(_HOME))
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
os.environ.setdefault("AIRFLOW__CORE__UNIT_TEST_MODE", "True")
