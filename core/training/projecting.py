"""Making two-dimensional maps of embeddings, by principal components or UMAP.

N nodes, D dims.
"""

import logging
import warnings

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from core.errors import RelScopeError, RunError
from core.files import DAMAGED_ARCHIVE, write_json, write_with
from core.locks import locked
from core.runs.folder import RunFolder
from core.runs.projections import Method, levels, projection_file

_SEED = 0
_NEIGHBORS = 15
_COMPONENTS = 50  # UMAP looks for neighbours among so many principal components
log = logging.getLogger("relscope")


def project(run: RunFolder, level: str, method: Method) -> None:
    """Make and store the map of `level`, if nobody else is at it. Raises RunError where there are no embeddings; whatever
    hinders it is also left beside the map, for the page."""
    path = projection_file(run, level, method)
    with locked(path.with_suffix(".lock")) as mine:
        if not mine:
            return
        try:
            write_map(run, level, method, stored_embeddings(run, level))
        except Exception as error:  # whatever it is, the page must hear of it
            told = str(error) if isinstance(error, RelScopeError) else f"{type(error).__name__}: {error}"
            write_json(path.with_suffix(".json"), {"message": told})
            raise
        path.with_suffix(".json").unlink(missing_ok=True)


def write_map(run: RunFolder, level: str, method: Method, rows_ND: NDArray[np.float32]) -> None:
    """Store the map of given embeddings."""
    made = principal_components(rows_ND) if method == "pca" else neighbor_map(rows_ND)
    table = pd.DataFrame({"node": np.arange(len(made), dtype=np.int32), "x": made[:, 0], "y": made[:, 1]})
    write_with(projection_file(run, level, method), table.to_parquet)


def stored_embeddings(run: RunFolder, level: str) -> NDArray[np.float32]:
    """The embeddings of `level`, [N, D]. Raises RunError if they are missing or damaged."""
    if level not in levels(run):
        have = ", ".join(levels(run)) or "none"
        raise RunError(f"run {run.run_id!r} has no embeddings {level!r}; it has: {have}")
    path = run.embeddings / f"{level}.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            rows: NDArray[np.float32] = stored["values"].astype(np.float32)
            return rows
    except DAMAGED_ARCHIVE as error:
        raise RunError(f"{path}: cannot be read ({error}); resume or repeat the run") from error


def principal_components(rows_ND: NDArray[np.float32]) -> NDArray[np.float32]:
    """The two directions along which nodes differ most, [N, 2]; zeros where there are fewer."""
    count = min(2, *rows_ND.shape)
    with np.errstate(invalid="ignore", divide="ignore"):  # equal rows have no variance to divide by
        made = PCA(count, random_state=_SEED).fit_transform(rows_ND)
    return np.pad(made, ((0, 0), (0, 2 - count))).astype(np.float32)


def neighbor_map(rows_ND: NDArray[np.float32]) -> NDArray[np.float32]:
    """UMAP (McInnes et al. 2018) with 15 neighbours by cosine, from a fixed seed, [N, 2]."""
    if len(rows_ND) <= _NEIGHBORS:
        raise RunError(
            f"a UMAP needs more than {_NEIGHBORS} nodes, these are {len(rows_ND)}; look at the principal components"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numba's and umap's notes on threads and seeds
        import umap

        rows_ND = rows_ND / np.maximum(np.linalg.norm(rows_ND, axis=1, keepdims=True), 1e-12)
        if rows_ND.shape[1] > _COMPONENTS < len(rows_ND):
            rows_ND = PCA(_COMPONENTS, random_state=_SEED).fit_transform(rows_ND)
        made = umap.UMAP(n_neighbors=_NEIGHBORS, metric="cosine", random_state=_SEED, n_jobs=1).fit_transform(
            rows_ND
        )
    return np.asarray(made, dtype=np.float32)
