"""HGCVAE: a HAN encoder trained by contrast with progressively variational negatives, a KL divergence and masked features.

N nodes, S masked nodes, D dims (all heads), F features, M metapaths, K tables of negatives.
"""

from dataclasses import replace
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from core.catalog.hgcvae import MOST_MASKED, HGCVAEConfig
from core.data.nodes import NodeData
from core.findings import Finding
from core.models.graph_steps import GraphStep, WholeGraph
from core.models.han_encoder import HANLayer, HANShape, HANStack, stacked
from core.models.hgcvae_findings import learned_findings, step_findings
from core.models.nodes import EncodedNodes, input_features
from core.ops.dropout import Dropout
from core.ops.masking import Masked, mask_rate_at, masked, restoration_error
from core.ops.metapaths import attention_graphs
from core.ops.negatives import Negatives, contrast
from core.ops.normals import drawn_normals, standard_divergence
from core.ops.unit import unit_rows

Given = TypeVar("Given")


class Latent(NamedTuple):
    """Means and log scales of the latent normals, [N, D] each, and the shares of metapaths behind them, [M] each."""

    mean: Tensor
    log_scale: Tensor
    mean_shares: Tensor
    scale_shares: Tensor


class Encoded(NamedTuple):
    """h: embeddings [N, D]. shares: of metapaths, [M] per layer. latent: None where nothing uses it. restored: features out
    of the decoder, [N, F], with its shares; None where nothing is restored."""

    h: Tensor
    shares: list[Tensor]
    latent: Latent | None
    restored: Tensor | None
    decoder_shares: Tensor | None


class Passes(NamedTuple):
    """What one training step forms: both passes over the masked features, and what hangs on them."""

    masked: Masked
    h1: Tensor
    h2: Tensor
    shares1: list[Tensor]
    shares2: list[Tensor]
    latent: Latent | None

    @property
    def sources(self) -> tuple[Tensor, ...]:
        """What tables of negatives are made of."""
        return (self.h1,) if self.latent is None else (self.h1, self.latent.mean, self.latent.log_scale)


