"""The device slots of this machine, one job each, and which of them fit a recipe."""

import os
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from core.catalog.systems import system
from core.errors import ConfigError, DeviceError

MAX_CPU_SLOTS = 256


class Slot(BaseModel):
    """One place where one job runs. `name` is `cuda:N` or `cpu:N`; memory in bytes, None where it is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Literal["cuda", "cpu"]
    title: str
    threads: int
    memory_total: int | None = None
    memory_free: int | None = None

    @property
    def number(self) -> str:
        return self.name.partition(":")[2]


@dataclass(frozen=True)
class Devices:
    """Slots, GPUs first, and a note for the reader: why there is no GPU, or what was left out."""

    slots: tuple[Slot, ...]
    note: str = ""


def find_slots(cpu_slots: int | None = None) -> tuple[Slot, ...]:
    """The slots of `find_devices`."""
    return find_devices(cpu_slots).slots


def find_devices(cpu_slots: int | None = None) -> Devices:
    """One slot per GPU that NVML reports and CUDA_VISIBLE_DEVICES admits, then the CPU slots.

    cpu_slots: their number; by default RELSCOPE_CPU_SLOTS, else 1. Available cores are divided among slots of a kind.
    Raises ConfigError where the number is not between 1 and 256.
    """
    count = _cpu_slot_count(cpu_slots)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    gpus, note = _gpus()
    gpu_threads = max(1, cores // max(1, len(gpus)))
    slots = [Slot(kind="cuda", threads=gpu_threads, **gpu) for gpu in gpus]
    threads = max(1, cores // count)
    title = f"CPU, {threads} thread{'s' if threads > 1 else ''}"
    slots += [Slot(name=f"cpu:{n}", kind="cpu", title=title, threads=threads) for n in range(count)]
    return Devices(tuple(slots), note)


def fitting_slots(device: str, system_key: str, slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """The slots on which a run of `system_key` that asks for `device` may start.

    auto takes a GPU where there is one; closed-form systems run on a CPU slot. Raises DeviceError where none fits, now
    or later: such a job must fail, not wait. Raises ConfigError for a system that is not in the catalog.
    """
    gpus = tuple(s for s in slots if s.kind == "cuda")
    cpus = tuple(s for s in slots if s.kind == "cpu")
    fits = gpus if device in ("cuda", "auto") else tuple(s for s in gpus if s.name == device)
    if device.startswith("cuda") and not fits:
        have = ", ".join(s.name for s in gpus) or "no GPU"
        raise DeviceError(
            f"The run asks for device {device} and this machine has {have}: clone it with device auto or cpu"
        )
    return fits if fits and system(system_key).is_trained else cpus


def _cpu_slot_count(explicit: int | None) -> int:
    text = str(explicit) if explicit is not None else os.environ.get("RELSCOPE_CPU_SLOTS", "").strip() or "1"
    if not text.isdecimal() or not 1 <= int(text) <= MAX_CPU_SLOTS:
        raise ConfigError(
            f"number of CPU slots {text!r} is not usable: expected a whole number from 1 to {MAX_CPU_SLOTS}; "
            "set RELSCOPE_CPU_SLOTS accordingly or unset it"
        )
    return int(text)


def _gpus() -> tuple[list[dict[str, Any]], str]:
    """Name, title and memory of each GPU in NVML's (PCI) order, and a note."""
    try:
        import pynvml
    except ImportError:
        return [], "no GPU: the package nvidia-ml-py is not installed"
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return [], f"no GPU: {error}"
    try:
        found = [_gpu(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError as error:
        return [], f"no GPU: {error}"
    finally:
        pynvml.nvmlShutdown()
    return _admitted(found)


def _gpu(nvml: Any, index: int) -> tuple[str, dict[str, Any]]:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    try:
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        sizes = {"memory_total": int(memory.total), "memory_free": int(memory.free)}
    except nvml.NVMLError_NotSupported:  # unified memory
        sizes = {}
    about = {"name": f"cuda:{index}", "title": _text(nvml.nvmlDeviceGetName(handle)), **sizes}
    return _text(nvml.nvmlDeviceGetUUID(handle)), about


def _admitted(found: list[tuple[str, dict[str, Any]]]) -> tuple[list[dict[str, Any]], str]:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return [about for _, about in found], "" if found else "no GPU: the driver reports none"
    admitted = []
    for word in filter(None, (w.strip() for w in visible.split(","))):
        by_number = [a for n, (_, a) in enumerate(found) if word == str(n)]
        by_uuid = [a for uuid, a in found if word.startswith("GPU-") and uuid.startswith(word)]
        if not by_number and not by_uuid:
            break  # CUDA, too, ignores everything after the first unusable entry
        admitted += by_number or by_uuid
    note = f"CUDA_VISIBLE_DEVICES={visible!r} admits {len(admitted)} of {len(found)} GPUs"
    return admitted, note


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
