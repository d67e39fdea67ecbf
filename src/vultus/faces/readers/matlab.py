"""Variables of a Matlab file: version 5 to 7 by SciPy, version 7.3 (which is HDF5) by h5py where it is installed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.io import loadmat


def load(path: Path, *names: str) -> list[npt.NDArray[Any]]:
    """The named variables, in this order; cells of text as [N] str, numbers in Matlab's own shape.

    Raises OSError where there is no file, ValueError for a damaged one, a missing variable, or a version 7.3
    file without h5py.
    """
    with path.open("rb") as file:
        head = file.read(128)
    newer = b"MATLAB 7.3" in head or head.startswith(b"\x89HDF")
    found = _hdf5(path, names) if newer else _classic(path, names)
    missing = [name for name in names if name not in found]
    if missing:
        raise ValueError(f"{path.name} has no variable {', '.join(missing)}")
    return [found[name] for name in names]


def _classic(path: Path, names: tuple[str, ...]) -> dict[str, npt.NDArray[Any]]:
    try:
        variables = loadmat(path, variable_names=names)
    except Exception as error:  # a broken file can raise anything out of its parser
        raise ValueError(f"{path.name} cannot be read: {error}") from error
    return {name: _plain(np.asarray(variables[name])) for name in names if name in variables}


def _plain(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if values.dtype != object:
        return values
    return np.array([str(np.asarray(one).ravel()[0]) if np.size(one) else "" for one in values.ravel()], np.str_)


def _hdf5(path: Path, names: tuple[str, ...]) -> dict[str, npt.NDArray[Any]]:
    try:
        import h5py
    except ImportError as error:
        raise ValueError(
            f"{path.name} is a Matlab file of version 7.3, which needs h5py: pip install h5py; or save it again "
            "in Matlab by save('-v7', …)"
        ) from error
    try:
        with h5py.File(path) as file:
            return {name: _variable(file, file[name]) for name in names if name in file}
    except Exception as error:
        raise ValueError(f"{path.name} cannot be read: {error}") from error


def _variable(file: Any, stored: Any) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = np.asarray(stored[()]).T  # HDF5 keeps Matlab's columns as rows
    if values.dtype != object:
        return values
    return np.array(list(_texts(file, values)), np.str_)


def _texts(file: Any, cell: npt.NDArray[Any]) -> Iterator[str]:
    for one in cell.ravel():  # each a reference to an array of UTF-16 numbers
        yield "".join(map(chr, np.asarray(file[one][()]).ravel().tolist()))
