"""What an HGIB model says about itself: abundance and spectra of its levels, what they share, edges, fusion.

U users, I items, N = U + I nodes, E pairs of a graph, D dims, M rows of the sample.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from core.catalog.hgib import HGIBConfig
from core.data.components import PRUNED_UP_TO, Component
from core.data.ranking import RankingData
from core.findings import Axis, Finding, Kind
from core.models.base import sampled
from core.models.levels import SIDES, fusion_attention, spectra
from core.ops.weighted import EdgeWeights

if TYPE_CHECKING:
    from core.models.hgib import HGIB, HGIBEncoding

_SAMPLE = (
    1024  # users, and items, on which HSIC and preservation are measured: as many as a batch of the paper
)
_BINS = 20


class HGIBFindings:
    """The findings of one model; the sample that some are measured on stays the same from epoch to epoch."""

    def __init__(self, config: HGIBConfig, data: RankingData, graphs: tuple[Component, ...]) -> None:
        self._config, self._graphs = config, graphs
        pairs = data.train[data.target].tocoo()
        users, items = np.unique(pairs.row), np.unique(pairs.col)
        most = min(_SAMPLE, len(users), len(items))
        # nobody twice: two equal rows cannot be told apart, which would count as lost
        self._sample = [
            torch.from_numpy(nodes[sampled(len(nodes), most).numpy()]).long() for nodes in (users, items)
        ]

    def of(self, model: "HGIB") -> tuple[Finding, ...]:
        """Everything, from the encoding that scores."""
        encoding = model.encoding()
        users_M, items_M = (part.to(model.device) for part in self._sample)
        found = [*self._spectra(encoding), self._shared(model, encoding, users_M, items_M)]
        if model.preserved:
            found.append(self._preserved(model, encoding, users_M, items_M))
        if self._config.refinement != "none":
            found += self._edges(model, encoding)
        return (*found, *self._fusion(model, encoding))

    def weights(self, model: "HGIB") -> list[tuple[Component, csr_array]]:
        """Every graph with the weights of its pairs in evaluation, [U, I], the mean of both directions where they differ;
        graphs without refinement are left out."""
        found = []
        for graph, weights in self._weights(model):
            mean = torch.stack(weights.both).mean(0).double().cpu().numpy()
            pairs = graph.pairs
            found.append((graph, csr_array((mean, pairs.indices, pairs.indptr), shape=pairs.shape)))
        return found

    def _weights(self, model: "HGIB") -> Iterator[tuple[Component, EdgeWeights]]:
        levels = model.encoding().levels
        for graph in self._graphs:
            previous = model.encoder.previous(graph, levels.initial, levels.graphs)
            weights = model.encoder.weighing(graph)(model.encoder.patterns[graph.key], previous, None)
            if weights is not None:
                yield graph, weights

    def _spectra(self, encoding: "HGIBEncoding") -> list[Finding]:
        levels = [(graph.title, encoding.levels.graphs[graph.key]) for graph in self._graphs]
        tables = [("initial", encoding.levels.initial), *levels, ("output", encoding.output)]
        return spectra(tables, "HGIB, Section 5.8", "The paper's Figure 6 has it fall from level to level.")

    def _shared(self, model: "HGIB", encoding: "HGIBEncoding", users_M: Tensor, items_M: Tensor) -> Finding:
        values = model.compression(encoding.levels, users_M, items_M)
        titles = {"": "initial", **{g.key: g.title for g in self._graphs}}
        pairs = [f"{titles[g.parent]} > {g.title}" for g in self._graphs]
        table = np.array([[float(values[g.key, side]) for side in SIDES] for g in self._graphs]).clip(min=0)
        return Finding(
            "hsic",
            "Dependence of each level on the one before it",
            "HGIB, Section 4.3",
            Kind.AMOUNT,
            (Axis.labelled("level_pair", pairs), Axis.labelled("side", SIDES)),
            table,
            np.full(table.shape, len(users_M)),
            f"HSIC with the run's kernel on a fixed sample of {len(users_M):,} users and as many items of training pairs; 0 "
            "says independent. This is what L_comp presses down.",
        )

    def _preserved(
        self, model: "HGIB", encoding: "HGIBEncoding", users_M: Tensor, items_M: Tensor
    ) -> Finding:
        values = model.preservation(encoding, users_M, items_M)
        titles = {graph.key: graph.title for graph in self._graphs}
        table = np.array([float(value) for value in values.values()])
        return Finding(
            "preservation",
            "What each level loses of the output",
            "HGIB, Section 4.3",
            Kind.AMOUNT,
            (Axis.labelled("level", [titles[key] for key in values]),),
            table,
            np.full(table.shape, len(users_M)),
            f"InfoNCE of the output against the level, users plus items, in nats, on a fixed sample of {len(users_M):,} "
            f"users and as many items of training pairs: 0 picks out every row, {2 * np.log(max(1, len(users_M))):.1f} is "
            "guessing. This is what L_pres presses down, over batches in which users and items repeat.",
        )

    def _edges(self, model: "HGIB", encoding: "HGIBEncoding") -> list[Finding]:
        levels = encoding.levels
        rates, counts, sizes = [], [], []
        for graph, weights in self._weights(model):
            directions = weights.both if self._config.as_released else (weights.to_user,)
            values = torch.cat(directions).double().cpu().numpy()
            previous = model.encoder.previous(graph, levels.initial, levels.graphs)
            weighing, pattern = model.encoder.weighing(graph), model.encoder.patterns[graph.key]
            trained = weighing.training_keep_rate(pattern, previous) if len(values) else 1.0
            rates.append([trained, float((values > PRUNED_UP_TO).mean()) if len(values) else 1.0])
            counts.append(np.histogram(values, bins=_BINS, range=(0, 1 + PRUNED_UP_TO))[0])
            sizes.append([pattern.num_entries] * 2)
        drawn = "with noise, as the released code draws it" if self._config.as_released else "without noise"
        edges = np.linspace(0, 1, _BINS + 1)
        axis = Axis.labelled("graph", [graph.title for graph in self._graphs])
        return [
            Finding(
                "edge_keep_rate",
                "Share of edges that are kept",
                "HGIB, Eq. 10",
                Kind.RATE,
                (axis, Axis.labelled("noise", ("training", "evaluation"))),
                np.array(rates),
                np.array(sizes),
                "In training noise decides, too: the expected share is shown. A pair is only pruned where its ends are "
                f"clearly unlike; above that its weight does the work. Evaluation goes {drawn}.",
            ),
            Finding(
                "edge_weight_histogram",
                "Weights of the edges",
                "HGIB, Eq. 10",
                Kind.AMOUNT,
                (
                    axis,
                    Axis.labelled("bin", [f"{low:.2f} to {high:.2f}" for low, high in pairwise(edges)]),
                ),
                np.array(counts),
                None,
                f"Number of edges by weight, {drawn}; pruned edges lie in the first bin.",
            ),
        ]

    def _fusion(self, model: "HGIB", encoding: "HGIBEncoding") -> Iterator[Finding]:
        titles = {graph.key: graph.title for graph in self._graphs}
        for number, (stage, shares) in enumerate(zip(model.stages, encoding.attention), 1):
            if len(stage) < 2:
                continue
            asked = "behaviours" if stage[0] in model.behaviors else "component graphs"
            sources = [titles[key] for key in stage]
            yield fusion_attention(number, asked, sources, shares, "HGIB, Section 4.5")
