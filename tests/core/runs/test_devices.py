import os
from types import SimpleNamespace

import pynvml
import pytest

from core.errors import ConfigError, DeviceError
from core.runs.devices import find_devices, find_slots, fitting_slots
from tests.core.runs.support import slots


@pytest.fixture
def gpus(monkeypatch):
    """gpus(3) lets NVML report three GPUs."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def report(count):
        memory = SimpleNamespace(total=80 * 2**30, free=79 * 2**30)
        for name, answer in {
            "nvmlInit": lambda: None,
            "nvmlShutdown": lambda: None,
            "nvmlDeviceGetCount": lambda: count,
            "nvmlDeviceGetHandleByIndex": lambda index: index,
            "nvmlDeviceGetName": lambda index: f"GPU number {index}",
            "nvmlDeviceGetUUID": lambda index: f"GPU-{index}abc",
            "nvmlDeviceGetMemoryInfo": lambda index: memory,
        }.items():
            monkeypatch.setattr(pynvml, name, answer)

    return report


def test_without_a_driver_there_are_only_cpu_slots_and_a_note(monkeypatch):
    def absent():
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", absent)
    monkeypatch.setenv("RELSCOPE_CPU_SLOTS", "2")
    devices = find_devices()
    assert [slot.name for slot in devices.slots] == ["cpu:0", "cpu:1"]
    assert devices.note.startswith("no GPU: NVML Shared Library Not Found")


def test_each_gpu_is_a_slot_and_cores_are_divided(gpus, monkeypatch):
    gpus(3)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)))
    devices = find_devices(5)
    assert [(s.name, s.threads) for s in devices.slots] == [
        *((f"cuda:{n}", 5) for n in range(3)),
        *((f"cpu:{n}", 3) for n in range(5)),
    ]
    first = devices.slots[0]
    assert (first.title, first.memory_total, first.memory_free) == ("GPU number 0", 80 * 2**30, 79 * 2**30)
    assert {slot.threads for slot in find_slots(17)[3:]} == {1}
    assert devices.note == ""


@pytest.mark.parametrize(
    ("visible", "names"),
    [("", []), ("2,0", ["cuda:2", "cuda:0"]), ("GPU-1a", ["cuda:1"]), ("-1,0", []), ("1,7,0", ["cuda:1"])],
)
def test_cuda_visible_devices_is_respected(gpus, monkeypatch, visible, names):
    gpus(3)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    devices = find_devices(1)
    assert [s.name for s in devices.slots if s.kind == "cuda"] == names
    assert f"admits {len(names)} of 3" in devices.note


def test_memory_that_nvml_does_not_know_is_none(gpus, monkeypatch):
    gpus(1)

    def unsupported(_):
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    monkeypatch.setattr(pynvml, "nvmlDeviceGetMemoryInfo", unsupported)
    assert find_slots(1)[0].memory_total is None


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "257", "²"])
def test_an_unusable_number_of_cpu_slots_is_refused(monkeypatch, text):
    monkeypatch.setenv("RELSCOPE_CPU_SLOTS", text)
    with pytest.raises(ConfigError, match="from 1 to 256"):
        find_slots()


@pytest.mark.parametrize(
    ("device", "system", "gpus", "names"),
    [
        ("auto", "lightgcn", 2, ["cuda:0", "cuda:1"]),
        ("auto", "lightgcn", 0, ["cpu:0", "cpu:1"]),
        ("auto", "ease", 2, ["cpu:0", "cpu:1"]),
        ("cpu", "lightgcn", 2, ["cpu:0", "cpu:1"]),
        ("cuda", "lightgcn", 2, ["cuda:0", "cuda:1"]),
        ("cuda:1", "lightgcn", 2, ["cuda:1"]),
        ("cuda", "ease", 1, ["cpu:0", "cpu:1"]),
    ],
)
def test_slots_fit_by_device_and_system(device, system, gpus, names):
    assert [s.name for s in fitting_slots(device, system, slots(2, gpus))] == names


@pytest.mark.parametrize(("device", "gpus", "have"), [("cuda", 0, "no GPU"), ("cuda:1", 1, "cuda:0")])
def test_a_gpu_that_is_not_there_is_an_error(device, gpus, have):
    with pytest.raises(DeviceError, match=f"asks for device {device} and this machine has {have}"):
        fitting_slots(device, "lightgcn", slots(2, gpus))
