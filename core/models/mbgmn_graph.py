"""The meta graph network of MB-GMN: personal transformations per behaviour, then messages and attention across them.

U users, I items, R rows of either, K behaviours, S = K + 1 encodings (one per behaviour, and the shared one), D dims,
r rank, W width, H heads, L layers.
Source: Xia et al., MB-GMN, SIGIR 2021, Section 3, and the TensorFlow code released with it.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.catalog.mbgmn import MBGMNConfig
from core.ops.graphs import ALL, Bipartite, Sides, neighbors


class Specializer(nn.Module):
    """e~ = V2 V1 e, where V1 [r, D] and V2 [D, r] are made for every node and behaviour from its context.

    Context h = [behaviour || e || sum over neighbours j of e_j / sqrt(|N_i| |N_j|)], V1 = W1 h + V1_0, V2 = W2 h + V2_0.
    as_released: h passes a hidden layer, shared by users and items, and e~ = [V2 V1 e || e].
    """

    def __init__(self, config: MBGMNConfig) -> None:
        super().__init__()
        self.released, self.slope = config.form == "as_released", config.leaky_slope
        self.shape = (config.rank, config.dim)
        self.hidden = dense(3 * config.dim, config.dim) if self.released else None
        inputs = config.dim if self.released else 3 * config.dim
        names = ("user_first", "user_second", "item_first", "item_second")
        self.makers = nn.ModuleDict({name: Generator(inputs, *self.shape) for name in names})

    def forward(self, side: str, node_RD: Tensor, behavior_D: Tensor, near_RD: Tensor) -> Tensor:
        """e~ of all users or all items: [R, D] -> [R, W]."""
        context_RC = torch.cat([behavior_D.expand_as(node_RD), node_RD, near_RD], 1)
        if self.hidden is not None:
            context_RC = F.leaky_relu(self.hidden(context_RC), self.slope)
        low_Rr = torch.einsum("nrd,nd->nr", self.makers[f"{side}_first"](context_RC), node_RD)
        personal_RD = torch.einsum("nrd,nr->nd", self.makers[f"{side}_second"](context_RC), low_Rr)
        return torch.cat([personal_RD, node_RD], 1) if self.released else personal_RD


class Generator(nn.Module):
    """A matrix that is linear in its input, W x + V_0, with V_0 distributed like a layer's weight."""

    def __init__(self, inputs: int, rows: int, columns: int) -> None:
        super().__init__()
        self.shape = (rows, columns)
        self.weight = nn.Parameter(torch.empty(inputs, rows * columns))
        self.base = nn.Parameter(torch.empty(rows, columns))
        nn.init.xavier_uniform_(self.weight)
        nn.init.xavier_uniform_(self.base)

    def forward(self, input_RC: Tensor) -> Tensor:
        """[R, C] -> [R, rows, columns]."""
        return torch.addmm(self.base.flatten(), input_RC, self.weight).view(-1, *self.shape)


class CrossBehavior(nn.Module):
    """Attention across the messages of the behaviours, head by head, added to them.

    a(k, k') = softmax over k' of (Q m_k) . (K m_k') / sqrt(W / H); output m_k + sum_k' a(k, k') V m_k'.
    as_released: K = Q and V is the identity.
    """

    def __init__(self, config: MBGMNConfig) -> None:
        super().__init__()
        self.num_heads = config.num_heads
        count = 1 if config.form == "as_released" else 3
        self.weight = nn.Parameter(torch.empty(count, config.width, config.width))
        for matrix in self.weight:
            nn.init.xavier_uniform_(matrix)

    def forward(self, message_RKW: Tensor) -> Tensor:
        value = message_RKW if len(self.weight) == 1 else message_RKW @ self.weight[2]
        mixed = torch.einsum("nhkj,njhd->nkhd", self.shares(message_RKW), self._heads(value))
        attended: Tensor = message_RKW + mixed.flatten(2)
        return attended

    def shares(self, message_RKW: Tensor) -> Tensor:
        """a: [R, H, K, K], the last axis sums to 1."""
        query = self._heads(message_RKW @ self.weight[0])
        key = query if len(self.weight) == 1 else self._heads(message_RKW @ self.weight[1])
        logits = torch.einsum("nkhd,njhd->nhkj", query, key) / query.shape[-1] ** 0.5
        shares: Tensor = logits.softmax(-1)
        return shares

    def _heads(self, values_RKW: Tensor) -> Tensor:
        return values_RKW.view(*values_RKW.shape[:2], self.num_heads, -1)


