"""The contract of everything the catalog trains: what the trainer, the evaluation and the findings rely on.

B users in a batch, C candidates, U users, I items, N nodes, D dims.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from core.data.ranking import RankingData
from core.findings import Finding

_SCORES_AT_ONCE = 1 << 23
Encoding = TypeVar("Encoding")
Batch = TypeVar("Batch")


class Model(nn.Module, ABC):
    """Something that learned, can say what, and can show its embeddings."""

    device: torch.device = torch.device("cpu")

    def findings(self) -> tuple[Finding, ...]:
        """What the model learned, in eval mode, without gradient and noise. It knows no epochs."""
        return ()

    def embed(self) -> dict[str, Tensor]:
        """Embeddings by level, each [N, D]."""
        return {}

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Eval mode without gradients. Models that encode a graph do so once, on entry."""
        was_training = self.training
        self.eval()
        try:
            with torch.no_grad():
                yield
        finally:
            self.train(was_training)


class GraphModel(Model, Generic[Encoding]):
    """A model whose outputs come from one encode step over a graph, made once per evaluation."""

    _encoding: Encoding | None = None

    @abstractmethod
    def encode(self) -> Encoding:
        """Every intermediate the paper names, for all nodes."""

    def encoding(self) -> Encoding:
        """The encoding made on entering `evaluating`, or a fresh one outside of it."""
        return self.encode() if self._encoding is None else self._encoding

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        with super().evaluating():
            nested = self._encoding is not None
            self._encoding = self.encoding()
            try:
                yield
            finally:
                if not nested:
                    self._encoding = None


class Ranker(Model):
    """A model that scores items for users; higher is better."""

    num_items: int

    @abstractmethod
    def score(self, users_B: Tensor) -> Tensor:
        """Scores of every item under the target behaviour, [B] -> [B, I]."""

    def score_items(self, users_B: Tensor, items_BC: Tensor) -> Tensor:
        """Scores of given candidates, [B], [B, C] -> [B, C]. Override where scoring every item would waste work."""
        size = max(1, _SCORES_AT_ONCE // self.num_items)
        pieces = zip(users_B.split(size), items_BC.split(size))
        return torch.cat([self.score(users).gather(1, items) for users, items in pieces])


class GraphRanker(GraphModel[Encoding], Ranker):
    """A ranker whose scores come from one encode step over a graph."""


class Trainable(Generic[Batch]):
    """Mixed into models trained by gradient."""

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        """Set what depends on the epoch (1-based) before its batches are drawn."""

    @abstractmethod
    def batches(self, generator: torch.Generator) -> Iterator[Batch]:
        """One epoch's batches. All randomness comes from `generator`, which lives on the model's device."""

    @abstractmethod
    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Named scalar losses, already weighted; the trainer sums them."""

    def probes(self, batch: Batch) -> tuple[Finding, ...]:
        """Findings that need gradients or a batch, such as the conflict between tasks."""
        return ()


class Fitted(Ranker):
    """A ranker in closed form: `fit` replaces training; there are no epochs and no losses."""

    @abstractmethod
    def fit(self, data: RankingData) -> None:
        """Compute the model's buffers from the training pairs."""


def sampled(count: int, most: int, seed: int = 0) -> Tensor:
    """At most `most` distinct positions of 0..count-1, in rising order, the same on every call."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randperm(count, generator=generator)[:most].sort().values
