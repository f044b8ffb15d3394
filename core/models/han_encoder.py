"""HAN's layers: attention over the neighbours of every metapath, then attention over metapaths.

N nodes, M metapaths, H heads, D dims of one head, I input dims.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from core.catalog.hetero import HANConfig
from core.ops.additive_attention import Graph, additive_attention
from core.ops.dropout import Dropout, dropped_linear

Graphs = Mapping[str, Graph]


@dataclass(frozen=True)
class HANShape:
    """in_dim, then `heads` heads of `head_dim` side by side. slope: of LeakyReLU below 0. feature_dropout, attention_dropout:
    rates in training. activation: whether PReLU follows. norm: whether every metapath's output is batch-normalised before it.
    semantic: dims of the attention over metapaths; 0 takes their mean instead."""

    in_dim: int
    head_dim: int
    heads: int
    slope: float = 0.2
    feature_dropout: float = 0.0
    attention_dropout: float = 0.0
    activation: bool = True
    norm: bool = False
    semantic: int = 128

    @staticmethod
    def of(config: HANConfig, in_dim: int) -> "HANShape":
        """The first layer that settings ask for."""
        return HANShape(
            in_dim=in_dim,
            head_dim=config.hidden // config.heads,
            heads=config.heads,
            slope=config.slope,
            feature_dropout=config.feature_dropout,
            attention_dropout=config.attention_dropout,
            semantic=config.semantic_dim,
        )

    @property
    def out_dim(self) -> int:
        return self.heads * self.head_dim


class Layered(NamedTuple):
    """rows: [N, H D]. shares: of the metapaths, [M]."""

    rows: Tensor
    shares: Tensor


class GATLayer(nn.Module):
    """PReLU of the heads of sum_j a_ij W x_j side by side plus bias, with a_ij = softmax_j LeakyReLU(l . W x_i + r . W x_j).

    Source: Wang et al., HAN, WWW 2019, Eqs. 2 to 6; LeakyReLU, dropouts, bias and PReLU as in HGMAE's released code.
    """

    def __init__(self, shape: HANShape) -> None:
        super().__init__()
        self.shape = shape
        gain = nn.init.calculate_gain("relu")
        self.project = nn.Linear(shape.in_dim, shape.out_dim, bias=False)
        nn.init.xavier_normal_(self.project.weight, gain=gain)
        self.query, self.key = (
            nn.Parameter(nn.init.xavier_normal_(torch.empty(shape.heads, 1, shape.head_dim), gain=gain))
            for _ in range(2)
        )
        self.bias = None if shape.norm else nn.Parameter(torch.zeros(shape.out_dim))  # a norm has its own
        self.norm = nn.BatchNorm1d(shape.out_dim) if shape.norm else None
        self.activation = nn.PReLU() if shape.activation else None

    def forward(self, graph: Graph, rows_NI: Tensor, noise: torch.Generator | None) -> Tensor:
        shape = self.shape
        inputs = Dropout.drawn(shape.feature_dropout, noise)
        shares = Dropout.drawn(shape.attention_dropout, noise)
        widens = shape.heads * shape.in_dim < shape.out_dim
        output_NF = (self._mapped_last if widens else self._mapped_first)(graph, rows_NI, inputs, shares)
        output_NF = output_NF if self.bias is None else output_NF + self.bias
        output_NF = output_NF if self.norm is None else self.norm(output_NF)
        return output_NF if self.activation is None else self.activation(output_NF)

    def _mapped_first(
        self, graph: Graph, rows_NI: Tensor, inputs: Dropout | None, shares: Dropout | None
    ) -> Tensor:
        """sum_j a_ij (W x_j)."""
        value_NF = dropped_linear(rows_NI, self.project.weight, inputs)
        value_HND = value_NF.view(-1, self.shape.heads, self.shape.head_dim).transpose(0, 1).contiguous()
        query_NH, key_NH = ((value_HND * side).sum(-1).t() for side in (self.query, self.key))
        return additive_attention(graph, query_NH, key_NH, value_HND, self.shape.slope, shares)

    def _mapped_last(
        self, graph: Graph, rows_NI: Tensor, inputs: Dropout | None, shares: Dropout | None
    ) -> Tensor:
        """W (sum_j a_ij x_j), with l . W x = (l W) . x: the same, and cheaper where W makes rows wider, as decoders' do."""
        heads, head_dim, in_dim = self.shape.heads, self.shape.head_dim, self.shape.in_dim
        weight_HDI = self.project.weight.view(heads, head_dim, in_dim)
        read_NI = rows_NI if inputs is None else rows_NI * inputs.mask(rows_NI)
        query_NH, key_NH = (read_NI @ (side @ weight_HDI).squeeze(1).t() for side in (self.query, self.key))
        value_HNI = read_NI.expand(heads, -1, -1).contiguous()
        summed_NF = additive_attention(graph, query_NH, key_NH, value_HNI, self.shape.slope, shares)
        mapped_NHD = torch.einsum("nhi,hdi->nhd", summed_NF.view(-1, heads, in_dim), weight_HDI)
        return mapped_NHD.reshape(-1, heads * head_dim)


