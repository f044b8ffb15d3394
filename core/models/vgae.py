"""VGAE: two graph convolutions place a normal per node, and inner products of samples restore one metapath's graph.

N nodes, F features, H hidden dims, D dims.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from core.catalog.vgae import VGAEConfig
from core.data.nodes import NodeData
from core.errors import DataError
from core.findings import Finding
from core.models.graph_steps import GraphStep, WholeGraph
from core.models.node_findings import latent_normals
from core.models.nodes import EncodedNodes, input_features
from core.ops.normals import drawn_normals, standard_divergence
from core.ops.pair_decoder import restored_links
from core.ops.square import square, symmetric_normalized


class Normals(NamedTuple):
    """Means and log scales [N, D]; a plain autoencoder has no scales."""

    mean: Tensor
    log_scale: Tensor | None


class VGAE(EncodedNodes[Normals], WholeGraph):
    """L = weighted cross entropy of A with sigmoid(Z Z^T) + KL / N, Z = mean + noise x scale.

    mean = A' ReLU(A' X W_0) W_1, log scale likewise with W_2; A' = D^-1/2 A D^-1/2, self-loops included; KL: mean over nodes.
    Without `variational`, Z = mean and there is no KL (GAE).
    Source: Kipf and Welling 2016, Eqs. 1 to 4; weights of the losses as in the released code. The graph is one metapath's:
    the method knows no types.
    """

    features: Tensor

    def __init__(self, config: VGAEConfig, data: NodeData, device: torch.device) -> None:
        super().__init__()
        self.config, self.device = config, device
        self.metapath = chosen_metapath(config, data)
        self.register_buffer("features", input_features(data, config.code_dim), persistent=False)
        self.graph = square(symmetric_normalized(data.graphs[self.metapath])).to(device)
        self.to_hidden = _map(self.features.shape[1], config.hidden)
        self.to_mean = _map(config.hidden, config.dim)
        self.to_log_scale = _map(config.hidden, config.dim) if config.variational else None
        self.to(device)

    def encode(self) -> Normals:
        hidden_NH = self.graph.times(self.to_hidden(self.features)).relu()
        mean_ND = self.graph.times(self.to_mean(hidden_NH))
        if self.to_log_scale is None:
            return Normals(mean_ND, None)
        return Normals(mean_ND, self.graph.times(self.to_log_scale(hidden_NH)))

    def losses(self, batch: GraphStep) -> dict[str, Tensor]:
        normals = self.encode()
        if normals.log_scale is None:
            return {"links": restored_links(normals.mean, self.graph.pattern)}
        sample_ND = drawn_normals(normals.mean, normals.log_scale, batch.generator(self.device))
        divergence_N = standard_divergence(normals.mean, normals.log_scale)
        return {
            "links": restored_links(sample_ND, self.graph.pattern),
            "kl": divergence_N.mean() / len(divergence_N),
        }

    def represent(self) -> Tensor:
        with self.evaluating():
            return self.encoding().mean

    def embed(self) -> dict[str, Tensor]:
        """The means, which are classified."""
        return {"mean": self.represent().detach()}

    def findings(self) -> tuple[Finding, ...]:
        """Where the normals lie, and how far from the standard one."""
        with self.evaluating():
            normals = self.encoding()
        note = f"On the graph of {self.metapath}."
        return tuple(latent_normals(normals.mean, normals.log_scale, "VGAE, Eq. 3", note))


def chosen_metapath(config: VGAEConfig, data: NodeData) -> str:
    """The metapath asked for, or that with the fewest entries. Raises DataError where there is none of that name."""
    if not config.metapath:
        return min(data.graphs, key=lambda name: data.graphs[name].nnz)
    if config.metapath not in data.graphs:
        raise DataError(
            f"data set {data.name!r} has no metapath {config.metapath!r}; set metapath to one of {', '.join(data.graphs)}, or "
            "leave it empty"
        )
    return config.metapath


def _map(width: int, size: int) -> nn.Linear:
    """W without a bias, in Glorot's uniform start."""
    layer = nn.Linear(width, size, bias=False)
    nn.init.xavier_uniform_(layer.weight)
    return layer
