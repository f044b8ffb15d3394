"""The prediction heads of CIGF's Table 5: from K representations per node to one score per task.

P pairs, B users, I items, K behaviours (also tasks), E experts, D dims, W = 2 D.
Source: Guo et al., CIGF, WWW 2023, Eqs. 1 and 14 to 16, Section 5.3.3.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.catalog.cigf import CIGFConfig

_FLOATS_AT_ONCE = 1 << 18


class Head(nn.Module, ABC):
    """Scores pairs for a task. `tower` of Eq. 16 is the mean or the sum over dimensions, times `score_scale`."""

    def __init__(self, config: CIGFConfig, behaviors: Sequence[str]) -> None:
        super().__init__()
        self.behaviors, self.dim = tuple(behaviors), config.dim
        self.scale = config.score_scale
        self.is_mean = config.tower == "mean"
        self.slope = config.leaky_slope
        self.as_released = config.head_form == "as_released"

    @property
    def num_tasks(self) -> int:
        return len(self.behaviors)

    @abstractmethod
    def forward(self, task: int, user_PKD: Tensor, item_PKD: Tensor) -> Tensor:
        """Scores of P pairs under one task, [P]."""

    @abstractmethod
    def score_all(self, task: int, user_BKD: Tensor, item_IKD: Tensor) -> Tensor:
        """Scores of every user with every item, [B, I], without forming pairs of representations."""

    def gates(self, user_PKD: Tensor, item_PKD: Tensor) -> Tensor | None:
        """Shares of the experts per task, [K, P, E], or None for heads without gates."""
        return None

    @property
    def expert_titles(self) -> tuple[str, ...]:
        return ()

    @property
    def gate_source(self) -> str:
        """Paper and equation of the gates."""
        return ""

    def _tower(self, values_PD: Tensor) -> Tensor:
        return self.scale * (values_PD.mean(-1) if self.is_mean else values_PD.sum(-1))

    def _reduced(self, sums: Tensor, dims: int) -> Tensor:
        """What `_tower` makes of values whose sum over `dims` dimensions is known."""
        return self.scale * (sums / dims if self.is_mean else sums)

    def _same_input(self, values_PKD: Tensor) -> Tensor:
        """The unified input of heads that do not separate theirs: the mean (paper) or the sum (released code)."""
        return values_PKD.sum(1) if self.as_released else values_PKD.mean(1)


class MESI(Head):
    """Experts with separate input: f^k = x*_{u,k} o y*_{i,k} (Eq. 14), gate g^k = softmax(W_g [x*_{u,k}; y*_{i,k}] + b)
    (Eq. 15, one W_g for all tasks), score^k = h(sum_j g^k(j) f^j) (Eq. 16)."""

    def __init__(self, config: CIGFConfig, behaviors: Sequence[str]) -> None:
        super().__init__(config, behaviors)
        self.gate = _dense(2 * config.dim, len(behaviors))

    def forward(self, task: int, user_PKD: Tensor, item_PKD: Tensor) -> Tensor:
        """h is linear, so each expert is reduced before the gate mixes them."""
        share_PK = self._share(task, user_PKD, item_PKD)
        return (share_PK * self._tower(user_PKD * item_PKD)).sum(-1)

    def score_all(self, task: int, user_BKD: Tensor, item_IKD: Tensor) -> Tensor:
        """Eqs. 14 to 16 for all pairs from K matrix products; the gate's logits split into a user and an item part."""
        user_logit_BK = F.linear(user_BKD[:, task], self.gate.weight[:, : self.dim], self.gate.bias)
        item_logit_IK = F.linear(item_IKD[:, task], self.gate.weight[:, self.dim :])
        share_KBI = (user_logit_BK.t()[:, :, None] + item_logit_IK.t()[:, None, :]).softmax(0)
        expert_KBI = user_BKD.transpose(0, 1) @ item_IKD.permute(1, 2, 0)
        scale = self.scale / self.dim if self.is_mean else self.scale
        return scale * (share_KBI * expert_KBI).sum(0)

    def gates(self, user_PKD: Tensor, item_PKD: Tensor) -> Tensor:
        return torch.stack([self._share(task, user_PKD, item_PKD) for task in range(self.num_tasks)])

    @property
    def expert_titles(self) -> tuple[str, ...]:
        return self.behaviors

    @property
    def gate_source(self) -> str:
        return "CIGF, Eq. 15"

    def _share(self, task: int, user_PKD: Tensor, item_PKD: Tensor) -> Tensor:
        logits: Tensor = self.gate(torch.cat([user_PKD[:, task], item_PKD[:, task]], -1))
        return logits.softmax(-1)


