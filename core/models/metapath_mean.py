"""Metapath mean: features averaged over the neighbours of every metapath. N nodes, F features, M metapaths."""

import numpy as np
import torch
from torch import Tensor

from core.catalog.node_baselines import MetapathMeanConfig
from core.data.nodes import NodeData
from core.models.node_features import scaled
from core.models.nodes import FittedNodes, input_features
from core.ops.square import square


class MetapathMean(FittedNodes):
    """x_m = scale(mean of x over the neighbours by metapath m, the node itself included), side by side or their mean over m.

    What one step of averaging gives without any training; nodes that a metapath joins to nothing have zeros there. Every
    metapath's block is scaled after averaging, so that a dense one, whose means are all short, weighs as much as the others.
    """

    rows: Tensor

    def __init__(self, config: MetapathMeanConfig, data: NodeData, device: torch.device) -> None:
        super().__init__()
        self.config, self.device = config, device
        width = config.code_dim if data.features is None else data.features.shape[1]
        blocks = len(data.graphs) + config.own_features
        size = blocks * width if config.join == "concatenate" else width
        self.register_buffer("rows", torch.zeros(data.num_nodes, size, device=device))

    def fit(self, data: NodeData) -> None:
        features_NF = input_features(data, self.config.code_dim)
        blocks = [features_NF] if self.config.own_features else []
        for matrix in data.graphs.values():
            count_N = torch.from_numpy(np.diff(matrix.indptr)).clamp(min=1)
            blocks.append(square(matrix).times(features_NF) / count_N[:, None])
        blocks = [scaled(block_NF, self.config.scale) for block_NF in blocks]
        joined = torch.cat(blocks, 1) if self.config.join == "concatenate" else torch.stack(blocks).mean(0)
        self.rows.copy_(joined)

    def represent(self) -> Tensor:
        return self.rows

    def embed(self) -> dict[str, Tensor]:
        return {"averaged": self.rows}
