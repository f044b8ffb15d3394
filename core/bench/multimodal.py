"""`bench srgformer` and `bench egra`: a training step on synthetic data of the size of Amazon Baby, against plain forms."""

import numpy as np
import torch
from scipy.sparse import coo_array, csr_array
from torch import Tensor

from core.bench.steps import Forms, compared_steps
from core.bench.timing import Comparison
from core.catalog.systems import system
from core.data.ranking import RankingData
from core.models.srgformer import BOUND, GraphTransformer
from core.ops.sparse import Pattern, gather_scatter_product

USERS, ITEMS, PAIRS = 20_000, 7_050, 160_000
FEATURES = {"image": 4_096, "text": 384}
_PRODUCTS: Forms = {
    "core.ops.square.product": gather_scatter_product,
    "core.ops.graphs.product": gather_scatter_product,
}


def bench_srgformer(device: torch.device) -> Comparison:
    """Seconds per training step of the preset paper (256 wide, 2,048 pairs): forward, backward and Adam.

    The reference has the released code's attention and is the same otherwise: it gathers the embeddings of both ends of
    every edge, multiplies them by the three projections, and scatters the weighted values.
    """
    return _compared("srgformer", {f"{__name__}.GraphTransformer.forward": released_forward}, device)


def bench_egra(device: torch.device) -> Comparison:
    """Seconds per training step of the preset paper (64 wide, 2,048 pairs); item links from embeddings drawn at random.

    The reference gathers, multiplies and scatters in every product with a graph.
    """
    return _compared("egra", _PRODUCTS, device)


def _compared(key: str, plain_forms: Forms, device: torch.device) -> Comparison:
    data, config = baby_sized(), system(key).resolve("paper")
    detail = {
        "users": USERS,
        "items": ITEMS,
        "pairs": data.train[data.target].nnz,
        "features": FEATURES,
        "dim": config.model_dump()["dim"],
    }
    return compared_steps(key, config, data, plain_forms, device, detail)


def baby_sized(users: int = USERS, items: int = ITEMS, pairs: int = PAIRS, seed: int = 0) -> RankingData:
    """Random interactions whose items are as unevenly popular as in shops, random features, random pretrained embeddings."""
    rng = np.random.default_rng(seed)
    popularity = 1 / np.arange(1, items + 1) ** 0.8
    drawn = rng.choice(items, size=2 * pairs, p=popularity / popularity.sum())
    flat = np.unique(rng.integers(users, size=2 * pairs) * items + drawn)
    chosen = np.sort(rng.permutation(flat)[:pairs])
    train = coo_array(
        (np.ones(len(chosen), np.float32), (chosen // items, chosen % items)), shape=(users, items)
    ).tocsr()
    nothing = csr_array(train * 0)
    nothing.eliminate_zeros()
    return RankingData(
        name="baby-sized",
        content_hash="0" * 64,
        behaviors=("interaction",),
        train={"interaction": train},
        valid=nothing,
        test=nothing,
        fit_on="train",
        features={m: rng.standard_normal((items, d), dtype=np.float32) for m, d in FEATURES.items()},
        trained_negatives=True,
        pretrained=rng.standard_normal((items, 64), dtype=np.float32),
    )


def released_forward(self: GraphTransformer, pattern: Pattern, rows_ND: Tensor) -> tuple[Tensor, Tensor]:
    """`GraphTransformer.forward` with everything per edge, [E, D]."""
    row, column = pattern.row, pattern.index.long()
    row_ED, column_ED = rows_ND[row], rows_ND[column]
    heads, width = self.heads, rows_ND.shape[1] // self.heads
    query, key, value = (
        (ends_ED @ projection).view(-1, heads, width)
        for ends_ED, projection in zip((row_ED, column_ED, column_ED), self.projections, strict=True)
    )
    mass_EH = torch.einsum("ehd,ehd->eh", query, key).clamp(-BOUND, BOUND).exp()
    share_EH = mass_EH / mass_EH.new_zeros(pattern.num_rows, heads).index_add(0, row, mass_EH)[row]
    weighed_ED = torch.einsum("eh,ehd->ehd", share_EH, value).reshape(-1, heads * width)
    return torch.zeros_like(rows_ND).index_add(0, row, weighed_ED), share_EH.t()
