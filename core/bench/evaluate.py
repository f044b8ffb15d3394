"""`bench evaluate`: one encode and batched ranks, against one encode per batch of users and a Python loop over users."""

import numpy as np
import torch

from core.bench.timing import Comparison, compare
from core.catalog.systems import system
from core.data.dataset import open_dataset
from core.data.ranking import RankingData, ranking_data
from core.evaluation.ranking import evaluate, hidden_pairs
from core.home import Home
from core.models.base import Ranker
from core.models.registry import build
from core.protocol import PROTOCOLS

_USERS_PER_ENCODE = 1024


def bench_evaluate(home: Home, dataset: str, device: torch.device) -> Comparison:
    """Seconds to evaluate an untrained LightGCN_M under `full` on all test users of `dataset`; both give the same NDCG."""
    data = ranking_data(open_dataset(home, dataset))
    torch.manual_seed(0)
    model = build("lightgcn_m", system("lightgcn_m").resolve("paper"), data, device)
    found: dict[str, float] = {}

    def ours() -> None:
        found["ours"] = evaluate(model, data, PROTOCOLS["full"]).metrics()["ndcg@10"]

    def reference() -> None:
        found["reference"] = _ndcg_by_loop(model, data, device)

    result = compare(
        "evaluate", "evaluation", reference, ours, device=device, rounds=2, detail={"dataset": dataset}
    )
    if abs(found["ours"] - found["reference"]) > 1e-6:
        raise AssertionError(f"the two evaluations disagree: {found}")
    return result


def _ndcg_by_loop(model: Ranker, data: RankingData, device: torch.device) -> float:
    hidden, users = hidden_pairs(data, PROTOCOLS["full"], "test"), np.flatnonzero(np.diff(data.test.indptr))
    total = 0.0
    for start in range(0, len(users), _USERS_PER_ENCODE):
        batch = users[start : start + _USERS_PER_ENCODE]
        with torch.no_grad():
            model.eval()
            scores = model.score(torch.from_numpy(batch).to(device)).cpu().numpy()
        for row, user in enumerate(batch):
            scores[row, hidden[[user]].indices] = -np.inf
            wanted = set(data.test[[user]].indices.tolist())
            best = np.argsort(-scores[row], kind="stable")[:10]
            gain = sum(1 / np.log2(place + 2) for place, item in enumerate(best) if int(item) in wanted)
            total += gain / sum(1 / np.log2(place + 2) for place in range(min(10, len(wanted))))
    return total / len(users)