class SemanticAttention(nn.Module):
    """Shares b = softmax over metapaths of the mean over nodes of q . tanh(W z + c), and the sum of b_m z_m.

    Source: HAN, Eqs. 7 to 9.
    """

    def __init__(self, in_dim: int, dim: int) -> None:
        super().__init__()
        self.project = nn.Linear(in_dim, dim)
        self.score = nn.Linear(dim, 1, bias=False)

    def forward(self, rows: list[Tensor]) -> Layered:
        scores_M = torch.stack([self.score(torch.tanh(self.project(rows_NF))).mean() for rows_NF in rows])
        return mixed(rows, scores_M.softmax(0))


def mixed(rows: list[Tensor], share_M: Tensor) -> Layered:
    """The sum of every metapath's rows times its share."""
    total_NF = rows[0] * share_M[0]
    for rows_NF, share in zip(rows[1:], share_M[1:], strict=True):
        total_NF = total_NF + rows_NF * share
    return Layered(total_NF, share_M)


class HANLayer(nn.Module):
    """One GAT layer per metapath and the attention over metapaths, or their mean."""

    def __init__(self, metapaths: tuple[str, ...], shape: HANShape) -> None:
        super().__init__()
        self.by_metapath = nn.ModuleDict({name: GATLayer(shape) for name in metapaths})
        several = shape.semantic and len(metapaths) > 1
        self.semantic = SemanticAttention(shape.out_dim, shape.semantic) if several else None

    def forward(self, graphs: Graphs, rows_NI: Tensor, noise: torch.Generator | None) -> Layered:
        rows = [layer(graphs[name], rows_NI, noise) for name, layer in self.by_metapath.items()]
        if self.semantic is None:
            return mixed(rows, rows_NI.new_full((len(rows),), 1 / len(rows)))
        layered: Layered = self.semantic(rows)
        return layered


class HANStack(nn.Module):
    """HAN layers one after the other; `noise` None leaves out every dropout."""

    def __init__(self, metapaths: tuple[str, ...], shapes: list[HANShape]) -> None:
        super().__init__()
        self.layers = nn.ModuleList([HANLayer(metapaths, shape) for shape in shapes])

    def forward(
        self, graphs: Graphs, rows_NI: Tensor, noise: torch.Generator | None
    ) -> tuple[Tensor, list[Tensor]]:
        """The last layer's rows [N, H D], and every layer's shares of metapaths [M]."""
        shares = []
        for layer in self.layers:
            rows_NI, share_M = layer(graphs, rows_NI, noise)
            shares.append(share_M)
        return rows_NI, shares


def stacked(first: HANShape, layers: int) -> list[HANShape]:
    """The shapes of `layers` layers: the first as given, the others fed with the heads of the one before."""
    fields = {name: getattr(first, name) for name in HANShape.__dataclass_fields__ if name != "in_dim"}
    return [first, *(HANShape(in_dim=first.out_dim, **fields) for _ in range(layers - 1))]
