"""MB-GMN: encodings per behaviour and a shared one, a predictor made for every pair, and a margin between pairs.

U users, I items, B users in a batch, P pairs, K behaviours, S = K + 1 encodings, W width.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.catalog.mbgmn import MBGMNConfig
from core.data.ranking import RankingData
from core.findings import Axis, Finding, Kind
from core.models.base import GraphRanker, Trainable
from core.models.conflict import gradient_conflict
from core.models.mbgmn_graph import MetaGraph
from core.models.mbgmn_prediction import Prediction
from core.ops.graphs import Sides, bipartite
from core.ops.losses import margin, squared_norm
from core.ops.samplers import PairSampler, TaskPairs, shuffled_batches, task_pairs

_PAIRS_AT_ONCE = 1 << 14


@dataclass(frozen=True, eq=False)
class MBGMNBatch:
    """users: [B]; tasks: pairs drawn per behaviour, items by their number in the data."""

    users: Tensor
    tasks: tuple[TaskPairs, ...]


class MBGMN(GraphRanker[Sides], Trainable[MBGMNBatch]):
    """Scores pairs of every target behaviour from every encoding; the target's score comes from the shared encoding.

    Loss: sum over sources s in 1..S and targets t in 1..K of the mean of max(0, 1 - (positive - negative)) over the pairs
    drawn for t, plus l2 ||theta||^2.
    Source: Xia et al., SIGIR 2021, Section 3. The equations of its parts stand beside them: `core.models.mbgmn_graph`,
    `core.models.mbgmn_prediction`.

    Readings. Where the paper's text and the released code differ, `form` offers both: the default follows the equations,
    since the released code's embeddings of twice the size make the predictor, whose cost grows with their cube, eight
    times as slow. Both follow the code where the paper leaves a choice: K + 1 encodings, layers summed, the shared one
    without its own layer before it, parameters of the meta networks shared by behaviours.
    Departs: behaviour embeddings and plain biases are not decayed (released code); all graphs are used whole, none is
    sampled.
    """

    def __init__(self, config: MBGMNConfig, data: RankingData, device: torch.device) -> None:
        super().__init__()
        self.config, self.behaviors, self.device = config, data.behaviors, device
        self.num_users, self.num_items = data.num_users, data.num_items
        self.user_embedding = nn.Parameter(torch.empty(data.num_users, config.dim))
        self.item_embedding = nn.Parameter(torch.empty(data.num_items, config.dim))
        for table in (self.user_embedding, self.item_embedding):
            nn.init.xavier_uniform_(table)
        graphs = tuple(bipartite(data.train[b], "symmetric").to(device) for b in data.behaviors)
        self.graph = MetaGraph(config, graphs)
        self.prediction = Prediction(config)
        pool = data.negative_pool()
        self._samplers = [PairSampler(data.train[b], device, pool) for b in data.behaviors]
        self.to(device)

    @property
    def initial(self) -> Sides:
        return Sides(self.user_embedding, self.item_embedding)

    def encode(self) -> Sides:
        """Encodings of all users [U, S, W] and items [I, S, W]; the shared one comes last."""
        encoding: Sides = self.graph(self.initial)
        return encoding

    def score(self, users_B: Tensor) -> Tensor:
        encoding = self.encoding()
        shared_IW, target_IW = encoding.item[:, -1].contiguous(), encoding.item[:, -2].contiguous()
        return torch.stack(
            [
                self.prediction.score_all(user[-1], shared_IW, user[-2], target_IW)
                for user in encoding.user[users_B]
            ]
        )

    def score_items(self, users_B: Tensor, items_BC: Tensor) -> Tensor:
        encoding = self.encoding()
        owners, items = users_B.repeat_interleave(items_BC.shape[1]), items_BC.flatten()
        pairs = zip(owners.split(_PAIRS_AT_ONCE), items.split(_PAIRS_AT_ONCE), strict=True)
        target = len(self.behaviors) - 1
        scores = [self._predicted(encoding.user[u], encoding.item[i], -1, target) for u, i in pairs]
        return torch.cat(scores).view_as(items_BC)

    def batches(self, generator: torch.Generator) -> Iterator[MBGMNBatch]:
        """`users_per_epoch` random users in batches; per behaviour up to `positives_per_user` pairs of each."""
        order = torch.randperm(self.num_users, generator=generator, device=self.device)[
            : self.config.users_per_epoch
        ]
        for positions in shuffled_batches(order.numel(), self.config.batch_users, generator, self.device):
            users = order[positions]
            tasks = task_pairs(self._samplers, users, self.config.positives_per_user, generator)
            yield MBGMNBatch(users, tasks)

    def losses(self, batch: MBGMNBatch) -> dict[str, Tensor]:
        margins_SK = self.margins(batch)
        named = {f"margin_{b}": margins_SK[:, k].sum() for k, b in enumerate(self.behaviors)}
        return named | {"l2": self.config.l2 * squared_norm(self.decayed())}

    def margins(self, batch: MBGMNBatch) -> Tensor:
        """Mean hinge of every source's encoding for every target, [S, K]."""
        encoding, columns = self.encode(), []
        for target, task in enumerate(batch.tasks):
            users, item_rows = batch.users[task.owner].repeat(2), torch.cat([task.positive, task.negative])
            user_PSW, item_PSW = (
                encoding.user.index_select(0, users),
                encoding.item.index_select(0, item_rows),
            )
            scores = [
                self._predicted(user_PSW, item_PSW, source, target).tensor_split(2)
                for source in range(len(self.behaviors) + 1)
            ]
            columns.append(torch.stack([margin(positive, negative) for positive, negative in scores]))
        return torch.stack(columns, 1)

    def decayed(self) -> Iterator[Tensor]:
        """Parameters under the squared norm."""
        for name, parameter in self.named_parameters():
            if not name.endswith(("bias", "behavior_embedding")):
                yield parameter

    def findings(self) -> tuple[Finding, ...]:
        """How much each behaviour's messages attend to the others', node by node."""
        if not self.graph.attention:
            return ()
        with self.evaluating():
            shares = self.graph.shares(self.initial)
        values_BOHNR = torch.stack(shares).permute(3, 0, 2, 1, 4).contiguous()
        nodes = self.num_users + self.num_items
        axes = (
            Axis.labelled("behavior", self.behaviors),
            Axis.labelled("order", [str(layer + 1) for layer in range(self.config.num_layers)]),
            Axis.labelled("head", [str(head + 1) for head in range(self.config.num_heads)]),
            Axis("node", nodes, groups={"user": (0, self.num_users), "item": (self.num_users, nodes)}),
            Axis.labelled("relation", self.behaviors),
        )
        note = "Which behaviours' messages flow into those of a behaviour, in the shared encoding."
        title, source = "Attention across behaviours", "MB-GMN, Section 3"
        values = values_BOHNR.cpu().numpy()
        return (Finding("behavior_attention", title, source, Kind.SHARE, axes, values, None, note),)

    def probes(self, batch: MBGMNBatch) -> tuple[Finding, ...]:
        """The loss of every source for every target, and the conflict of the targets' gradients, on one batch."""
        margins_SK = self.margins(batch)
        axes = (
            Axis.labelled("source", (*self.behaviors, "shared")),
            Axis.labelled("task", self.behaviors),
        )
        note = "Mean margin violation on one batch: which behaviour's encoding predicts which behaviour."
        pairs = [task.owner.numel() for task in batch.tasks]
        transfer = Finding(
            "behavior_transfer",
            "Loss by source and target behaviour",
            "MB-GMN, Section 3",
            Kind.AMOUNT,
            axes,
            margins_SK.detach().cpu().numpy(),
            torch.tensor(pairs).expand(len(margins_SK), -1).contiguous().numpy(),
            note,
        )
        by_task = {f"margin_{b}": margins_SK[:, k].sum() for k, b in enumerate(self.behaviors)}
        source = "MB-GMN, Section 3; the cosine as in CIGF, Section 3.3"
        return transfer, gradient_conflict(by_task, tuple(self.initial), self.behaviors, source)

    def embed(self) -> dict[str, Tensor]:
        """Encodings per behaviour and the shared one, users above items, and the initial embeddings."""
        with self.evaluating():
            encoding = self.encoding()
            levels = {
                name: torch.cat([encoding.user[:, s], encoding.item[:, s]])
                for s, name in enumerate((*self.behaviors, "shared"))
            }
            return {"initial": torch.cat(tuple(self.initial)).detach(), **levels}

    def _predicted(self, user_PSW: Tensor, item_PSW: Tensor, source: int, target: int) -> Tensor:
        scores: Tensor = self.prediction(
            (user_PSW[:, source], item_PSW[:, source]), (user_PSW[:, target], item_PSW[:, target])
        )
        return scores
