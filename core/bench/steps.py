"""A training step against the same step with plain forms in place of ours: forward, backward and Adam."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import Any
from unittest.mock import patch

import torch

from core.bench.timing import Comparison, compare
from core.catalog.base import SystemConfig
from core.data.nodes import NodeData
from core.data.ranking import RankingData
from core.models.base import Model, Trainable
from core.models.registry import build, build_nodes
from core.training.device import memory_in_use, peak_memory

Forms = Mapping[str, Callable[..., object]]
STEPS = 2


def compared_steps(
    key: str,
    config: SystemConfig,
    data: RankingData | NodeData,
    plain_forms: Forms,
    device: torch.device,
    detail: Mapping[str, Any],
) -> Comparison:
    """Seconds per training step of `key` on `data`, and peak memory, with and without `plain_forms`.

    plain_forms: dotted name of what is replaced -> what replaces it in the reference. Both take the same batches and noise
    from the same parameters. Raises AssertionError if their losses differ in the end.
    """
    losses: dict[str, float] = {}
    peaks: dict[str, float] = {}
    before = memory_in_use(device)["memory/host"]
    settings = config.model_dump()

    def prepared(name: str) -> Callable[[], None]:
        torch.manual_seed(0)
        model = _built(key, config, data, device)
        assert isinstance(model, Trainable)
        optimizer = torch.optim.Adam(model.parameters(), lr=settings["learning_rate"])
        batches = drawn(model, torch.Generator(device).manual_seed(0))

        def run() -> None:
            with peak_memory(device) as peak:
                for batch in batches:
                    optimizer.zero_grad(set_to_none=True)
                    loss = torch.stack(list(model.losses(batch).values())).sum()
                    loss.backward()
                    optimizer.step()
                    losses[name] = float(loss.detach())
            peaks[name] = peak.bytes

        return run

    ours, plain = prepared("ours"), prepared("reference")

    def reference() -> None:
        with _patched(plain_forms):
            plain()

    told = {
        **detail,
        "batch_size": settings.get("batch_size", "all nodes"),
        "peak_memory_bytes": peaks,
        "memory_before_bytes": before,
    }
    result = compare(key, "step", reference, ours, device=device, rounds=3, times=1 / STEPS, detail=told)
    if abs(losses["ours"] - losses["reference"]) > 1e-3 * abs(losses["reference"]):
        raise AssertionError(f"the two steps disagree: {losses}")
    return result


def _built(key: str, config: SystemConfig, data: RankingData | NodeData, device: torch.device) -> Model:
    if isinstance(data, NodeData):
        return build_nodes(key, config, data, device)
    return build(key, config, data, device)


def drawn(model: Trainable[Any], generator: torch.Generator) -> list[Any]:
    """The first batches of a model, over as many epochs as they take."""
    batches: list[Any] = []
    while len(batches) < STEPS:
        batches += islice(model.batches(generator), STEPS - len(batches))
    return batches


@contextmanager
def _patched(forms: Forms) -> Iterator[None]:
    with ExitStack() as stack:
        for place, form in forms.items():
            stack.enter_context(patch(place, form))
        yield
