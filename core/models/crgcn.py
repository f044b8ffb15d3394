"""CRGCN: a cascade of graph convolutions along the funnel, each behaviour refining the embeddings of the one before it.

U users, I items, B users in a batch, P drawn pairs, D dims, L layers.
Source: Yan et al., Cascading Residual Graph Convolutional Network for Multi-Behavior Recommendation, TOIS 2023
(arXiv 2205.13128), and the PyTorch code released with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.catalog.crgcn import CRGCNConfig
from core.data.components import check_names
from core.data.ranking import RankingData
from core.errors import ConfigError
from core.findings import Finding
from core.models.base import GraphRanker, Trainable
from core.models.conflict import gradient_conflict
from core.models.levels import spectra
from core.ops.graphs import Bipartite, Sides, bipartite
from core.ops.samplers import PairSampler, TaskPairs, shuffled_batches
from core.ops.unit import unit_rows


class CRGCNEncoding(NamedTuple):
    """initial: e_0. behaviors: embeddings after each behaviour of the cascade, by name, the target's last."""

    initial: Sides
    behaviors: dict[str, Sides]


@dataclass(frozen=True, eq=False)
class CRGCNBatch:
    """users: [B]. tasks: per behaviour in funnel order pairs of some of them."""

    users: Tensor
    tasks: tuple[TaskPairs, ...]


