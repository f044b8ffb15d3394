"""The contract of models that embed the labelled nodes of a heterogeneous graph.

N nodes of the target type, D dims, F features.
"""

from abc import abstractmethod

import torch
from scipy.sparse import issparse
from torch import Tensor

from core.data.nodes import NodeData
from core.models.base import Encoding, GraphModel, Model
from core.ops.unit import unit_rows


class NodeModel(Model):
    """A model whose frozen embeddings are classified and clustered."""

    @abstractmethod
    def represent(self) -> Tensor:
        """The embeddings that are evaluated, [N, D], in eval mode and without noise."""

    def represent_for(self, labels_per_class: int) -> Tensor:
        """The embeddings evaluated with so many labels per class: other ones only where a model learned from just these."""
        return self.represent()


class FittedNodes(NodeModel):
    """A node model in closed form: `fit` replaces training; there are no epochs and no losses."""

    @abstractmethod
    def fit(self, data: NodeData) -> None:
        """Compute the model's buffers from the graph; labels are never read."""


class EncodedNodes(GraphModel[Encoding], NodeModel):
    """A node model whose findings and embeddings come from one encode step without noise."""


def input_features(data: NodeData, code_dim: int) -> Tensor:
    """What encoders read of the target nodes, [N, F] float32, rows normalised.

    Nodes without features get random codes of `code_dim` dims, the same for every model and seed. Departs: HeCo's and
    HGMAE's code give them one-hot rows; a code is a one-hot row times a fixed random matrix, without N columns.
    """
    if data.features is not None:
        dense = data.features.toarray() if issparse(data.features) else data.features
        return torch.from_numpy(dense.copy())
    codes_NF = torch.randn(data.num_nodes, code_dim, generator=torch.Generator().manual_seed(0))
    return unit_rows(codes_NF)