class HGCVAE(EncodedNodes[Encoded], WholeGraph):
    """L = contrastive_weight InfoNCE(h1, h2, negatives) + kl_weight KL + esce_weight ESCE.

    Two passes h1, h2 of one HAN over masked features, each with its own dropout; mean and log scale are HAN layers on h1;
    negatives are h1 under dropout and, more and more of them, deviation x mean + noise x scale; the decoder (a linear map
    and one HAN layer) restores the features of masked nodes.
    Source: arXiv 2310.11102, 2023, and the code released as HVGAE, which was built on HGMAE's.
    Departs from the paper: the decoder reads the second pass and never the latent sample, as in the released code;
    `decoder_input = "z"` is the other reading. Departs from the released code: the number of negatives does not grow on after
    they are all variational, and a node is no negative of itself; `growing_negatives` restores both. The best epoch's weights
    are restored by copy, where the released code restores a reference to the last.
    """

    def __init__(self, config: HGCVAEConfig, data: NodeData, device: torch.device) -> None:
        super().__init__()
        self.config, self.device, self.metapaths = config, device, data.metapaths
        self.labels, self.num_classes = torch.from_numpy(data.labels), len(data.classes)
        self.register_buffer("features", input_features(data, config.code_dim), persistent=False)
        self.graphs = attention_graphs(data.graphs, device)
        width = self.features.shape[1]
        first = HANShape.of(config, width)
        *_, last = shapes = stacked(first, config.num_layers)
        inner = stacked(last, 2)[1]  # a layer that reads embeddings and gives embeddings
        self.encoder = HANStack(data.metapaths, shapes)
        self.token = nn.Parameter(torch.zeros(1, width)) if config.mask_rate else None
        self.mean_head = HANLayer(data.metapaths, inner) if self.uses_latent else None
        self.scale_head = HANLayer(data.metapaths, inner) if self.uses_latent else None
        self.to_decoder = self.decoder = None
        if config.esce_weight:
            out = replace(first, in_dim=config.hidden, head_dim=width, heads=1, activation=False)
            self.to_decoder = nn.Linear(config.hidden, config.hidden, bias=False)
            self.decoder = HANLayer(data.metapaths, out)
        self.epoch, self.epochs = 0, config.epochs
        self.to(device)

    features: Tensor

    @property
    def uses_latent(self) -> bool:
        """Whether any loss reaches the variational heads."""
        config = self.config
        by_contrast = config.contrastive_weight > 0 and config.negatives != "dropout"
        by_decoder = config.esce_weight > 0 and config.decoder_input == "z"
        return config.kl_weight > 0 or by_contrast or by_decoder

    @property
    def mask_rate(self) -> float:
        """Share of nodes masked in the current epoch."""
        progress = self.epoch / self.epochs
        return mask_rate_at(self.config.mask_rate, self.config.mask_schedule, progress, MOST_MASKED)

    @property
    def tables(self) -> tuple[int, int]:
        """How many tables of negatives come from dropout and how many from the variational heads in the current epoch.

        Progressive: floor(K t / T) variational ones, T the epoch from which all are; the rest by dropout.
        """
        count, kind = self.config.num_negatives, self.config.negatives
        if kind != "progressive":
            return (count, 0) if kind == "dropout" else (0, count)
        variational = int(count * self.epoch / (self.config.variational_from * self.epochs) + 1e-9)
        most = min(variational, count) if self.config.cap_negatives else variational
        return max(0, count - variational), most

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        self.epoch, self.epochs = epoch - 1, epochs  # the paper counts from 0

    def losses(self, batch: GraphStep) -> dict[str, Tensor]:
        noise = batch.generator(self.device)
        passes = self.passes(noise)
        config, found = self.config, {}
        if config.contrastive_weight:
            negatives = self.negatives(noise)
            value = contrast(passes.h1, passes.h2, negatives, config.temperature, passes.sources)
            found["contrastive"] = config.contrastive_weight * value
        if config.kl_weight:
            latent = _given(passes.latent)
            found["kl"] = config.kl_weight * standard_divergence(latent.mean, latent.log_scale).mean()
        if config.esce_weight:
            made_NF, _ = self.restored(self.decoded_rows(passes, noise), noise)
            nodes = passes.masked.nodes if len(passes.masked.nodes) else slice(None)
            error = restoration_error(made_NF[nodes], self.features[nodes], config.esce, config.esce_power)
            found["esce"] = config.esce_weight * error
        return found

    def passes(self, noise: torch.Generator) -> Passes:
        """Mask, encode twice, and place the latent normals on the first pass."""
        hidden = self.mask(noise)
        h1, shares1 = self.encoder(self.graphs, hidden.rows, noise)
        h2, shares2 = self.encoder(self.graphs, hidden.rows, noise)
        return Passes(hidden, h1, h2, shares1, shares2, self.latent(h1, noise))

    def mask(self, noise: torch.Generator) -> Masked:
        if self.token is None:
            return Masked(self.features, torch.empty(0, dtype=torch.long, device=self.device), 0, 0, 0)
        keep, replace = self.config.keep_rate, self.config.replace_rate
        return masked(self.features, self.token, self.mask_rate, keep, replace, noise)

    def latent(self, h_ND: Tensor, noise: torch.Generator | None) -> Latent | None:
        """The normals on embeddings; None where no loss needs them."""
        if self.mean_head is None or self.scale_head is None:
            return None
        mean, log_scale = (head(self.graphs, h_ND, noise) for head in (self.mean_head, self.scale_head))
        mean_ND, log_scale_ND = mean.rows, log_scale.rows
        if self.config.normalise_heads:
            mean_ND, log_scale_ND = unit_rows(mean_ND), unit_rows(log_scale_ND)
        return Latent(mean_ND, log_scale_ND, mean.shares, log_scale.shares)

    def negatives(self, noise: torch.Generator) -> list[Negatives]:
        """The current epoch's tables, dropout ones first, to be made of `sources`."""
        by_dropout, variational = self.tables
        tables = [self.by_dropout(self._rows(noise), noise) for _ in range(by_dropout)]
        return tables + [self.variational(self._rows(noise), noise) for _ in range(variational)]

    def by_dropout(self, nodes: Tensor | None, noise: torch.Generator) -> Negatives:
        """Embeddings with some of their entries left out; `nodes` None takes all. A row is its node's own embedding."""
        dropout = Dropout.drawn(self.config.negative_dropout, noise)

        def make(h_ND: Tensor, *others: Tensor) -> Tensor:
            rows_MD = chosen(h_ND, nodes)
            return rows_MD if dropout is None else rows_MD * dropout.mask(rows_MD)

        everyone = torch.arange(len(self.features), device=self.device) if nodes is None else nodes
        return Negatives(make, everyone if self.config.exclude_own else None)

    def variational(self, nodes: Tensor | None, noise: torch.Generator) -> Negatives:
        """deviation x mean + noise x scale."""
        seed = int(torch.randint(2**62, (), generator=noise, device=noise.device))

        def make(h_ND: Tensor, mean_ND: Tensor, log_scale_ND: Tensor) -> Tensor:
            mean_MD, log_scale_MD = chosen(mean_ND, nodes), chosen(log_scale_ND, nodes)
            noise = torch.Generator(self.device).manual_seed(seed)
            return drawn_normals(self.config.deviation * mean_MD, log_scale_MD, noise)

        return Negatives(make)

    def _rows(self, noise: torch.Generator) -> Tensor | None:
        """The nodes that a table holds; None for all."""
        count = len(self.features)
        if not 0 < self.config.negative_nodes < count:
            return None
        return torch.randperm(count, generator=noise, device=self.device)[: self.config.negative_nodes]

    def decoded_rows(self, passes: Passes, noise: torch.Generator) -> Tensor:
        """What the decoder reads: the second pass, or the latent sample."""
        if self.config.decoder_input == "h2":
            return passes.h2
        latent = _given(passes.latent)
        return drawn_normals(latent.mean, latent.log_scale, noise)

    def restored(self, rows_ND: Tensor, noise: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Features out of the decoder [N, F], and its shares of metapaths [M]."""
        layered = _given(self.decoder)(self.graphs, _given(self.to_decoder)(rows_ND), noise)
        return layered.rows, layered.shares

    def encode(self) -> Encoded:
        h_ND, shares = self.encoder(self.graphs, self.features, None)
        latent = self.latent(h_ND, None)
        restored = decoder_shares = None
        if self.decoder is not None:
            reads = h_ND if self.config.decoder_input == "h2" else _given(latent).mean
            restored, decoder_shares = self.restored(reads, None)
        return Encoded(h_ND, shares, latent, restored, decoder_shares)

    def represent(self) -> Tensor:
        with self.evaluating():
            return self.encoding().h

    def embed(self) -> dict[str, Tensor]:
        """What is classified (`h`) and the latent means (`latent`)."""
        with self.evaluating():
            encoding = self.encoding()
            found = {"h": encoding.h.detach()}
            return found if encoding.latent is None else found | {"latent": encoding.latent.mean.detach()}

    def findings(self) -> tuple[Finding, ...]:
        """Attention over metapaths, the latent normals, what is restored."""
        with self.evaluating():
            return learned_findings(self)

    def probes(self, batch: GraphStep) -> tuple[Finding, ...]:
        """The step's masks and negatives, and how hard these are."""
        return step_findings(self, batch)


def chosen(rows_ND: Tensor, nodes_M: Tensor | None) -> Tensor:
    """The rows of some nodes, [M, D]; None: of all."""
    return rows_ND if nodes_M is None else rows_ND.index_select(0, nodes_M)


def _given(value: Given | None) -> Given:
    """What the settings promise to be there."""
    assert value is not None
    return value
