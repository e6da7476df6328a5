"""What a processor may change in a figure: named in manifests, and rounded off at stage borders."""

from __future__ import annotations

import os
import platform
from functools import cache

import numpy as np
from numpy.typing import NDArray

SIGNIFICANT_DIGITS = 12
_POWERS = np.array([float(f"1e{k}") for k in range(23)])  # exact in float64


@cache
def platform_names() -> dict[str, str]:
    """Machine, C library, NumPy's vector instructions, BLAS kernel and Numba's target by name."""
    from llvmlite.binding import get_host_cpu_name  # noqa: PLC0415  # slow to load
    from threadpoolctl import threadpool_info  # noqa: PLC0415  # as above

    features = np.show_config(mode="dicts")["SIMD Extensions"]
    kernels = sorted(
        f"{lib['internal_api']} {lib['version']} {lib.get('architecture', '')}".strip()
        for lib in threadpool_info()
        if lib["user_api"] == "blas" and "numpy" in lib["filepath"]
    )
    return {
        "machine": platform.machine(),
        "system": " ".join((platform.system(), *platform.libc_ver())).strip(),
        "numpy": " ".join((np.__version__, *features.get("found", ()))),
        "blas": ", ".join(kernels),
        "numba": os.environ.get("NUMBA_CPU_NAME") or get_host_cpu_name(),
    }


def significant(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values to SIGNIFICANT_DIGITS digits, and no finer than 1e-22.

    Decimals of so many digits stay the same number (a price of 9.99 is 9.99), and what ought to be
    one but for rounding becomes it, so that no later stage's threshold sees the difference.
    """
    if not len(values) or (values == np.rint(values)).all():
        return values
    size = np.abs(values)
    is_small = (size > 0) & (size < 1e12)  # not NaN, not infinite
    digits = np.floor(np.log10(size, out=np.zeros_like(size), where=is_small)).astype(np.int64)
    scale = _POWERS[np.clip(SIGNIFICANT_DIGITS - 1 - digits, 0, len(_POWERS) - 1)]
    return np.where(is_small, np.rint(np.where(is_small, values, 0.0) * scale) / scale, values)
