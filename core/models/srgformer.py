"""SRGFormer: graph embeddings refined by learned hypergraphs (local) and a graph transformer (global).

N nodes, E = 2 x pairs edges, H heads, B pairs in a batch, D dims.
"""

import torch
from torch import Tensor, nn

from core.catalog.hypergraph import SRGFormerConfig
from core.data.ranking import RankingData
from core.errors import DataError
from core.findings import Finding
from core.models.hypergraph import (
    Hypergraph,
    HypergraphEncoding,
    HypergraphRanker,
    Noise,
    contrasted,
    summed,
)
from core.models.hypergraph_findings import branch_norms, memberships
from core.models.pairwise import PairBatch
from core.models.srgformer_findings import attention_findings
from core.ops.graph_attention import graph_attention
from core.ops.graphs import Sides
from core.ops.sparse import Pattern
from core.ops.square import in_sides
from core.ops.unit import unit_rows

BOUND = 10.0  # of the attention's logits
_QUERY, _KEY, _VALUE = range(3)


class GraphTransformer(nn.Module):
    """Multi-head attention of every node over its neighbours: logits q . k per head, no 1 / sqrt(d), clamped to [-10, 10],
    softmax over the row, values summed, heads side by side; no bias, residual, norm or output projection.

    ffn: x + W2 relu(W1 x + b1) + b2 after it, as transformers have; the paper removes it and gives no form, this is ours.
    """

    def __init__(self, dim: int, heads: int, ffn: bool) -> None:
        super().__init__()
        self.heads = heads
        self.projections = nn.ParameterList(
            [nn.Parameter(nn.init.xavier_uniform_(torch.empty(dim, dim))) for _ in range(3)]
        )
        self.ffn = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, dim)) if ffn else None

    def forward(self, pattern: Pattern, rows_ND: Tensor) -> tuple[Tensor, Tensor]:
        """[N, D] and the shares [H, E]."""
        size = (len(rows_ND), self.heads, -1)
        query, key, value = (  # one product of full width each, and the heads side by side in memory
            (rows_ND @ projection).view(size).transpose(0, 1).contiguous().unbind(0)
            for projection in self.projections
        )
        output_ND, share_HE = graph_attention(pattern, query, key, value, BOUND)
        return (output_ND if self.ffn is None else output_ND + self.ffn(output_ND)), share_HE


class SRGFormer(HypergraphRanker):
    """e = c + sum_m unit(g_m) + alpha unit(transformer) + beta unit(sum_m hypergraph_m);
    L = BPR + hcl_weight HCL + mcl_weight MCL + l2 norms.

    The transformer runs on the initial embeddings over the edges of the behaviour graph. HCL contrasts the hypergraphs'
    outputs, MCL the modal graph embeddings, in the same form.
    Source: arXiv 2511.00584, 2025, as in the code released as HubuKG/SRGFormer; see `HypergraphRanker` for the parts.
    Departs: the released code writes the text's user memberships over the image's and leaves the text's user logits without
    softmax. The default is the form of the equations; `as_released` restores what was run, since published numbers may come
    from it. Evaluation draws no Gumbel noise in either.
    """

    config: SRGFormerConfig

    def __init__(self, config: SRGFormerConfig, data: RankingData, device: torch.device) -> None:
        super().__init__(config, data, device)
        if config.as_released and len(self.modalities) != 2:
            raise DataError(
                f"as_released is defined for two modalities, and {data.name} has {len(self.modalities)}; choose "
                "as_released=false"
            )
        self.transformer = GraphTransformer(config.dim, config.heads, config.ffn) if config.alpha else None
        self.to(device)

    @property
    def uses_hypergraphs(self) -> bool:
        return self.config.beta > 0 or (self.config.hcl_weight > 0 and len(self.modalities) > 1)

    def memberships(self, logits: tuple[Sides, ...], noise: Noise | None) -> tuple[Sides, ...]:
        if not self.config.as_released:
            return super().memberships(logits, noise)
        first, text = logits
        return (
            Sides(self.chosen(text.user, noise), self.chosen(first.item, noise)),
            Sides(text.user, self.chosen(text.item, noise)),
        )

    def combined(
        self, collaborative: Tensor, modal: tuple[Tensor, ...], hypergraphs: tuple[Hypergraph, ...]
    ) -> HypergraphEncoding:
        branches = {"collaborative": collaborative, "modal": summed(modal)}
        attention = None
        if self.transformer is not None:
            initial_ND = torch.cat([self.user_embedding, self.item_embedding])
            global_ND, attention = self.transformer(self.graph.pattern, initial_ND)
            branches["transformer"] = self.config.alpha * unit_rows(global_ND)
        if self.config.beta:
            total_ND = summed([hypergraph.output for hypergraph in hypergraphs])
            branches["hypergraph"] = self.config.beta * unit_rows(total_ND)
        final_ND = summed(list(branches.values()))
        return HypergraphEncoding(collaborative, modal, hypergraphs, final_ND, attention, branches)

    def contrasts(self, batch: PairBatch, encoding: HypergraphEncoding) -> dict[str, Tensor]:
        found = super().contrasts(batch, encoding)
        pairs = contrasted(len(encoding.modal))
        if self.config.mcl_weight and pairs:
            units = [in_sides(table, self.num_users) for table in encoding.modal]
            sums = [self._modal_contrast(batch, units[a], units[b]) for a, b in pairs]
            found["mcl"] = self.config.mcl_weight * torch.stack(sums).mean()
        return found

    def findings(self) -> tuple[Finding, ...]:
        """What the branches contribute, the hyperedges, and what the transformer attends to."""
        with self.evaluating():
            return (
                *branch_norms(self, "SRGFormer, Eq. 15"),
                *memberships(self, "SRGFormer, Section III.C.1"),
                *attention_findings(self, "SRGFormer, Section III.C.2"),
            )

    def embed(self) -> dict[str, Tensor]:
        """Every branch and what scores (`final`), users above items."""
        with self.evaluating():
            encoding = self.encoding()
            return {k: rows.detach() for k, rows in ({"final": encoding.final} | encoding.branches).items()}

    def _modal_contrast(self, batch: PairBatch, asking: Sides, asked: Sides) -> Tensor:
        users = self.contrast(asking.user, asked.user, batch.users)
        return users + self.contrast(asking.item, asked.item, batch.positive)