class Bilinear(Head):
    """score^k = h(x o y o r^k) (Eq. 1, GHCF), on the mean of the K representations.

    as_released: on behaviour k's own pair instead of the mean.
    """

    def __init__(self, config: CIGFConfig, behaviors: Sequence[str]) -> None:
        super().__init__(config, behaviors)
        self.relation = nn.Parameter(torch.empty(len(behaviors), config.dim))
        nn.init.xavier_uniform_(self.relation)

    def forward(self, task: int, user_PKD: Tensor, item_PKD: Tensor) -> Tensor:
        user_PD, item_PD = self._inputs(task, user_PKD), self._inputs(task, item_PKD)
        return self._tower(user_PD * item_PD * self.relation[task])

    def score_all(self, task: int, user_BKD: Tensor, item_IKD: Tensor) -> Tensor:
        scale = self.scale / self.dim if self.is_mean else self.scale
        return scale * (self._inputs(task, user_BKD) * self.relation[task]) @ self._inputs(task, item_IKD).t()

    def _inputs(self, task: int, values_PKD: Tensor) -> Tensor:
        return values_PKD[:, task] if self.as_released else values_PKD.mean(1)


class SharedBottom(Head):
    """One shared layer on [u; i], LeakyReLU, then a linear tower per task (Caruana 1997, as CIGF's Section 5.3.3 uses it).

    The paper gives no sizes: we read a bottom of width 2D, like the experts. as_released: a single linear layer
    [u; i] -> K on the sum; BPR cancels its user part, so it can only learn item popularity.
    """

    def __init__(self, config: CIGFConfig, behaviors: Sequence[str]) -> None:
        super().__init__(config, behaviors)
        width = 2 * config.dim
        self.bottom = None if self.as_released else _dense(width, width)
        self.tower = _dense(width, len(behaviors), bias=False)

    def forward(self, task: int, user_PKD: Tensor, item_PKD: Tensor) -> Tensor:
        hidden_PW = torch.cat([self._same_input(user_PKD), self._same_input(item_PKD)], -1)
        if self.bottom is not None:
            hidden_PW = F.leaky_relu(self.bottom(hidden_PW), self.slope)
        return self._tower(hidden_PW * self.tower.weight[task])

    def score_all(self, task: int, user_BKD: Tensor, item_IKD: Tensor) -> Tensor:
        user_BD, item_ID = self._same_input(user_BKD), self._same_input(item_IKD)
        tower_W = self.tower.weight[task]
        if self.bottom is None:
            user_B, item_I = user_BD @ tower_W[: self.dim], item_ID @ tower_W[self.dim :]
            return self._reduced(user_B[:, None] + item_I, 2 * self.dim)
        bottom = _halves(self.bottom, user_BD, item_ID)

        def scores(users: slice, items: slice) -> Tensor:
            return F.leaky_relu_(_summed(bottom, users, items), self.slope) @ tower_W

        return self._reduced(_in_blocks(len(user_BD), len(item_ID), 2 * self.dim, scores), 2 * self.dim)


