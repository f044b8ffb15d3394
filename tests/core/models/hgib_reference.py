"""HGIB by the book: dense adjacency matrices over users and items together, one edge at a time.

Noise is not drawn but given: `draw` stands for a Gumbel draw, `mask` for dropout.
"""

import math
from typing import Any

import torch
from torch import Tensor

from core.data.components import Component
from core.models.hgib import HGIB
from core.ops.graphs import Sides


def draw(logit: Tensor, noise: Any = None) -> Tensor:
    """In place of Gumbel draws: one fixed number per pair, of both signs."""
    return 2 * torch.cos(torch.arange(len(logit), dtype=logit.dtype) * 1.7 + len(logit))


def mask(shape: tuple[int, ...], rate: float, noise: Any = None, like: Any = None) -> Tensor:
    """In place of dropout: every third entry is gone, the others are 1 / (1 - rate)."""
    places = torch.arange(shape[0] * shape[1]).view(shape)
    return ((places + shape[0]) % 3 > 0).double() / (1 - rate)


def encoded(model: HGIB, noisy: bool = False) -> dict[str, Tensor]:
    """Every level [N, D], users above items, `initial` first and `final` last."""
    levels = {"initial": torch.cat([model.user_embedding, model.item_embedding])}
    for graph in model.graphs:
        previous = levels[graph.parent or "initial"]
        adjacency = weighted_adjacency(model, graph, previous, noisy)
        degree = adjacency.sum(1)
        scale = torch.where(degree > 0, degree.clamp(min=1e-30) ** -0.5, torch.zeros_like(degree))
        normal = scale[:, None] * adjacency * scale
        layer = total = previous
        if noisy and graph.kind != "unified":
            users, dim = model.num_users, previous.shape[1]
            sides = [mask((rows, dim), model.config.dropout) for rows in (users, model.num_items)]
            layer = total = previous * torch.cat(sides)
        config = model.config
        depth = config.num_difference_layers if graph.kind == "difference" else config.num_layers
        for _ in range(depth):
            rows = []
            for row in normal @ layer:
                length = row.norm()
                rows.append(row / length if float(length.detach()) > 0 else row)
            layer = torch.stack(rows)
            total = total + layer
        levels[graph.key] = total
    levels["final"] = fused(model, levels)
    return levels


def weighted_adjacency(model: HGIB, graph: Component, previous: Tensor, noisy: bool) -> Tensor:
    """Symmetric [N, N]: sigmoid(e_u . e_i + draw) where it exceeds the threshold, plus 1e-7; 1 without refinement."""
    config, users = model.config, model.num_users
    nodes = users + model.num_items
    adjacency = torch.zeros(nodes, nodes, dtype=previous.dtype)
    draws = draw(torch.zeros(graph.pairs.nnz, dtype=previous.dtype))
    for place, (u, i) in enumerate(zip(*graph.pairs.nonzero())):
        weight = torch.ones((), dtype=previous.dtype)
        if config.refinement == "learned":
            logit = previous[u] @ previous[users + i] + (draws[place] if noisy else 0)
            y = torch.sigmoid(logit / config.noise_temperature)
            kept = (y > config.threshold).to(y.dtype).detach()
            # released: the mask's own path adds the gradient of a kept edge once more
            weight = kept * y + (y - y.detach()) if config.as_released else y + (kept * y - y).detach()
            weight = weight + 1e-7
        both = torch.zeros_like(adjacency)
        both[u, users + i] = both[users + i, u] = 1
        adjacency = adjacency + weight * both
    return adjacency


def fused(model: HGIB, levels: dict[str, Tensor]) -> Tensor:
    """Two stages of attention, node by node."""
    asked = levels.get(model.target, levels["unified"])
    for stage, fuse in zip(model.stages, model.fusion):
        rows = []
        for node in range(len(asked)):
            sources = [levels[key][node] for key in stage]
            if len(sources) == 1:
                rows.append(sources[0])
                continue
            query = fuse.query.weight @ asked[node] + fuse.query.bias
            odds = torch.stack([query @ source / math.sqrt(len(query)) for source in sources]).exp()
            rows.append(sum(share * source for share, source in zip(odds / odds.sum(), sources)))
        asked = torch.stack(rows)
    return asked


def losses(model: HGIB, users: Tensor, items: Tensor, noisy: bool = False) -> dict[str, Tensor]:
    """The named losses on a batch, weighted, by loops over its pairs."""
    config, levels = model.config, encoded(model, noisy)
    sides = {key: Sides(*level.split([model.num_users, model.num_items])) for key, level in levels.items()}
    output = sides["final"]
    recommended = torch.stack(
        [
            -torch.log_softmax(torch.stack([output.user[u] @ e for e in output.item]), 0)[i]
            for u, i in zip(users, items)
        ]
    ).mean()
    preserved = sum(
        nce(output.user[users], sides[g.key].user[users]) + nce(output.item[items], sides[g.key].item[items])
        for g in model.graphs
        if g.kind in ("unified", "behavior")
    )
    compressed = sum(
        dependence(sides[g.key].user[users], sides[g.parent or "initial"].user[users], config.bandwidth)
        + dependence(sides[g.key].item[items], sides[g.parent or "initial"].item[items], config.bandwidth)
        for g in model.graphs
    )
    norm = (output.user**2).sum() + (output.item**2).sum()
    return {
        "rec": recommended,
        "pres": config.alpha * preserved,
        "comp": config.beta * compressed,
        "reg": config.output_penalty * norm / (2 * (model.num_items + 1)),
    }


def nce(query: Tensor, key: Tensor) -> Tensor:
    terms = []
    for m in range(len(query)):
        odds = torch.stack([(query[m] @ other).exp() for other in key])
        terms.append(-(odds[m] / odds.sum()).log())
    return torch.stack(terms).mean()


def dependence(first: Tensor, second: Tensor, bandwidth: float) -> Tensor:
    rows = len(first)
    centre = torch.eye(rows, dtype=first.dtype) - 1 / rows
    kernels = []
    for level in (first, second):
        unit = level / level.norm(dim=1, keepdim=True)
        kernels.append(((unit @ unit.t() - 1) / bandwidth).exp())
    return torch.trace(kernels[0] @ centre @ kernels[1] @ centre) / (rows - 1) ** 2
