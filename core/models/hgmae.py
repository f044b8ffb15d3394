"""HGMAE: a HAN encoder that learns by restoring masked features, metapath edges left out, and positions by metapath2vec.

N nodes, S masked nodes, D dims (all heads), F features, P dims of a position, M metapaths.
"""

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from core.catalog.hgmae import HGMAEConfig
from core.data.nodes import NodeData
from core.findings import Finding
from core.models.graph_steps import GraphStep, WholeGraph
from core.models.han_encoder import Graphs, HANLayer, HANShape, HANStack, Layered, stacked
from core.models.hgcvae_findings import reconstruction
from core.models.node_findings import by_layer, mask_rate, semantic_attention
from core.models.nodes import EncodedNodes, input_features
from core.models.positions import WalkShape, positions
from core.ops.dropout import Dropout
from core.ops.edge_restoration import EdgeTarget, edge_errors, without_edges
from core.ops.masking import Masked, masked, restoration_error
from core.ops.metapaths import attention_graphs


class Encoded(NamedTuple):
    """h: embeddings [N, D]. shares: of metapaths, [M] per layer. decoded: features with the decoder's shares; None where no
    features are restored."""

    h: Tensor
    shares: list[Tensor]
    decoded: Layered | None


class HGMAE(EncodedNodes[Encoded], WholeGraph):
    """L = attribute_weight SCE(x', x) over masked nodes + edge_weight sum_m b_m SCE(R R^T, A_m) + position_weight SCE(MLP(h), p).

    x' = decoder(W h) of masked features, rows of masked nodes set to 0 before decoding; R = decoder(W_e h_e), h_e of graphs that
    lack most edges, b the decoder's shares of metapaths; p: positions by metapath2vec. The encoder is a HAN with batch norm, the
    decoder one HAN layer to features. SCE = (1 - cosine)^power, row by row.
    Source: Tian et al., AAAI 2023 (metapath masking, attribute masking with a dynamic rate, the three training strategies), as in the released code: edges are restored from the plain inner products, not
    their sigmoid, and towards the adjacency over the square roots of degrees.
    Departs from that code: PReLU has a slope per metapath, where hidden layers share one there; a node's own edge is never left
    out, where it may come twice there; positions: see `positions`. The best epoch's weights are restored by copy.
    """

    features: Tensor

    def __init__(self, config: HGMAEConfig, data: NodeData, device: torch.device) -> None:
        super().__init__()
        self.config, self.device, self.metapaths = config, device, data.metapaths
        self.register_buffer("features", input_features(data, config.code_dim), persistent=False)
        self.graphs = attention_graphs(data.graphs, device)
        width = self.features.shape[1]
        first = replace(HANShape.of(config, width), norm=True)
        out = replace(first, in_dim=config.hidden, head_dim=width, heads=1, norm=False, activation=False)
        self.encoder = HANStack(data.metapaths, stacked(first, config.num_layers))
        self.token = self.to_decoder = self.to_edge_decoder = self.decoder = self.to_position = None
        if config.mask_rate and (config.attribute_weight or config.position_weight):
            self.token = nn.Parameter(torch.zeros(1, width))
        if config.attribute_weight or config.edge_weight:
            self.decoder = HANLayer(data.metapaths, out)
        if config.attribute_weight:
            self.to_decoder = nn.Linear(config.hidden, config.hidden, bias=False)
        if config.edge_weight:
            self.to_edge_decoder = nn.Linear(config.hidden, config.hidden, bias=False)
            self.edge_targets = [
                EdgeTarget.of(matrix, self.graphs[name], device) for name, matrix in data.graphs.items()
            ]
        if config.position_weight:
            self.register_buffer("positions", positions(data, _walk_shape(config)), persistent=False)
            self.to_position = PositionNetwork(config.hidden, config.position_dim, config.position_dropout)
        self.epoch = 0
        self.to(device)

    positions: Tensor

    @property
    def mask_rate(self) -> float:
        """Share of nodes masked in the current epoch."""
        return rate_at(self.config.mask_rate, self.config.mask_step, self.config.mask_most, self.epoch)

    @property
    def edge_drop(self) -> float:
        """Share of edges left out in the current epoch."""
        config = self.config
        return rate_at(config.edge_drop, config.edge_drop_step, config.edge_drop_most, self.epoch)

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        self.epoch = epoch - 1  # the released code counts from 0

    def losses(self, batch: GraphStep) -> dict[str, Tensor]:
        noise, config = batch.generator(self.device), self.config
        found = {}
        if config.attribute_weight or self.to_position is not None:
            hidden = self.mask(noise)
            h_ND, _ = self.encoder(self.graphs, hidden.rows, noise)
            if self.to_decoder is not None:
                found["attributes"] = config.attribute_weight * self.attribute_error(h_ND, hidden, noise)
            if self.to_position is not None:
                made_NP = self.to_position(h_ND, noise)
                error = restoration_error(made_NP, self.positions, "sce", config.position_power)
                found["positions"] = config.position_weight * error
        if self.to_edge_decoder is not None:
            found["edges"] = config.edge_weight * self.edge_error(noise)
        return found

    def mask(self, noise: torch.Generator) -> Masked:
        if self.token is None:
            return Masked(self.features, torch.empty(0, dtype=torch.long, device=self.device), 0, 0, 0)
        keep, change = self.config.keep_rate, self.config.replace_rate
        return masked(self.features, self.token, self.mask_rate, keep, change, noise)

    def attribute_error(self, h_ND: Tensor, hidden: Masked, noise: torch.Generator) -> Tensor:
        """SCE of the masked nodes' features, decoded from the other nodes' rows alone; of all nodes where none is masked."""
        assert self.to_decoder is not None
        rows_ND = self.to_decoder(h_ND).index_fill(0, hidden.nodes, 0.0)
        made_NF = self.decode(self.graphs, rows_ND, noise).rows
        nodes = hidden.nodes if len(hidden.nodes) else slice(None)
        return restoration_error(made_NF[nodes], self.features[nodes], "sce", self.config.attribute_power)

    def edge_error(self, noise: torch.Generator) -> Tensor:
        """SCE of every metapath's rows, weighed by the decoder's shares."""
        assert self.to_edge_decoder is not None
        thinned = {name: without_edges(graph, self.edge_drop, noise) for name, graph in self.graphs.items()}
        h_ND, _ = self.encoder(thinned, self.features, noise)
        decoded = self.decode(thinned, self.to_edge_decoder(h_ND), noise)
        errors_M = edge_errors(decoded.rows, self.edge_targets, self.config.edge_power)
        return (decoded.shares * errors_M).sum()

    def decode(self, graphs: Graphs, rows_ND: Tensor, noise: torch.Generator | None) -> Layered:
        assert self.decoder is not None
        decoded: Layered = self.decoder(graphs, rows_ND, noise)
        return decoded

    def encode(self) -> Encoded:
        h_ND, shares = self.encoder(self.graphs, self.features, None)
        decoded = None if self.to_decoder is None else self.decode(self.graphs, self.to_decoder(h_ND), None)
        return Encoded(h_ND, shares, decoded)

    def represent(self) -> Tensor:
        with self.evaluating():
            return self.encoding().h

    def embed(self) -> dict[str, Tensor]:
        """What is classified (`h`), and where there are any the positions (`positions`)."""
        found = {"h": self.represent().detach()}
        return found if self.to_position is None else found | {"positions": self.positions}

    def findings(self) -> tuple[Finding, ...]:
        """Attention over metapaths, and what is restored of unmasked features."""
        with self.evaluating():
            encoding = self.encoding()
        stages = by_layer(encoding.shares)
        if encoding.decoded is not None:
            stages |= {"decoder": encoding.decoded.shares}
        note = "How much every layer takes from each metapath, without dropout, on unmasked features and all edges."
        source = "HGMAE's encoder: HAN, Eqs. 7 and 8"
        found = [semantic_attention(stages, self.metapaths, source, note)]
        if encoding.decoded is not None:
            found.append(
                replace(
                    reconstruction(self.features, encoding.decoded.rows),
                    source="HGMAE, attribute restoration",
                )
            )
        return tuple(found)

    def probes(self, batch: GraphStep) -> tuple[Finding, ...]:
        """The step's masks."""
        if self.token is None:
            return ()
        with torch.no_grad():
            hidden = self.mask(batch.generator(self.device))
        return (mask_rate(hidden, len(self.features), "HGMAE, dynamic mask rate"),)


