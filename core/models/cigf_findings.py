"""What a trained CIGF says about itself: relation attention, relation paths, expert gates, gradient conflict.

U users, I items, N = U + I nodes, K behaviours, O = L - 1 orders with attention, H heads, P held-out pairs.
"""

from functools import cached_property
from itertools import product as tuples

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from core.catalog.cigf import CIGFConfig
from core.data.ranking import RankingData
from core.findings import Axis, Finding, Kind
from core.models.base import sampled
from core.models.cigcn import CIGCN, PerBehavior
from core.models.heads import Head
from core.ops.graphs import Sides

_HELD_OUT_PAIRS = 1024
_SUPPORT_SAMPLE = 128
_SUPPORT_WORK = 150_000_000  # sampled targets times pairs: about a second per two orders on one core
_MOST_PATHS = 256


class CIGFFindings:
    """Builds CIGF's findings from one encoding; what does not change in training (samples, path counts) is kept."""

    def __init__(self, config: CIGFConfig, data: RankingData) -> None:
        self._config, self._data = config, data

    def of(
        self, encoder: CIGCN | PerBehavior, head: Head, initial: Sides, encoding: Sides
    ) -> tuple[Finding, ...]:
        """All findings that apply to the configured encoder and head."""
        stated: list[Finding] = []
        if isinstance(encoder, CIGCN) and encoder.attention is not None:
            attention = self._attention(encoder, initial)
            stated += [attention, *self._paths(attention)]
        gates = self._gates(head, encoding)
        return (*stated, *gates)

    def _attention(self, encoder: CIGCN, initial: Sides) -> Finding:
        orders = range(2, self._config.num_layers + 1)
        per_order = [
            torch.cat([encoder.attend(initial.user, order), encoder.attend(initial.item, order)])
            for order in orders
        ]
        values_SOHNR = torch.stack(per_order).permute(2, 0, 3, 1, 4).contiguous()
        users, nodes = self._data.num_users, self._data.num_users + self._data.num_items
        axes = (
            Axis.labelled("start", self._data.behaviors),
            Axis.labelled("order", [str(order) for order in orders]),
            Axis.labelled("head", [str(head + 1) for head in range(self._config.num_heads)]),
            Axis("node", nodes, groups={"user": (0, users), "item": (users, nodes)}),
            Axis.labelled("relation", self._data.behaviors),
        )
        values = values_SOHNR.cpu().numpy()
        note = "Signed, not a softmax: a negative value subtracts what comes along that behaviour."
        return Finding(
            "relation_attention",
            "Attention over relations",
            "CIGF, Eq. 9",
            Kind.SIGNED,
            axes,
            values,
            None,
            note,
        )

    def _paths(self, attention: Finding) -> list[Finding]:
        assert isinstance(attention.values, np.ndarray)
        weights = attention.values.sum(2)  # heads of a linear aggregator add up; [S, O, N, R]
        users = self._data.num_users
        means = {"user": weights[:, :, :users].mean(2), "item": weights[:, :, users:].mean(2)}
        recursive = self._config.composition == "recursive"
        found = []
        for order in range(2, self._longest + 1):
            paths = list(tuples(range(len(self._data.behaviors)), repeat=order))
            values = np.array(
                [[path_weight(means, side, path, recursive) for path in paths] for side in ("user", "item")]
            )
            support = np.array([[self._support[side][path] for path in paths] for side in ("user", "item")])
            labels = [" > ".join(self._data.behaviors[b] for b in path) for path in paths]
            axes = (Axis.labelled("target", ("user", "item")), Axis.labelled("path", labels))
            title = f"Paths of {order} behaviours by product of mean attentions"
            source = "CIGF, Eq. 9 and Table 6"
            found.append(
                Finding(
                    f"relation_paths_{order}",
                    title,
                    source,
                    Kind.SIGNED,
                    axes,
                    values,
                    support,
                    self._path_note,
                )
            )
        return found

    @property
    def _path_note(self) -> str:
        """How to read the paths of this run."""
        recursive = self._config.composition == "recursive"
        last, who = (
            ("last", "every node on the way applies its own attention")
            if recursive
            else ("first", "the target's attention weighs every hop")
        )
        note = f"Read from the target node outward; the {last} behaviour is the start, and {who}."
        if self._is_sampled:
            note += f" Support is extrapolated from {self._sample} targets."
        if self._longest < self._config.num_layers:
            note += f" Paths of more than {self._longest} behaviours are not listed: there are too many."
        if self._config.num_heads > 1 and self._config.aggregator != "lightgcn":
            note += " Heads are summed, which is exact for the linear aggregator only."
        return note

    def _gates(self, head: Head, encoding: Sides) -> tuple[Finding, ...]:
        users, items = self._pairs
        device = encoding.user.device
        shares = head.gates(encoding.user[users.to(device)], encoding.item[items.to(device)])
        if shares is None:
            return ()
        axes = (
            Axis.labelled("task", self._data.behaviors),
            Axis.labelled("pair", [f"{u}:{i}" for u, i in zip(users.tolist(), items.tolist())]),
            Axis.labelled("expert", head.expert_titles),
        )
        note = "Measured on a fixed sample of held-out pairs, labelled user:item."
        if head.expert_titles[0].startswith("own"):
            note += " An own expert serves one task alone: own 1 of two tasks are two experts."
        values = shares.double().cpu().numpy()
        return (
            Finding(
                "expert_gates",
                "Expert gates by task",
                head.gate_source,
                Kind.SHARE,
                axes,
                values,
                None,
                note,
            ),
        )

    @cached_property
    def _pairs(self) -> tuple[Tensor, Tensor]:
        pairs = self._data.held_out().tocoo()
        chosen = sampled(pairs.nnz, _HELD_OUT_PAIRS).numpy()
        return torch.from_numpy(pairs.row[chosen]).long(), torch.from_numpy(pairs.col[chosen]).long()

    @property
    def _longest(self) -> int:
        """The longest order whose paths are listed: more than `_MOST_PATHS` nobody reads, and counting grows as K^l."""
        behaviors = len(self._data.behaviors)
        return max(
            order
            for order in range(1, self._config.num_layers + 1)
            if behaviors**order <= max(_MOST_PATHS, behaviors)
        )

    @property
    def _sample(self) -> int:
        """Targets whose endpoints are counted."""
        pairs = sum(matrix.nnz for matrix in self._data.train.values())
        return int(np.clip(_SUPPORT_WORK // max(1, pairs), 8, _SUPPORT_SAMPLE))

    @property
    def _is_sampled(self) -> bool:
        return max(self._data.num_users, self._data.num_items) > self._sample

    @cached_property
    def _support(self) -> dict[str, dict[tuple[int, ...], float]]:
        matrices = [self._data.train[b] for b in self._data.behaviors]
        transposed = [csr_array(m.T) for m in matrices]
        return {
            "user": path_support(matrices, transposed, self._longest, self._sample),
            "item": path_support(transposed, matrices, self._longest, self._sample),
        }


def path_weight(
    means: dict[str, NDArray[np.floating]], side: str, path: tuple[int, ...], recursive: bool
) -> float:
    """Product of mean attentions along `path` (behaviours from the target outward) for targets on `side`.

    means: per side [S, O, R], heads summed. Under recursive composition hop j of a path of l carries the attention of
    order l - j at the node reached so far, whose side alternates, and the last behaviour is the start without attention.
    Under target composition the first behaviour is the start; hop j carries the target's attention of order j + 1.
    """
    other = {"user": "item", "item": "user"}
    if not recursive:
        return float(np.prod([means[side][path[0], hop - 1, b] for hop, b in enumerate(path) if hop > 0]))
    weight, length = 1.0, len(path)
    for hop, behavior in enumerate(path[:-1]):
        order = length - hop
        weight *= float(means[side][path[-1], order - 2, behavior])
        side = other[side]
    return weight


def path_support(
    odd: list[csr_array], even: list[csr_array], longest: int, sample: int = _SUPPORT_SAMPLE
) -> dict[tuple[int, ...], float]:
    """Number of (target, endpoint) pairs that each path of 2..longest behaviours connects.

    odd: matrices from targets to the other side, used at hops 1, 3, ..; even: the way back. With more than `sample`
    targets, an even sample of them is counted and scaled up.
    """
    targets = odd[0].shape[0]
    rows = np.arange(targets) if targets <= sample else np.linspace(0, targets - 1, sample).astype(np.int64)
    counts: dict[tuple[int, ...], float] = {}

    def extend(path: tuple[int, ...], reached: NDArray[np.float32]) -> None:
        for behavior in range(len(odd)):
            matrix = (odd if len(path) % 2 == 0 else even)[behavior]
            step = np.asarray((matrix.T @ reached.T).T > 0, dtype=np.float32)
            longer = (*path, behavior)
            counts[longer] = float(np.count_nonzero(step)) * targets / len(rows)
            if len(longer) < longest:
                extend(longer, step)

    start = np.zeros((len(rows), targets), dtype=np.float32)
    start[np.arange(len(rows)), rows] = 1
    extend((), start)
    return {path: count for path, count in counts.items() if len(path) > 1}