class MetaGraph(nn.Module):
    """All S encodings of users and items from their embeddings.

    Behaviour k: e^(l+1) = e^(l) + LeakyReLU(A_k e^(l) of the other side). Shared: e^(l+1) = sum over k of the attended
    messages LeakyReLU(A_k e^(l)). A_k = D^-1/2 Y_k D^-1/2; every encoding is the sum of its layers 0..L. The shared
    encoding's context gathers from the neighbours under all behaviours.
    """

    def __init__(self, config: MBGMNConfig, graphs: tuple[Bipartite, ...]) -> None:
        super().__init__()
        self.graphs, self.slope, self.num_layers = graphs, config.leaky_slope, config.num_layers
        self.behavior_embedding = None
        self.specializer = None
        if config.specialization == "personal":
            self.behavior_embedding = nn.Parameter(torch.empty(len(graphs) + 1, config.dim))
            nn.init.xavier_uniform_(self.behavior_embedding)
            self.specializer = Specializer(config)
        count = 2 * config.num_layers if config.attention == "heads" else 0
        self.attention = nn.ModuleList(CrossBehavior(config) for _ in range(count))
        self._repeats = config.width // config.dim

    def forward(self, initial: Sides) -> Sides:
        """[U, D], [I, D] -> [U, S, W], [I, S, W]; the shared encoding comes last."""
        return self._run(initial)[0]

    def shares(self, initial: Sides) -> list[Tensor]:
        """Attention of every layer, users above items: [U + I, H, K, K]. Empty without attention."""
        if not self.attention:
            return []
        return [
            torch.cat([self._attention(layer, s).shares(side) for s, side in enumerate(message)])
            for layer, message in enumerate(self._run(initial)[1])
        ]

    def _attention(self, layer: int, side: int) -> CrossBehavior:
        """Users (0) and items (1) have weights of their own in every layer."""
        module = self.attention[2 * layer + side]
        assert isinstance(module, CrossBehavior)
        return module

    def _attended(self, layer: int, message: Sides) -> Sides:
        if not self.attention:
            return message
        return Sides(self._attention(layer, 0)(message.user), self._attention(layer, 1)(message.item))

    def _run(self, initial: Sides) -> tuple[Sides, list[Sides]]:
        starts = self._starts(initial)
        own, shared = starts[:-1], starts[-1]
        totals, seen = list(starts), []
        for layer in range(self.num_layers):
            # the products of a behaviour's own and of the shared encoding have their matrix in common
            both = [
                Sides(torch.cat([o.user, shared.user], 1), torch.cat([o.item, shared.item], 1)) for o in own
            ]
            sums = [neighbors(graph, values, ALL) for graph, values in zip(self.graphs, both, strict=True)]
            active = [[F.leaky_relu(side, self.slope).chunk(2, 1) for side in pair] for pair in sums]
            own = [Sides(o.user + a[0][0], o.item + a[1][0]) for o, a in zip(own, active, strict=True)]
            message = Sides(
                torch.stack([a[0][1] for a in active], 1), torch.stack([a[1][1] for a in active], 1)
            )
            seen.append(message)
            attended = self._attended(layer, message)
            shared = Sides(attended.user.sum(1), attended.item.sum(1))
            totals = [
                Sides(t.user + n.user, t.item + n.item) for t, n in zip(totals, [*own, shared], strict=True)
            ]
        users, items = (torch.stack([t[side] for t in totals], 1) for side in range(2))
        return Sides(users, items), seen

    def _starts(self, initial: Sides) -> list[Sides]:
        """Layer 0 of every encoding."""
        if self.specializer is None or self.behavior_embedding is None:
            plain = Sides(initial.user.repeat(1, self._repeats), initial.item.repeat(1, self._repeats))
            return [plain] * (len(self.graphs) + 1)
        near = [neighbors(graph, initial, ALL) for graph in self.graphs]
        near.append(
            Sides(torch.stack([n.user for n in near]).sum(0), torch.stack([n.item for n in near]).sum(0))
        )
        return [
            Sides(
                self.specializer("user", initial.user, behavior, n.user),
                self.specializer("item", initial.item, behavior, n.item),
            )
            for behavior, n in zip(self.behavior_embedding, near, strict=True)
        ]


def dense(inputs: int, outputs: int) -> nn.Linear:
    """A layer with Xavier weights and no bias at first."""
    layer = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