class MMOE(Head):
    """K experts LeakyReLU(FC [u; i] -> 2D) mixed by one softmax gate per task (Ma et al. 2018), then the tower h."""

    def __init__(self, config: CIGFConfig, behaviors: Sequence[str]) -> None:
        super().__init__(config, behaviors)
        width, tasks = 2 * config.dim, len(behaviors)
        self.experts = nn.ModuleList(_dense(width, width) for _ in range(self._num_experts(config, tasks)))
        self.task_gates = nn.ModuleList(_dense(width, len(self._visible(task))) for task in range(tasks))

    def forward(self, task: int, user_PKD: Tensor, item_PKD: Tensor) -> Tensor:
        input_PW = self._pair_input(user_PKD, item_PKD)
        share_PE: Tensor = self.task_gates[task](input_PW).softmax(-1)
        expert_PEW = torch.stack(
            [F.leaky_relu(self.experts[e](input_PW), self.slope) for e in self._visible(task)], 1
        )
        return (share_PE * self._tower(expert_PEW)).sum(-1)

    def score_all(self, task: int, user_BKD: Tensor, item_IKD: Tensor) -> Tensor:
        user_BD, item_ID = self._same_input(user_BKD), self._same_input(item_IKD)
        gate = _halves(self.task_gates[task], user_BD, item_ID)
        experts = [_halves(self.experts[e], user_BD, item_ID) for e in self._visible(task)]

        def scores(users: slice, items: slice) -> Tensor:
            share_biE = _summed(gate, users, items).softmax(-1)
            hidden = (F.leaky_relu_(_summed(expert, users, items), self.slope) for expert in experts)
            return (share_biE * torch.stack([self._tower(values) for values in hidden], -1)).sum(-1)

        return _in_blocks(len(user_BD), len(item_ID), 2 * self.dim, scores)

    def gates(self, user_PKD: Tensor, item_PKD: Tensor) -> Tensor:
        input_PW = self._pair_input(user_PKD, item_PKD)
        return torch.stack([gate(input_PW).softmax(-1) for gate in self.task_gates])

    @property
    def expert_titles(self) -> tuple[str, ...]:
        return tuple(f"expert {e + 1}" for e in range(len(self._visible(0))))

    @property
    def gate_source(self) -> str:
        return "MMOE (Ma et al. 2018) on CIGCN, CIGF, Section 5.3.3"

    def _num_experts(self, config: CIGFConfig, tasks: int) -> int:
        return tasks

    def _visible(self, task: int) -> tuple[int, ...]:
        """Experts that the gate of a task mixes."""
        return tuple(range(self.num_tasks))

    def _pair_input(self, user_PKD: Tensor, item_PKD: Tensor) -> Tensor:
        return torch.cat([self._same_input(user_PKD), self._same_input(item_PKD)], -1)


class PLE(MMOE):
    """MMOE whose experts are a task's own or shared by all (Tang et al. 2020, one level).

    The paper fixes as many experts as behaviours: we read one own and K - 1 shared per gate. as_released: `ple_experts`
    own experts and one shared.
    """

    def _num_experts(self, config: CIGFConfig, tasks: int) -> int:
        self._own = config.ple_experts if self.as_released else 1
        self._shared = 1 if self.as_released else max(1, tasks - 1)
        return tasks * self._own + self._shared

    def _visible(self, task: int) -> tuple[int, ...]:
        own = range(task * self._own, (task + 1) * self._own)
        first_shared = self.num_tasks * self._own
        return (*own, *range(first_shared, first_shared + self._shared))

    @property
    def expert_titles(self) -> tuple[str, ...]:
        return (
            *(f"own {e + 1}" for e in range(self._own)),
            *(f"shared {e + 1}" for e in range(self._shared)),
        )

    @property
    def gate_source(self) -> str:
        return "PLE (Tang et al. 2020) on CIGCN, CIGF, Section 5.3.3"


HEADS: dict[str, type[Head]] = {
    "mesi": MESI,
    "bilinear": Bilinear,
    "shared_bottom": SharedBottom,
    "mmoe": MMOE,
    "ple": PLE,
}


def _halves(layer: nn.Module, user_BD: Tensor, item_ID: Tensor) -> tuple[Tensor, Tensor]:
    """A layer on [u; i] as a part of users and a part of items, whose sum it is."""
    assert isinstance(layer, nn.Linear)
    user_weight, item_weight = layer.weight.split(user_BD.shape[1], 1)
    return F.linear(user_BD, user_weight, layer.bias), F.linear(item_ID, item_weight)


def _summed(halves: tuple[Tensor, Tensor], users: slice, items: slice) -> Tensor:
    """The layer for some users and items: [b, i, X]."""
    return halves[0][users, None] + halves[1][items]


def _in_blocks(
    num_users: int, num_items: int, width: int, scores: Callable[[slice, slice], Tensor]
) -> Tensor:
    """`scores` of blocks of users and items, joined: [B, I]. A block holds `_FLOATS_AT_ONCE` / width pairs or one."""
    columns = min(num_items, max(1, _FLOATS_AT_ONCE // width))
    rows = max(1, _FLOATS_AT_ONCE // (width * columns))
    blocks = [
        [scores(slice(u, u + rows), slice(i, i + columns)) for i in range(0, num_items, columns)]
        for u in range(0, num_users, rows)
    ]
    return torch.cat([torch.cat(parts, 1) for parts in blocks])


def _dense(inputs: int, outputs: int, bias: bool = True) -> nn.Linear:
    layer = nn.Linear(inputs, outputs, bias=bias)
    nn.init.xavier_uniform_(layer.weight)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer
