"""What HGCVAE says about itself: attention over metapaths, its latent normals, what it restores, and how hard its negatives are.

N nodes, D dims, M metapaths, G feature groups, A anchors.
"""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from core.findings import Axis, Finding, Kind
from core.models.base import sampled
from core.models.node_findings import by_layer, latent_normals, mask_rate, semantic_attention
from core.ops.unit import unit_rows

if TYPE_CHECKING:
    from core.models.graph_steps import GraphStep
    from core.models.hgcvae import HGCVAE

HARDNESS = ("mean", "q95", "max")
_ANCHORS = 512
_GROUPS = 5


def learned_findings(model: "HGCVAE") -> tuple[Finding, ...]:
    """`semantic_attention`, and where they exist `latent_mean`, `latent_scale`, `kl` and `reconstruction`."""
    encoding = model.encoding()
    stages = by_layer(encoding.shares)
    if encoding.latent is not None:
        stages |= {"mean": encoding.latent.mean_shares, "scale": encoding.latent.scale_shares}
    if encoding.decoder_shares is not None:
        stages |= {"decoder": encoding.decoder_shares}
    note = "How much every layer takes from each metapath, without dropout and on unmasked features."
    found = [semantic_attention(stages, model.metapaths, "HGCVAE's encoder: HAN, Eqs. 7 and 8", note)]
    if encoding.latent is not None:
        found += _latent(model)
    if encoding.restored is not None:
        found.append(reconstruction(model.features, encoding.restored))
    return tuple(found)


def _latent(model: "HGCVAE") -> list[Finding]:
    latent = model.encoding().latent
    assert latent is not None
    bounded = (
        "Rows of means and log scales have length one, so it stays above 1." * model.config.normalise_heads
    )
    return latent_normals(latent.mean, latent.log_scale, "HGCVAE, variational inference", bounded)


def reconstruction(features_NF: Tensor, restored_NF: Tensor) -> Finding:
    """1 - cosine between true and restored features, within groups of features that equally many nodes' entries fall into."""
    group_F, names = feature_groups(features_NF)
    errors, counts = [], []
    for number in range(len(names)):
        chosen = (group_F == number).nonzero().squeeze(1)
        true, made = features_NF.index_select(1, chosen), restored_NF.index_select(1, chosen)
        has_any = true.square().sum(1) > 0
        cosine = (unit_rows(true[has_any]) * unit_rows(made[has_any])).sum(1)
        errors.append(float((1 - cosine).mean()) if len(cosine) else 0.0)
        counts.append(int(has_any.sum()))
    return Finding(
        "reconstruction",
        "What the decoder misses, by feature group",
        "HGCVAE, feature reconstruction",
        Kind.AMOUNT,
        (Axis.labelled("feature_group", names),),
        np.array(errors, np.float32).clip(min=0),
        np.array(counts),
        "Mean of 1 − cosine between a node's true and restored features of a group, over the nodes that have any of them: 0 is "
        "perfect, 1 unrelated. Nothing is masked here.",
    )


def feature_groups(features_NF: Tensor) -> tuple[Tensor, list[str]]:
    """Every feature's group, [F], and the groups' names: rare to frequent with equally many entries each; all features in
    one where most entries are there anyway."""
    count_F = (features_NF != 0).sum(0)
    total = int(count_F.sum())
    if total > features_NF.numel() / 2 or total == 0:
        return torch.zeros_like(count_F), ["all features"]
    order = count_F.argsort()
    position_F = torch.empty_like(order)
    position_F[order] = (count_F[order].cumsum(0) - count_F[order]) * _GROUPS // total
    names = []
    for number in range(_GROUPS):
        held = count_F[position_F == number]
        names.append(f"in {int(held.min())}–{int(held.max())} nodes" if len(held) else f"empty {number + 1}")
    return position_F, names


def step_findings(model: "HGCVAE", batch: "GraphStep") -> tuple[Finding, ...]:
    """`mask_rate`, `negative_tables`, `semantic_attention_passes`; with a contrast `negative_hardness` and, where there are
    labels, `false_negatives`. Same noise as the step itself. Labels are read here alone, and never trained on."""
    was_training = model.training
    model.train()
    with torch.no_grad():
        noise = batch.generator(model.device)
        passes = model.passes(noise)
        found = [mask_rate(passes.masked, len(model.features), "HGCVAE, dynamic mask strategy")]
        found.append(_passes(model, [passes.shares1, passes.shares2]))
        if model.config.contrastive_weight:
            found.append(_tables(model))
            tables = {"dropout": model.by_dropout(None, noise)}
            if passes.latent is not None:
                tables["variational"] = model.variational(None, noise)
            made = {kind: unit_rows(table.make(*passes.sources)) for kind, table in tables.items()}
            found += _hardness(model, unit_rows(passes.h1), unit_rows(passes.h2), made)
    model.train(was_training)
    return tuple(found)


def _passes(model: "HGCVAE", shares: list[list[Tensor]]) -> Finding:
    layers = Axis.labelled("layer", [f"layer {k}" for k in range(1, len(shares[0]) + 1)])
    axes = (layers, Axis.labelled("pass", ("first", "second")), Axis.labelled("metapath", model.metapaths))
    stacked_PLM = torch.stack([torch.stack(layers) for layers in shares])
    return Finding(
        "semantic_attention_passes",
        "Attention over metapaths in both passes of a training step",
        "HGCVAE's encoder: HAN, Eqs. 7 and 8",
        Kind.SHARE,
        axes,
        stacked_PLM.transpose(0, 1).cpu().numpy(),
        None,
        "The passes share their weights and differ by dropout alone.",
    )


def _tables(model: "HGCVAE") -> Finding:
    return Finding(
        "negative_tables",
        "Tables of negatives by where they come from",
        "HGCVAE, progressive negative sample generation",
        Kind.AMOUNT,
        (Axis.labelled("negative", ("dropout", "variational")),),
        np.array(model.tables, np.float32),
        None,
        "Each table holds one negative per node.",
    )


def _hardness(
    model: "HGCVAE", query_ND: Tensor, positive_ND: Tensor, tables: dict[str, Tensor]
) -> list[Finding]:
    """Cosines of a sample of anchors to all rows of one table per kind, and the part of same-label rows among these."""
    anchors = sampled(len(query_ND), _ANCHORS).to(model.device)
    query_AD, label_N = query_ND[anchors], model.labels.to(model.device)
    both_known_AN = (label_N[anchors, None] >= 0) & (label_N[None, :] >= 0)
    is_same_AN = (label_N[anchors, None] == label_N[None, :]) & both_known_AN
    hardness, false = [], []
    for table_ND in tables.values():
        cosine_AN = query_AD @ table_ND.t()
        other_AN = torch.ones_like(cosine_AN, dtype=torch.bool)
        other_AN[torch.arange(len(anchors)), anchors] = False
        others_AC = cosine_AN[other_AN].view(len(anchors), -1)
        hard = max(
            1, round(0.95 * others_AC.shape[1])
        )  # a quantile of so many numbers is more than torch takes
        hardness.append(
            [
                float(others_AC.mean()),
                float(others_AC.kthvalue(hard, dim=1).values.mean()),
                float(others_AC.amax(1).mean()),
            ]
        )
        weight_AN = (cosine_AN / model.config.temperature).masked_fill(
            ~(other_AN & both_known_AN), -torch.inf
        )
        share_A = torch.nan_to_num(weight_AN.softmax(1), 0.0)
        known = other_AN & both_known_AN
        by_count = float((is_same_AN & known).sum() / known.sum().clamp(min=1))
        by_weight = float((share_A * is_same_AN).sum() / share_A.sum().clamp(min=1e-12))
        false.append([by_count, min(by_weight, 1.0)])
    positive = (query_AD * positive_ND[anchors]).sum(1)
    hardness.append([float(positive.mean()), float(positive.quantile(0.95)), float(positive.amax())])
    kinds = [*tables, "positive"]
    found = [
        Finding(
            "negative_hardness",
            "How near negatives come to their anchor",
            "HGCVAE, progressive negative sample generation",
            Kind.SIGNED,
            (Axis.labelled("negative", kinds), Axis.labelled("statistic", HARDNESS)),
            np.array(hardness, np.float32),
            None,
            f"Cosines of {len(anchors):,} anchors with one table of each kind, whatever the schedule uses, means over anchors of "
            "their mean, their 95 % quantile and their nearest; last the positives, the second pass of the same node.",
        )
    ]
    if bool((label_N >= 0).any()):
        found.append(
            Finding(
                "false_negatives",
                "Negatives with their anchor's label",
                "HGCVAE, open question on false negatives",
                Kind.RATE,
                (
                    Axis.labelled("negative", list(tables)),
                    Axis.labelled("counted", ("rows", "weight in the loss")),
                ),
                np.array(false, np.float32),
                None,
                "Share of negatives that have the label of their anchor: of their number, and of their weight in the loss, "
                "where near ones count more. Labels are compared here alone; the model never learns from them.",
            )
        )
    return found
