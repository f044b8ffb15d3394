"""CIGF: the encoder CIGCN, a prediction head, BPR per behaviour, and what the trained model says about itself.

U users, I items, B users in a batch, P drawn pairs, K behaviours, D dims.
Source: Guo et al., Compressed Interaction Graph based Framework for Multi-behavior Recommendation, WWW 2023, and the
TensorFlow code released with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.catalog.cigf import CIGFConfig
from core.data.ranking import RankingData
from core.findings import Finding
from core.models.base import GraphRanker, Trainable
from core.models.cigcn import CIGCN, PerBehavior
from core.models.cigf_findings import CIGFFindings
from core.models.conflict import gradient_conflict
from core.models.heads import HEADS
from core.ops.graphs import Rows, Sides, bipartite
from core.ops.losses import bpr, squared_norm
from core.ops.samplers import PairSampler, TaskPairs, shuffled_batches, task_pairs

_FLOATS_AT_ONCE = 1 << 25


@dataclass(frozen=True, eq=False)
class CIGFBatch:
    """users: [B]. items: the rows that `tasks` point into; None means all of them."""

    users: Tensor
    items: Tensor | None
    tasks: tuple[TaskPairs, ...]


class CIGF(GraphRanker[Sides], Trainable[CIGFBatch]):
    """One representation per node and start behaviour (CIGCN), one score per behaviour (head), trained with Eq. 17.

    Departs: embeddings are Xavier-initialised per table as the paper says; the squared norm covers whole embedding tables
    and the weights of attention, gate, experts and tower, neither biases nor aggregator weights, as released.
    """

    def __init__(self, config: CIGFConfig, data: RankingData, device: torch.device) -> None:
        super().__init__()
        self.config, self.data, self.device = config, data, device
        self.num_users, self.num_items = data.num_users, data.num_items
        self.user_embedding = _table(data.num_users, config.dim)
        self.item_embedding = _table(data.num_items, config.dim)
        graphs = tuple(bipartite(data.train[b], config.normalization).to(device) for b in data.behaviors)
        self.encoder = (CIGCN if config.encoder == "cigcn" else PerBehavior)(config, graphs)
        self.head = HEADS[config.head](config, data.behaviors)
        pool = data.negative_pool()
        self._samplers = [PairSampler(data.train[b], device, pool) for b in data.behaviors]
        self._stories = CIGFFindings(config, data)
        self.to(device)

    @property
    def target(self) -> int:
        return len(self.data.behaviors) - 1

    @property
    def initial(self) -> Sides:
        return Sides(self.user_embedding, self.item_embedding)

    def encode(self) -> Sides:
        """e* of Eq. 13 for all users [U, K, D] and items [I, K, D]."""
        representations: Sides = self.encoder(self.initial)
        return representations

    def score(self, users_B: Tensor) -> Tensor:
        encoding = self.encoding()
        return self.head.score_all(self.target, encoding.user[users_B], encoding.item)

    def score_items(self, users_B: Tensor, items_BC: Tensor) -> Tensor:
        encoding = self.encoding()
        owners, items = users_B.repeat_interleave(items_BC.shape[1]), items_BC.flatten()
        size = max(1, _FLOATS_AT_ONCE // encoding.item[0].numel())
        pairs = zip(owners.split(size), items.split(size))
        scores = [self.head(self.target, encoding.user[u], encoding.item[i]) for u, i in pairs]
        return torch.cat(scores).view_as(items_BC)

    def batches(self, generator: torch.Generator) -> Iterator[CIGFBatch]:
        """`users_per_epoch` random users in batches; per behaviour up to `positives_per_user` pairs of each."""
        order = torch.randperm(self.num_users, generator=generator, device=self.device)[
            : self.config.users_per_epoch
        ]
        for positions in shuffled_batches(order.numel(), self.config.batch_users, generator, self.device):
            yield self._drawn(order[positions], generator)

    def losses(self, batch: CIGFBatch) -> dict[str, Tensor]:
        return self.task_losses(batch) | {"l2": self.config.l2 * squared_norm(self.decayed())}

    def task_losses(self, batch: CIGFBatch) -> dict[str, Tensor]:
        """BPR of every task (first term of Eq. 17), mean over the task's pairs."""
        rows = self.encoder(self.initial, Rows(batch.users, batch.items))
        owners = torch.cat([task.owner for task in batch.tasks]).repeat(2)
        items = torch.cat([task.positive for task in batch.tasks] + [task.negative for task in batch.tasks])
        user_PKD, item_PKD = rows.user.index_select(0, owners), rows.item.index_select(0, items)
        sizes = [task.owner.numel() for task in batch.tasks]
        pieces = list(zip(user_PKD.split(sizes * 2), item_PKD.split(sizes * 2)))
        losses = {}
        for k, behavior in enumerate(self.data.behaviors):
            positive = self.head(k, *pieces[k])
            negative = self.head(k, *pieces[k + len(sizes)])
            losses[f"bpr_{behavior}"] = bpr(positive, negative)
        return losses

    def decayed(self) -> Iterator[Tensor]:
        """Parameters under the squared norm of Eq. 17."""
        for name, parameter in self.named_parameters():
            if "aggregator" not in name and not name.endswith("bias"):
                yield parameter

    def findings(self) -> tuple[Finding, ...]:
        with self.evaluating():
            return self._stories.of(self.encoder, self.head, self.initial, self.encoding())

    def probes(self, batch: CIGFBatch) -> tuple[Finding, ...]:
        return (
            gradient_conflict(
                self.task_losses(batch), tuple(self.initial), self.data.behaviors, "CIGF, Section 3.3"
            ),
        )

    def embed(self) -> dict[str, Tensor]:
        """e* per start behaviour, users above items, and the initial embeddings: each [U + I, D]."""
        with self.evaluating():
            encoding = self.encoding()
            levels = {
                b: torch.cat([encoding.user[:, k], encoding.item[:, k]])
                for k, b in enumerate(self.data.behaviors)
            }
            return {"initial": torch.cat([self.user_embedding, self.item_embedding]).detach(), **levels}

    def _drawn(self, users_B: Tensor, generator: torch.Generator) -> CIGFBatch:
        tasks = task_pairs(self._samplers, users_B, self.config.positives_per_user, generator)
        touched = torch.cat([task.positive for task in tasks] + [task.negative for task in tasks])
        if touched.numel() >= self.num_items // 2:
            return CIGFBatch(users_B, None, tasks)
        items, position = touched.unique(return_inverse=True)
        pieces = position.split([task.owner.numel() for task in tasks] * 2)
        local = tuple(TaskPairs(t.owner, pieces[k], pieces[k + len(tasks)]) for k, t in enumerate(tasks))
        return CIGFBatch(users_B, items, local)


def _table(rows: int, dim: int) -> nn.Parameter:
    table = nn.Parameter(torch.empty(rows, dim))
    nn.init.xavier_uniform_(table)
    return table
