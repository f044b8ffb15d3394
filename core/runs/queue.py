"""Which queued run starts next, and where."""

from collections.abc import Iterable, Mapping

from core.runs.devices import Slot
from core.runs.summary import RunSummary


def queue_order(summaries: Iterable[RunSummary]) -> list[RunSummary]:
    """The queued runs, the next one to start first."""
    queued = (s for s in summaries if s.state == "queued" and not s.damaged)
    return sorted(queued, key=lambda s: (s.queued, s.run_id))


def assignments(
    waiting: Iterable[tuple[str, tuple[Slot, ...]]], taken: Iterable[str]
) -> list[tuple[str, Slot]]:
    """Pairs of run and free slot: each run in turn takes the first free slot that fits it.

    waiting: run ids in queue order with their fitting slots. A run that must wait holds up none that fits elsewhere.
    """
    busy = set(taken)
    found = []
    for run_id, slots in waiting:
        slot = next((s for s in slots if s.name not in busy), None)
        if slot:
            busy.add(slot.name)
            found.append((run_id, slot))
    return found


def occupied(jobs: Mapping[str, tuple[str, str]], slots: tuple[Slot, ...]) -> dict[str, str]:
    """slot name -> run id. jobs: run id -> (slot, device), the slot empty for runs started on the command line.

    Such a run counts for the slot of its device, or for the first free one of that kind.
    """
    names = {slot.name for slot in slots}
    taken: dict[str, str] = {}
    for run_id, (slot, _) in jobs.items():
        if slot in names:
            taken.setdefault(slot, run_id)  # a parent run trained in the same process comes second
    for run_id, (slot, device) in jobs.items():
        if slot in names:
            continue
        wanted = slot or device
        exact = [s.name for s in slots if s.name == wanted]
        alike = [s.name for s in slots if s.kind == wanted.partition(":")[0]]
        free = next((name for name in exact or alike if name not in taken), None)
        if free:
            taken[free] = run_id
    return taken
