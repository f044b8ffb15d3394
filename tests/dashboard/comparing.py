"""Entries of a comparison without any folder, for tests of what is compared with what."""

from typing import Any

from core.recipe import make_recipe
from core.runs.summary import RunSummary
from dashboard.compare import Entry

HASH, OTHER_HASH = "aaaabbbbcccc", "ddddeeeeffff"
METRICS = {"hr@5": 0.2, "ndcg@5": 0.1, "hr@10": 0.3, "ndcg@10": 0.15, "coverage@10": 0.9}


def entry(
    run_id: str,
    *,
    results: dict[str, dict[str, Any]] | None = None,
    data_hash: str = HASH,
    state: str = "done",
    epoch: int = 5,
    commit: str = "",
    system: str = "cigf",
    dataset: str = "demo",
    **recipe: Any,
) -> Entry:
    """A run of CIGF on planted data with a result under its own protocol unless told otherwise."""
    made = make_recipe(dataset, data_hash, system, planted=True, **recipe)
    stored = {made.protocol.key: result()} if results is None else results
    summary = RunSummary(run_id=run_id, state=state, epoch=epoch, epochs=30, system=system, dataset=dataset)
    return Entry(summary, made, stored, commit)


def result(value: float | None = None, **about: Any) -> dict[str, Any]:
    """A stored result; `value` replaces HR@10, a third of which holds for unseen pairs."""
    metrics = METRICS | ({"hr@10": value} if value is not None else {})
    parts = {"pairs": 20, "hr@10": metrics["hr@10"], "ndcg@10": metrics["ndcg@10"]}
    unseen = parts | {"hr@10": metrics["hr@10"] / 3}
    return {"metrics": metrics, "seen": parts, "unseen": unseen, "epoch": 4, **about}