class PositionNetwork(nn.Module):
    """Three linear maps with PReLU and dropout between them. Source: HGMAE, positional feature prediction, as in the released code."""

    def __init__(self, width: int, dim: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.maps = nn.ModuleList([nn.Linear(size, dim) for size in (width, dim, dim)])
        self.activations = nn.ModuleList([nn.PReLU() for _ in range(2)])

    def forward(self, rows_ND: Tensor, noise: torch.Generator) -> Tensor:
        *inner, last = self.maps
        for layer, activation in zip(inner, self.activations, strict=True):
            rows_ND = activation(layer(rows_ND))
            dropout = Dropout.drawn(self.dropout, noise)
            rows_ND = rows_ND if dropout is None else rows_ND * dropout.mask(rows_ND)
        made_NP: Tensor = last(rows_ND)
        return made_NP


def rate_at(start: float, step: float, most: float, epoch: int) -> float:
    """start + step x epoch, up to `most`, where the start lies below it."""
    return max(start, min(start + step * epoch, most))


def _walk_shape(config: HGMAEConfig) -> WalkShape:
    return WalkShape(
        dim=config.position_dim,
        steps=config.walk_steps,
        window=config.walk_window,
        per_node=config.walks_per_node,
        negatives=config.walk_negatives,
        epochs=config.position_epochs,
        rate=config.position_rate,
    )
