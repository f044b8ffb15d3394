"""What rankers trained with BPR on the target's pairs share: tables, batches, loss, and scores by inner product.

U users, I items, D dims, P pairs in a batch, C candidates.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from core.catalog.pairwise import PairwiseConfig
from core.data.ranking import RankingData
from core.models.base import Encoding, GraphRanker, Trainable
from core.ops.graphs import Sides
from core.ops.losses import bpr, squared_norm
from core.ops.samplers import PairSampler, shuffled_batches


class Triples(NamedTuple):
    """Embeddings of a batch's users and of its positive and negative items, [P, D] each."""

    user: Tensor
    positive: Tensor
    negative: Tensor


@dataclass(frozen=True, eq=False)
class PairBatch:
    """Users with one item they touched and one they did not, [P] each. noise: seed of the step's dropout."""

    users: Tensor
    positive: Tensor
    negative: Tensor
    noise: int = 0


def rows_of(batch: PairBatch, table: Sides) -> Triples:
    """The rows of a batch's users and items."""
    return Triples(
        table.user.index_select(0, batch.users),
        table.item.index_select(0, batch.positive),
        table.item.index_select(0, batch.negative),
    )


def ranked(rows: Triples) -> Tensor:
    """BPR of a batch's inner products."""
    return bpr((rows.user * rows.positive).sum(-1), (rows.user * rows.negative).sum(-1))


class InnerProductRanker(GraphRanker[Encoding], Trainable[PairBatch]):
    """score(u, i) = e_u . e_i with e out of an encoding of any form, trained with BPR over the target's training pairs.

    Departs from papers that penalise whole tables: the squared norm is taken over the initial embeddings of the batch,
    divided by its size and by 2, as LightGCN's released code does.
    """

    def __init__(
        self,
        config: PairwiseConfig,
        data: RankingData,
        device: torch.device,
        fill: Callable[[Tensor], Any] = nn.init.xavier_uniform_,
    ) -> None:
        super().__init__()
        self.config, self.device = config, device
        self.num_users, self.num_items = data.num_users, data.num_items
        self.user_embedding = nn.Parameter(torch.empty(data.num_users, config.dim))
        self.item_embedding = nn.Parameter(torch.empty(data.num_items, config.dim))
        for table in (self.user_embedding, self.item_embedding):
            fill(table)
        self._sampler = PairSampler(data.train[data.target], device, data.negative_pool())
        pairs = data.train[data.target].tocoo()
        users, items = (torch.from_numpy(side).long().to(device) for side in (pairs.row, pairs.col))
        usable = self._sampler.untouched[users] > 0  # a user who touched everything has no negative item
        self._users, self._items = users[usable], items[usable]

    @abstractmethod
    def output(self, encoding: Encoding) -> Sides:
        """The embeddings that score, of all users [U, D] and items [I, D]."""

    def score(self, users_B: Tensor) -> Tensor:
        final = self.output(self.encoding())
        return final.user[users_B] @ final.item.t()

    def score_items(self, users_B: Tensor, items_BC: Tensor) -> Tensor:
        final = self.output(self.encoding())
        return torch.einsum("bd,bcd->bc", final.user[users_B], final.item[items_BC])

    def batches(self, generator: torch.Generator) -> Iterator[PairBatch]:
        """Every training pair of the target once, in random order, each with one negative.

        Pairs of users who touched every item are left out, since there is no negative for them.
        """
        for pairs in shuffled_batches(self._users.numel(), self.config.batch_size, generator, self.device):
            users = self._users[pairs]
            yield PairBatch(users, self._items[pairs], self._sampler.negatives(users, generator))

    def triples(self, batch: PairBatch) -> Triples:
        """What `losses` scores. Override where encoding all nodes would waste work, or where training is noisy."""
        return rows_of(batch, self.output(self.encode()))

    def losses(self, batch: PairBatch) -> dict[str, Tensor]:
        initial = rows_of(batch, Sides(self.user_embedding, self.item_embedding))
        norm = squared_norm(initial) / (2 * batch.users.numel()) + self.weight_norm()
        return {"bpr": ranked(self.triples(batch)), "l2": self.config.l2 * norm}

    def weight_norm(self) -> Tensor:
        """What the penalty adds for parameters other than embeddings."""
        return self.user_embedding.new_zeros(())


class PairwiseRanker(InnerProductRanker[Sides]):
    """An `InnerProductRanker` whose encoding holds nothing but the embeddings that score."""

    @abstractmethod
    def encode(self) -> Sides:
        """Embeddings of all users [U, D] and items [I, D], without noise."""

    def output(self, encoding: Sides) -> Sides:
        return encoding

    def embed(self) -> dict[str, Tensor]:
        """Initial embeddings and those that score, users above items: each [U + I, D]."""
        with self.evaluating():
            initial = torch.cat([self.user_embedding, self.item_embedding]).detach()
            return {"initial": initial, "final": torch.cat(self.encoding()).detach()}


def with_noise(batches: Iterator[PairBatch], generator: torch.Generator) -> Iterator[PairBatch]:
    """`batches`, each with a seed of its own for what is random in its step."""
    for batch in batches:
        noise = torch.randint(2**62, (), generator=generator, device=generator.device)
        yield replace(batch, noise=int(noise))


class NoisyPairwiseRanker(PairwiseRanker):
    """A `PairwiseRanker` that trains under dropout: every batch carries the seed of its noise."""

    @abstractmethod
    def noisy_rows(self, users_B: Tensor, items_C: Tensor, noise: torch.Generator) -> Sides:
        """Embeddings of the given distinct users [B, D] and items [C, D] under dropout."""

    def batches(self, generator: torch.Generator) -> Iterator[PairBatch]:
        return with_noise(super().batches(generator), generator)

    def triples(self, batch: PairBatch) -> Triples:
        """The batch's embeddings under its noise; each node is computed once, however often it occurs."""
        noise = torch.Generator(self.device).manual_seed(batch.noise)
        users, user_place = batch.users.unique(return_inverse=True)
        items, item_place = torch.cat([batch.positive, batch.negative]).unique(return_inverse=True)
        rows = self.noisy_rows(users, items, noise)
        positive, negative = item_place.split(batch.users.numel())
        return Triples(
            rows.user.index_select(0, user_place),
            rows.item.index_select(0, positive),
            rows.item.index_select(0, negative),
        )
