"""What the training form offers for picked data and a picked system, and why it does not offer the rest. Pure."""

from core.catalog.base import System
from core.catalog.systems import CATALOG
from core.data.dataset import DatasetInfo
from core.data.fitting import lacking
from core.protocol import PROTOCOLS, Task
from dashboard import compare

RULES = {
    "loss": "lowest training loss",
    "valid": "best on validation",
    "last": "last epoch",
    "test_as_published": "best on TEST (optimistic)",
}
_RULES_OF: dict[Task, tuple[str, ...]] = {
    "ranking": ("valid", "last", "test_as_published"),
    "nodes": ("loss", "valid", "last"),
}


def fitting_systems(data: DatasetInfo) -> list[str]:
    """Keys of the catalog that can train on `data`."""
    return [key for key, system in CATALOG.items() if not lacking(data, system)]


def unfit_system(key: str, data: DatasetInfo) -> str:
    """Why a system of the catalog cannot train on `data`; empty for an unknown one."""
    missing = lacking(data, CATALOG[key]) if key in CATALOG else ""
    return f"{CATALOG[key].title} needs {missing}, which {data.name} does not have" if missing else ""


def fitting_protocols(task: Task) -> list[str]:
    """The protocols, by name, that score what a model of `task` learned."""
    return [name for name, protocol in PROTOCOLS.items() if protocol.task == task]


def unfit_protocol(key: str, system: System) -> str:
    """Why a protocol does not score the system; empty for an unknown one."""
    task = compare.protocol_task(key)
    return f"{key} scores {compare.SCORES[task]}; {system.title} {compare.DOES[system.task]}" if task else ""


def fitting_rules(system: System, fit_on: str) -> list[str]:
    """The rules that can choose the epoch; systems that are fitted once have no choice."""
    if not system.is_trained:
        return ["last"]
    return [rule for rule in _RULES_OF[system.task] if rule != "valid" or fit_on == "train"]


def unfit_rule(rule: str, system: System) -> str:
    """That a rule does not fit the system; empty for an unknown one."""
    return f"'{RULES[rule]}' does not fit {system.title}" if rule in RULES else ""
