"""HeCo: what a node's neighbours say is contrasted with what its metapaths say, with several positives per node.

N nodes of the target type, D dims, T types, M metapaths.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.catalog.heco import HeCoConfig
from core.data.nodes import NodeData
from core.findings import Axis, Finding, Kind
from core.models.graph_steps import GraphStep, WholeGraph
from core.models.han_encoder import Layered
from core.models.heco_positives import positive_pairs
from core.models.heco_views import (
    GAIN,
    MetapathView,
    SchemaView,
    content_of,
    dropped,
    neighbors_by_type,
)
from core.models.named import ByName
from core.models.node_findings import semantic_attention
from core.models.nodes import EncodedNodes, input_features
from core.ops.several_positives import contrast_with
from core.ops.sparse import pattern_of
from core.ops.square import square, symmetric_normalized


class Viewed(NamedTuple):
    """Rows [N, D] of both views with their shares, of metapaths [M] and of types [T]; None for a view that is not looked at."""

    metapaths: Layered | None
    schema: Layered | None


class HeCo(EncodedNodes[Viewed], WholeGraph):
    """L = balance C(mp, sc) + (1 - balance) C(sc, mp), C(q, k) = -ln of the positives' part in sum_j e^(cos(g(q_i), g(k_j)) / t).

    mp: one graph convolution per metapath and attention over metapaths; sc: attention over drawn neighbours of every type and
    over types; g: a map, ELU and a map, shared by both. The metapath view is what is evaluated.
    Source: Wang et al., KDD 2021, Secs. 4.1 to 4.5, and the released code, from which come the dropouts, the ranking of positives, and
    that other types have learned rows even where they have features. Departs from that code: a node with fewer neighbours than are
    drawn shows each once, where the code draws some twice; one number of drawn neighbours for all types; a node is
    always its own positive. With one view alone it is contrasted with itself, the ablations' reading of Sec. 5.5.
    """

    features: Tensor

    def __init__(self, config: HeCoConfig, data: NodeData, device: torch.device) -> None:
        super().__init__()
        self.config, self.device, self.names = config, device, data.metapaths
        self.register_buffer("features", input_features(data, config.code_dim), persistent=False)
        self.positives = pattern_of(positive_pairs(data, config.positives, config.positives_by)).to(device)
        self.to_own = _map(self.features.shape[1], config.hidden)
        self.metapath_view = self.schema_view = self.content = None
        dim, dropout = config.hidden, config.attention_dropout
        if config.views != "schema":
            graphs = {
                name: square(symmetric_normalized(matrix)).to(device) for name, matrix in data.graphs.items()
            }
            self.metapath_view = MetapathView(graphs, dim, dropout)
        if config.views != "metapaths":
            neighbors = neighbors_by_type(data, device)
            self.schema_view = SchemaView(neighbors, config.neighbors, dim, dropout)
            self.content = ByName(
                {kind: content_of(data, kind, dim, config.neighbor_features, device) for kind in neighbors}
            )
        self.head = nn.Sequential(_map(dim, dim), nn.ELU(), _map(dim, dim))
        self.to(device)

    def encode(self) -> Viewed:
        return self.viewed(None)

    def viewed(self, noise: torch.Generator | None) -> Viewed:
        """Both views; with noise under dropout and of drawn neighbours."""
        rate = self.config.feature_dropout
        own_ND = F.elu(dropped(self.to_own(self.features), rate, noise))
        metapaths = schema = None
        if self.metapath_view is not None:
            metapaths = self.metapath_view(own_ND, noise)
        if self.schema_view is not None and self.content is not None:
            content = {kind: F.elu(dropped(made(), rate, noise)) for kind, made in self.content.items()}
            schema = self.schema_view(content, own_ND, noise)
        return Viewed(metapaths, schema)

    def losses(self, batch: GraphStep) -> dict[str, Tensor]:
        viewed = self.viewed(batch.generator(self.device))
        projected = [self.head(view.rows) for view in viewed if view is not None]
        first, last = projected[0], projected[-1]
        balance, t = self.config.balance, self.config.temperature
        if len(projected) == 1:
            return {"contrast": contrast_with(first, last, self.positives, t)}
        return {
            "metapath_contrast": balance * contrast_with(first, last, self.positives, t),
            "schema_contrast": (1 - balance) * contrast_with(last, first, self.positives, t),
        }

    def represent(self) -> Tensor:
        with self.evaluating():
            viewed = self.encoding()
            view = viewed.schema if viewed.metapaths is None else viewed.metapaths
            assert view is not None
            return view.rows

    def embed(self) -> dict[str, Tensor]:
        """Both views."""
        with self.evaluating():
            views = self.encoding()._asdict()
            return {name: view.rows.detach() for name, view in views.items() if view is not None}

    def findings(self) -> tuple[Finding, ...]:
        """Attention over metapaths, and over types of neighbours."""
        with self.evaluating():
            viewed = self.encoding()
        found = []
        if viewed.metapaths is not None:
            stages = {"metapath view": viewed.metapaths.shares}
            note = "How much the metapath view takes from each metapath, without dropout."
            found.append(semantic_attention(stages, self.names, "HeCo, Sec. 4.3", note))
        if viewed.schema is not None and self.content is not None:
            axes = (Axis.labelled("layer", ("schema view",)), Axis.labelled("type", tuple(self.content)))
            found.append(
                Finding(
                    "type_attention",
                    "Attention over types of neighbours",
                    "HeCo, Sec. 4.2",
                    Kind.SHARE,
                    axes,
                    viewed.schema.shares[None].cpu().numpy(),
                    None,
                    "How much the schema view takes from the neighbours of each type, of whom it sees all here, without dropout.",
                )
            )
        return tuple(found)


def _map(width: int, size: int) -> nn.Linear:
    layer = nn.Linear(width, size)
    nn.init.xavier_normal_(layer.weight, gain=GAIN)
    return layer
