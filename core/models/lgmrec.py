"""LGMRec: local graph embeddings and global hypergraph embeddings. N nodes, D dims."""

from torch import Tensor

from core.catalog.hypergraph import LGMRecConfig
from core.findings import Finding
from core.models.hypergraph import Hypergraph, HypergraphEncoding, HypergraphRanker, summed
from core.models.hypergraph_findings import branch_norms, memberships
from core.ops.unit import unit_rows


class LGMRec(HypergraphRanker):
    """e = c + sum_m unit(g_m) + alpha unit(sum_m hypergraph_m); L = BPR + hcl_weight HCL + l2 norms.

    Source: Guo et al., AAAI 2024, Eqs. 1 to 13, as in the released code; see `HypergraphRanker` for the parts.
    """

    config: LGMRecConfig

    @property
    def uses_hypergraphs(self) -> bool:
        contrasted = self.config.hcl_weight > 0 and len(self.modalities) > 1
        return self.config.alpha > 0 or contrasted

    def combined(
        self, collaborative: Tensor, modal: tuple[Tensor, ...], hypergraphs: tuple[Hypergraph, ...]
    ) -> HypergraphEncoding:
        branches = {"collaborative": collaborative, "modal": summed(modal)}
        if self.config.alpha:
            total_ND = summed([hypergraph.output for hypergraph in hypergraphs])
            branches["hypergraph"] = self.config.alpha * unit_rows(total_ND)
        final_ND = summed(list(branches.values()))
        return HypergraphEncoding(collaborative, modal, hypergraphs, final_ND, None, branches)

    def findings(self) -> tuple[Finding, ...]:
        """What the branches contribute, and the hyperedges."""
        with self.evaluating():
            return (*branch_norms(self, "LGMRec, Eq. 12"), *memberships(self, "LGMRec, Eq. 6"))

    def embed(self) -> dict[str, Tensor]:
        """Every branch and what scores (`final`), users above items."""
        with self.evaluating():
            encoding = self.encoding()
            return {k: rows.detach() for k, rows in ({"final": encoding.final} | encoding.branches).items()}
