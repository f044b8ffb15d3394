"""The interactions of a data set as sparse matrices: what a recommender trains on and is tested on.

Shapes: U users, I items.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from core.data.dataset import Dataset
from core.data.info import SPLITS
from core.data.noise import added_pairs
from core.errors import DataError
from core.protocol import FitOn


@dataclass(frozen=True, eq=False)
class RankingData:
    """Every matrix is [U, I] float32 of ones with sorted indices and no duplicates.

    train: per behaviour, in funnel order, what the model may train on (`fit_on` applied).
    valid: pairs of the target that select epochs; empty under `train+valid` or where the data set has none.
    test: pairs of the target that are scored once.
    cache: folder for what is made of these matrices once and for all, under names that hold `key`; None keeps nothing.
    added: per auxiliary behaviour the random pairs among its training pairs, empty without `auxiliary_noise`; for
    evaluation only, no model reads it. auxiliary_noise, noise_seed: how they were drawn.
    features: modality -> [I, D] float32, read from disk as they are used. trained_negatives: negative items are drawn
    among those with training pairs of the target alone. pretrained: item embeddings [I, D] of a parent run, for systems
    that build on one.
    """

    name: str
    content_hash: str
    behaviors: tuple[str, ...]
    train: dict[str, csr_array]
    valid: csr_array
    test: csr_array
    fit_on: FitOn
    cache: Path | None = None
    added: dict[str, csr_array] = field(default_factory=dict)
    auxiliary_noise: float = 0.0
    noise_seed: int = 0
    features: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    trained_negatives: bool = False
    pretrained: NDArray[np.float32] | None = None

    @property
    def num_users(self) -> int:
        return int(self.test.shape[0])

    @property
    def num_items(self) -> int:
        return int(self.test.shape[1])

    @property
    def target(self) -> str:
        """The behaviour to recommend."""
        return self.behaviors[-1]

    @property
    def key(self) -> str:
        """Names the training matrices: equal keys, equal matrices."""
        noise = f"-noise{self.auxiliary_noise!r}-s{self.noise_seed}" if self.auxiliary_noise else ""
        return f"{self.content_hash}-{self.fit_on.replace('+', '-')}{noise}"

    def negative_pool(self) -> NDArray[np.int64] | None:
        """The items that negatives are drawn from, in rising order; None for all."""
        return np.flatnonzero(self.popularity()) if self.trained_negatives else None

    def popularity(self) -> NDArray[np.int64]:
        """Training pairs of the target per item, [I]."""
        return np.bincount(self.train[self.target].indices, minlength=self.num_items).astype(np.int64)

    def union(self) -> csr_array:
        """Pairs that a user trained under any behaviour, [U, I]."""
        total = self.train[self.target].copy()
        for behavior in self.behaviors[:-1]:
            total = total + self.train[behavior]
        return _ones(csr_array(total))

    def held_out(self) -> csr_array:
        """Pairs to measure on without training on them: `valid` where it has any, else `test`."""
        return self.valid if self.valid.nnz else self.test

    def valid_pairs_masked(self) -> csr_array:
        """Pairs that the `full` protocol hides when testing: the target's training and validation pairs, [U, I].

        Under `train+valid` the validation pairs are training pairs, so the answer does not depend on `fit_on`.
        """
        return _ones(self.train[self.target] + self.valid)


def ranking_data(
    dataset: Dataset,
    fit_on: FitOn = "train",
    *,
    auxiliary_noise: float = 0.0,
    noise_seed: int = 0,
    trained_negatives: bool = False,
) -> RankingData:
    """The matrices of `dataset`; under `train+valid` the target's validation pairs join its training pairs.

    auxiliary_noise: random pairs that join each auxiliary behaviour's training pairs, as a share of these. They are drawn
    from pairs that the user has under that behaviour in no split, and that are no validation or test pair of the target,
    whatever `fit_on`: a user is about to choose those items, so such a pair would be a hint at the answer and no noise.
    Raises DataError if the target has no training pair or no test pair, or if the noise cannot be drawn.
    """
    info = dataset.info
    frame = dataset.interactions()
    shape = (info.num_users, info.num_items)
    target = info.behaviors[-1]

    def pairs(behavior: str, *splits: str) -> csr_array:
        rows = frame[(frame["behavior"] == behavior) & frame["split"].isin(splits)]
        return pair_matrix(rows, shape)

    fitted = ("train", "valid") if fit_on == "train+valid" else ("train",)
    train = {b: pairs(b, *fitted) if b == target else pairs(b, "train") for b in info.behaviors}
    added = {}
    if auxiliary_noise:
        held_out = pairs(target, "valid", "test")
        taken = {b: _ones(pairs(b, *SPLITS) + held_out) for b in info.behaviors[:-1]}
        added = added_pairs(info.name, train, taken, auxiliary_noise, noise_seed)
        train |= {b: _ones(train[b] + more) for b, more in added.items()}
    data = RankingData(
        name=info.name,
        content_hash=info.content_hash,
        behaviors=info.behaviors,
        train=train,
        valid=pairs(target, "valid") if fit_on == "train" else pair_matrix(frame[:0], shape),
        test=pairs(target, "test"),
        fit_on=fit_on,
        cache=dataset.folder.parent.parent / "cache",
        added=added,
        auxiliary_noise=auxiliary_noise,
        noise_seed=noise_seed if auxiliary_noise else 0,
        features={modality: dataset.features(modality, mapped=True) for modality in info.modalities},
        trained_negatives=trained_negatives,
    )
    if not data.train[target].nnz:
        raise DataError(
            f"data set {info.name!r}: no training pair of the target {target!r}; import it with --split last or random"
        )
    if not data.test.nnz:
        raise DataError(
            f"data set {info.name!r}: no test pair of the target {target!r}; import it with --split last or random"
        )
    return data


def pair_matrix(rows: pd.DataFrame, shape: tuple[int, int]) -> csr_array:
    """The distinct (user, item) pairs of `rows` as float32 ones, [U, I]."""
    users, items = rows["user"].to_numpy(), rows["item"].to_numpy()
    return _ones(coo_array((np.ones(len(rows), np.float32), (users, items)), shape=shape).tocsr())


def _ones(matrix: csr_array) -> csr_array:
    matrix.sum_duplicates()
    matrix.sort_indices()
    matrix.data = np.ones(matrix.nnz, np.float32)
    return matrix