class CRGCN(GraphRanker[CRGCNEncoding], Trainable[CRGCNBatch]):
    """e_b = e_(b-1) + rowL2(x^L) with x^0 = e_(b-1) and x^(l+1) = D_b^-1/2 A_b D_b^-1/2 x^l; score = e_u . e_i of the target.

    L = sum over behaviours b of BPR_b + l2 (||E_U|| + ||E_I||) / |I|, where BPR_b sums -ln sigmoid(e_bu . e_bi - e_bu . e_bj)
    over the drawn pairs (u, i) of b, each with an item j that u did not touch.

    Readings. The full paper was not at hand: the cascade, its normalisation and the sum over tasks follow the abstract and
    the released code. A convolution hands on its last layer, without self-loops. BPR_b is divided by users times pairs per
    user, so that a behaviour few users showed weighs less, as in the released code, which fills their places with a constant.
    Penalty: norms are not squared, as released; its default weight belongs to that form. Negatives are untouched under any
    behaviour, as released; `negatives` offers the pair's own behaviour. Dropout is defined there, but never applied.
    Departs: users without a pair, and those without a negative item, are not drawn.
    """

    def __init__(self, config: CRGCNConfig, data: RankingData, device: torch.device) -> None:
        super().__init__()
        self.config, self.device = config, device
        self.num_users, self.num_items = data.num_users, data.num_items
        check_names(data, data.behaviors)
        self.behaviors, self.target = data.behaviors, data.target
        self.user_embedding = nn.Parameter(torch.empty(data.num_users, config.dim))
        self.item_embedding = nn.Parameter(torch.empty(data.num_items, config.dim))
        for table in (self.user_embedding, self.item_embedding):
            nn.init.xavier_uniform_(table)
        self._layers = _layers(config, data)
        self._graphs = {b: bipartite(data.train[b], "symmetric").to(device) for b in data.behaviors}
        pool = data.negative_pool()
        self._samplers = [PairSampler(data.train[b], device, pool) for b in data.behaviors]
        touched = data.union()
        self._untouched = PairSampler(touched, device, pool) if config.negatives == "untouched" else None
        usable = torch.from_numpy(np.diff(touched.indptr) > 0).to(device)
        if self._untouched is not None:
            usable &= self._untouched.untouched > 0
        self._users = usable.nonzero().squeeze(1)
        self.to(device)

    @property
    def initial(self) -> Sides:
        """e_0."""
        return Sides(self.user_embedding, self.item_embedding)

    @property
    def cascade(self) -> tuple[str, ...]:
        """Behaviours in the order in which they refine the embeddings."""
        auxiliary = self.behaviors[:-1]
        return (*(auxiliary if self.config.order == "funnel" else auxiliary[::-1]), self.target)

    def encode(self) -> CRGCNEncoding:
        level, found = self.initial, {}
        for behavior in self.cascade:
            refined = self._convolved(self._graphs[behavior], level, self._layers[behavior])
            added = Sides(level.user + refined.user, level.item + refined.item)
            found[behavior] = level = added if self.config.residual else refined
        return CRGCNEncoding(self.initial, found)

    def score(self, users_B: Tensor) -> Tensor:
        final = self.encoding().behaviors[self.target]
        return final.user[users_B] @ final.item.t()

    def score_items(self, users_B: Tensor, items_BC: Tensor) -> Tensor:
        final = self.encoding().behaviors[self.target]
        return torch.einsum("bd,bcd->bc", final.user[users_B], final.item[items_BC])

    def batches(self, generator: torch.Generator) -> Iterator[CRGCNBatch]:
        """Every user with a pair once, in random order; per behaviour up to `positives_per_user` pairs of each."""
        for chosen in shuffled_batches(self._users.numel(), self.config.batch_users, generator, self.device):
            users = self._users[chosen]
            yield CRGCNBatch(users, tuple(self._drawn(users, generator)))

    def losses(self, batch: CRGCNBatch) -> dict[str, Tensor]:
        named = self.task_losses(batch)
        if self.config.tasks == "target":
            named = {f"bpr_{self.target}": named[f"bpr_{self.target}"]}
        norm = torch.stack([torch.linalg.vector_norm(table) for table in self.initial]).sum()
        return named | {"l2": self.config.l2 * norm / self.num_items}

    def task_losses(self, batch: CRGCNBatch) -> dict[str, Tensor]:
        """BPR_b of every behaviour, whether or not it is trained."""
        levels, draws = self.encode().behaviors, batch.users.numel() * self.config.positives_per_user
        found = {}
        for behavior, task in zip(self.behaviors, batch.tasks, strict=True):
            user_PD = levels[behavior].user.index_select(0, batch.users[task.owner])
            positive_PD = levels[behavior].item.index_select(0, task.positive)
            negative_PD = levels[behavior].item.index_select(0, task.negative)
            worse_by_P = (user_PD * (negative_PD - positive_PD)).sum(1)
            found[f"bpr_{behavior}"] = F.softplus(worse_by_P).sum() / draws
        return found

    def probes(self, batch: CRGCNBatch) -> tuple[Finding, ...]:
        """The conflict of all behaviours' gradients, including those that are not trained."""
        source = "CRGCN, multi-task learning; the cosine as in CIGF, Section 3.3"
        return (gradient_conflict(self.task_losses(batch), tuple(self.initial), self.behaviors, source),)

    def findings(self) -> tuple[Finding, ...]:
        """How much the embeddings hold after every behaviour of the cascade."""
        with self.evaluating():
            encoding = self.encoding()
            tables = [("initial", encoding.initial), *encoding.behaviors.items()]
            source = "CRGCN, cascade; the measure as in HGIB, Section 5.8"
            return tuple(spectra(tables, source, prefix="cascade_"))

    def embed(self) -> dict[str, Tensor]:
        """e_0 and the embeddings after every behaviour, users above items: each [U + I, D]."""
        with self.evaluating():
            encoding = self.encoding()
            levels = {"initial": encoding.initial, **encoding.behaviors}
            return {key: torch.cat(sides).detach() for key, sides in levels.items()}

    def _drawn(self, users_B: Tensor, generator: torch.Generator) -> Iterator[TaskPairs]:
        for sampler in self._samplers:
            owner, positive = sampler.positives(users_B, self.config.positives_per_user, generator)
            negative = (self._untouched or sampler).negatives(users_B[owner], generator)
            yield TaskPairs(owner, positive, negative)

    @staticmethod
    def _convolved(graph: Bipartite, level: Sides, layers: int) -> Sides:
        """rowL2 of the last layer; rows of nodes without edges are zeros."""
        for _ in range(layers):
            level = Sides(graph.users_from(level.item), graph.items_from(level.user))
        return Sides(unit_rows(level.user), unit_rows(level.item))


def _layers(config: CRGCNConfig, data: RankingData) -> dict[str, int]:
    """Layers of each behaviour's graph. Raises ConfigError if they are given for another number of behaviours."""
    if not config.layers_by_behavior:
        return dict.fromkeys(data.behaviors, config.num_layers)
    numbers = [int(number) for number in config.layers_by_behavior.split(",")]
    if len(numbers) != len(data.behaviors):
        raise ConfigError(
            f"layers_by_behavior {config.layers_by_behavior!r} names {len(numbers)} behaviours, but {data.name} has "
            f"{len(data.behaviors)} ({', '.join(data.behaviors)}); give one number for each, or leave it empty"
        )
    return dict(zip(data.behaviors, numbers, strict=True))
