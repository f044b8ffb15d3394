"""HAN, trained on labels: one encoder and classifier per label setting, so that no test label is learned from.

N nodes, D dims (all heads), C classes, M metapaths, S label settings, n training nodes of a setting.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.catalog.han import SupervisedHANConfig
from core.data.nodes import NodeData
from core.findings import Finding
from core.models.graph_steps import GraphStep, WholeGraph
from core.models.han_encoder import Graphs, HANShape, HANStack, stacked
from core.models.node_findings import by_layer, semantic_attention
from core.models.nodes import EncodedNodes, input_features
from core.ops.losses import squared_norm
from core.ops.metapaths import attention_graphs


class Classified(NamedTuple):
    """Embeddings [N, D], every layer's shares of metapaths [M], and logits [N, C]."""

    rows: Tensor
    shares: list[Tensor]
    logits: Tensor


class Classifier(nn.Module):
    """A HAN and a linear map to classes."""

    def __init__(self, metapaths: tuple[str, ...], shapes: list[HANShape], classes: int) -> None:
        super().__init__()
        self.encoder = HANStack(metapaths, shapes)
        self.to_classes = nn.Linear(shapes[-1].out_dim, classes)
        nn.init.xavier_uniform_(self.to_classes.weight)
        nn.init.zeros_(self.to_classes.bias)

    def forward(self, graphs: Graphs, rows_NF: Tensor, noise: torch.Generator | None) -> Classified:
        rows_ND, shares = self.encoder(graphs, rows_NF, noise)
        return Classified(rows_ND, shares, self.to_classes(rows_ND))


class HAN(EncodedNodes[dict[int, Classified]], WholeGraph):
    """L = sum over settings of the mean cross entropy of their training nodes + l2 |parameters|^2 / 2.

    Source: Wang et al., WWW 2019, Eqs. 1 to 10; the penalty is what the released code's Adam decays weights by.
    The protocol's settings hold training nodes that are test nodes of another setting. So each has parameters and noise of its
    own: they share one run, and `represent_for` gives the embeddings that a setting's own labels made. The epoch alone is
    common: it is chosen by the mean over settings of what the protocol's classifier reaches on validation nodes.
    Departs: PReLU follows every metapath's attention, where Eq. 4 leaves the function open and the released code has ELU; what
    is scored is the protocol's classifier on the embeddings, not HAN's own.
    """

    features: Tensor

    def __init__(self, config: SupervisedHANConfig, data: NodeData, device: torch.device) -> None:
        super().__init__()
        self.config, self.device, self.metapaths = config, device, data.metapaths
        self.register_buffer("features", input_features(data, config.code_dim), persistent=False)
        self.graphs = attention_graphs(data.graphs, device)
        self.training_nodes = {
            size: torch.from_numpy(setting.train).to(device) for size, setting in data.settings.items()
        }
        labels = torch.from_numpy(data.labels).to(device)
        self.training_labels = {size: labels[nodes] for size, nodes in self.training_nodes.items()}
        first = HANShape.of(config, self.features.shape[1])
        shapes = stacked(first, config.num_layers)
        self.by_setting = nn.ModuleDict(
            {str(size): Classifier(data.metapaths, shapes, len(data.classes)) for size in data.settings}
        )
        self.to(device)

    def losses(self, batch: GraphStep) -> dict[str, Tensor]:
        seeds = torch.randint(
            2**62, (len(self.training_nodes),), generator=batch.generator(self.device), device=self.device
        )
        found = {}
        for (size, nodes_n), seed in zip(self.training_nodes.items(), seeds.tolist()):
            noise = torch.Generator(self.device).manual_seed(seed)
            made: Classified = self.by_setting[str(size)](self.graphs, self.features, noise)
            found[f"cross_entropy_{size}"] = F.cross_entropy(made.logits[nodes_n], self.training_labels[size])
        if self.config.l2:
            found["l2"] = self.config.l2 / 2 * squared_norm(self.parameters())
        return found

    def encode(self) -> dict[int, Classified]:
        return {
            size: self.by_setting[str(size)](self.graphs, self.features, None) for size in self.training_nodes
        }

    def represent(self) -> Tensor:
        """The embeddings of the smallest setting."""
        return self.represent_for(min(self.training_nodes))

    def represent_for(self, labels_per_class: int) -> Tensor:
        with self.evaluating():
            return self.encoding()[labels_per_class].rows

    def embed(self) -> dict[str, Tensor]:
        """Every setting's embeddings: `h_20` are those that 20 labels per class made."""
        with self.evaluating():
            return {f"h_{size}": made.rows.detach() for size, made in self.encoding().items()}

    def findings(self) -> tuple[Finding, ...]:
        """Attention over metapaths."""
        with self.evaluating():
            stages = {
                f"{size} labels, {layer}": share_M
                for size, made in self.encoding().items()
                for layer, share_M in by_layer(made.shares).items()
            }
            note = "How much every layer takes from each metapath, without dropout; one encoder per label setting."
            return (semantic_attention(stages, self.metapaths, "HAN, Eqs. 7 and 8", note),)
