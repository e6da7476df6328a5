"""How the kernels of single items are compiled: without reference counts of arrays.

Each view of an array, a row of a scratch table handed on, costs two atomic operations otherwise: a
quarter of an item's time. In return such a kernel allocates nothing: scratch comes from its caller,
arrays are copied in loops.
"""

from typing import Any

from numpy.typing import NDArray

from pipeline.kernels import njit

_OPTIONS: dict[str, Any] = {"nogil": True, "cache": True, "_nrt": False}
bare: Any = njit(**_OPTIONS)


@bare
def copy(source: NDArray[Any], target: NDArray[Any]) -> None:
    """Fill the first places of target [n or more] with source [n]."""
    for i in range(len(source)):
        target[i] = source[i]
