"""HGIB by the book: dense adjacency matrices over users and items together, one edge at a time, no noise."""

import math

import torch
from torch import Tensor

from core.data.components import Component
from core.models.hgib import HGIB
from core.ops.graphs import Sides


def encoded(model: HGIB) -> dict[str, Tensor]:
    """Every level [N, D], users above items, `initial` first and `final` last."""
    levels = {"initial": torch.cat([model.user_embedding, model.item_embedding])}
    for graph in model.graphs:
        previous = levels[graph.parent or "initial"]
        adjacency = weighted_adjacency(model, graph, previous)
        degree = adjacency.sum(1)
        scale = torch.where(degree > 0, degree.clamp(min=1e-30) ** -0.5, torch.zeros_like(degree))
        normal = scale[:, None] * adjacency * scale
        layer = total = previous
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


def weighted_adjacency(model: HGIB, graph: Component, previous: Tensor) -> Tensor:
    """Symmetric [N, N]: sigmoid(e_u . e_i) where it exceeds the threshold, plus 1e-7; 1 without refinement."""
    config, users = model.config, model.num_users
    nodes = users + model.num_items
    adjacency = torch.zeros(nodes, nodes, dtype=previous.dtype)
    for u, i in zip(*graph.pairs.nonzero()):
        weight = torch.ones((), dtype=previous.dtype)
        if config.refinement == "learned":
            y = torch.sigmoid(previous[u] @ previous[users + i] / config.noise_temperature)
            hard = y * (y > config.threshold)
            weight = y + (hard - y).detach() + 1e-7
        place = torch.zeros_like(adjacency)
        place[u, users + i] = place[users + i, u] = 1
        adjacency = adjacency + weight * place
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


def losses(model: HGIB, users: Tensor, items: Tensor) -> dict[str, Tensor]:
    """The named losses on a batch, weighted, by loops over its pairs."""
    config, levels = model.config, encoded(model)
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
