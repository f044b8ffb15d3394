"""The two views of HeCo: a node by its neighbours of other types, and by its metapaths.

N nodes of the target type, K nodes of another type, F features, D dims, T types, M metapaths.
"""

from collections.abc import Mapping

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor, nn
from torch.nn import functional as F

from core.data.hetero import Features
from core.data.nodes import NodeData, row_normalized
from core.models.han_encoder import Layered, SemanticAttention, mixed
from core.models.named import ByName
from core.ops.additive_attention import additive_attention
from core.ops.dropout import Dropout
from core.ops.neighbor_sampling import sampled_neighbors
from core.ops.sparse import Pattern, pattern_of, product
from core.ops.square import Square

GAIN = 1.414
_SLOPE = 0.01  # of LeakyReLU, in the attention over neighbours


def dropped(values: Tensor, rate: float, noise: torch.Generator | None) -> Tensor:
    """`values` with some entries left out; all of them without noise."""
    dropout = Dropout.drawn(rate, noise)
    return values if dropout is None else values * dropout.mask(values)


class ViewAttention(SemanticAttention):
    """The shares of types, or of metapaths, whose attention vector loses entries in training. Source: HeCo, Secs. 4.2 and 4.3."""

    def __init__(self, dim: int, dropout: float) -> None:
        super().__init__(dim, dim)
        self.dropout = dropout
        nn.init.xavier_normal_(self.project.weight, gain=GAIN)
        nn.init.xavier_normal_(self.score.weight, gain=GAIN)

    def shared(self, rows: list[Tensor], noise: torch.Generator | None) -> Layered:
        vector_1D = dropped(self.score.weight, self.dropout, noise)
        means = [torch.tanh(self.project(rows_ND)).mean(0) for rows_ND in rows]
        scores_T = torch.stack([F.linear(mean_D, vector_1D).squeeze() for mean_D in means])
        return mixed(rows, scores_T.softmax(0))


def view_attention(parts: int, dim: int, dropout: float) -> ViewAttention | None:
    """None for a single part, which has nothing to compete with."""
    return ViewAttention(dim, dropout) if parts > 1 else None


def joined(attention: ViewAttention | None, rows: list[Tensor], noise: torch.Generator | None) -> Layered:
    """Parts weighed by attention; a single one as it is."""
    return mixed(rows, rows[0].new_ones(1)) if attention is None else attention.shared(rows, noise)


class Content(nn.Module):
    """What nodes of one type show: a linear map of their features, or a learned row each. Source: HeCo, Sec. 4.1."""

    pattern: Pattern | None = None
    values: Tensor | None
    rows: Tensor | None

    def __init__(self, count: int, features: "Features | None", dim: int, device: torch.device) -> None:
        super().__init__()
        self.values = self.rows = None
        width = count if features is None else features.shape[1]
        self.weight = nn.Parameter(nn.init.xavier_normal_(torch.empty(width, dim), gain=GAIN))
        self.bias = None if features is None else nn.Parameter(torch.zeros(dim))
        if isinstance(features, csr_array):
            self.pattern, self.values = (
                pattern_of(features).to(device),
                torch.from_numpy(features.data).to(device),
            )
        elif features is not None:
            self.rows = torch.from_numpy(features).to(device)

    def forward(self) -> Tensor:
        if self.pattern is not None:
            made_KD = product(self.pattern, self.weight, self.values)
        else:
            made_KD = self.weight if self.rows is None else self.rows @ self.weight
        return made_KD if self.bias is None else made_KD + self.bias


class NeighborAttention(nn.Module):
    """ELU of sum_j a_ij h_j over neighbours j of one type, a_ij = softmax_j LeakyReLU(q . h_i + k . h_j), of whose vectors q and k
    entries are left out in training. Source: HeCo, Sec. 4.2."""

    def __init__(self, dim: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.vector = nn.Parameter(nn.init.xavier_normal_(torch.empty(1, 2 * dim), gain=GAIN))

    def forward(
        self, neighbors: Pattern, own_ND: Tensor, other_KD: Tensor, noise: torch.Generator | None
    ) -> Tensor:
        query_1D, key_1D = dropped(self.vector, self.dropout, noise).chunk(2, 1)
        logits = (own_ND @ query_1D.t(), other_KD @ key_1D.t())
        return F.elu(additive_attention(neighbors, *logits, other_KD[None].contiguous(), _SLOPE))


class SchemaView(nn.Module):
    """A node by its neighbours of every type, of which training draws a few. Source: HeCo, Sec. 4.2."""

    def __init__(self, neighbors: Mapping[str, Pattern], drawn: int, dim: int, dropout: float) -> None:
        super().__init__()
        self.neighbors, self.drawn = neighbors, drawn
        self.by_type = ByName({kind: NeighborAttention(dim, dropout) for kind in neighbors})
        self.types = view_attention(len(neighbors), dim, dropout)

    def forward(
        self, content: Mapping[str, Tensor], own_ND: Tensor, noise: torch.Generator | None
    ) -> Layered:
        """content: type -> [K, D]. Without noise nodes attend to all their neighbours."""
        rows = []
        for kind, attention in self.by_type.items():
            pattern = self.neighbors[kind]
            pattern = pattern if noise is None else sampled_neighbors(pattern, self.drawn, noise)
            rows.append(attention(pattern, own_ND, content[kind], noise))
        return joined(self.types, rows, noise)


class MetapathView(nn.Module):
    """A node by one graph convolution per metapath, PReLU(A' h W + b), and attention over them. Source: HeCo, Sec. 4.3."""

    def __init__(self, graphs: Mapping[str, Square], dim: int, dropout: float) -> None:
        super().__init__()
        self.graphs = graphs
        self.maps = ByName({name: nn.Linear(dim, dim, bias=False) for name in graphs})
        for layer in self.maps.values():
            nn.init.xavier_normal_(layer.weight, gain=GAIN)
        self.biases = ByName({name: nn.Parameter(torch.zeros(dim)) for name in graphs})
        self.activations = ByName({name: nn.PReLU() for name in graphs})
        self.metapaths = view_attention(len(graphs), dim, dropout)

    def forward(self, own_ND: Tensor, noise: torch.Generator | None) -> Layered:
        rows = [
            self.activations[name](graph.times(self.maps[name](own_ND)) + self.biases[name])
            for name, graph in self.graphs.items()
        ]
        return joined(self.metapaths, rows, noise)


def neighbors_by_type(data: NodeData, device: torch.device) -> dict[str, Pattern]:
    """The target nodes' neighbours [N, K] of every type that some relation joins them with, whichever way it points."""
    target, counts = data.target_type, data.view.counts
    pairs: dict[str, list[np.ndarray]] = {}
    for relation, edges in data.view.edges.items():
        if relation.source == target:
            pairs.setdefault(relation.destination, []).append(edges)
        if relation.destination == target:
            pairs.setdefault(relation.source, []).append(edges[:, ::-1])
    found = {}
    for kind, parts in pairs.items():
        row, column = np.concatenate(parts).T
        links = csr_array(
            (np.ones(len(row), np.float32), (row, column)), shape=(data.num_nodes, counts[kind])
        )
        links.sum_duplicates()
        found[kind] = pattern_of(links).to(device)
    return found


def content_of(data: NodeData, kind: str, dim: int, with_features: bool, device: torch.device) -> Content:
    """What nodes of a type other than the target show."""
    features = data.view.features.get(kind) if with_features else None
    normalized = None if features is None else row_normalized(features)
    return Content(data.view.counts[kind], normalized, dim, device)
