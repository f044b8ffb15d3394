from core.runs.queue import assignments, occupied, queue_order
from core.runs.summary import RunSummary
from tests.core.runs.support import slots


def test_the_queue_is_ordered_by_the_time_of_queueing():
    runs = [
        RunSummary(run_id="late", state="queued", queued=3.0, created=1.0),
        RunSummary(run_id="b", state="queued", queued=2.0),
        RunSummary(run_id="a", state="queued", queued=2.0),
        RunSummary(run_id="running", state="running", queued=1.0),
    ]
    assert [run.run_id for run in queue_order(runs)] == ["a", "b", "late"]


def test_a_run_that_waits_for_a_gpu_holds_up_no_run_for_the_cpu():
    gpu, cpu = slots(1, 1)
    waiting = [("a", (gpu,)), ("b", (gpu,)), ("c", (cpu,)), ("d", (gpu, cpu)), ("e", ())]
    assert assignments(waiting, []) == [("a", gpu), ("c", cpu)]
    assert assignments(waiting, ["cuda:0"]) == [("c", cpu)]
    assert assignments([("d", (gpu, cpu))], ["cuda:0"]) == [("d", cpu)]


def test_runs_of_the_command_line_take_a_slot_of_their_kind():
    jobs = {
        "shell": ("", "cuda"),
        "ours": ("cuda:0", "cuda:0"),
        "exact": ("", "cuda:2"),
        "cpu": ("", "cpu"),
        "full": ("", "cpu"),
    }
    assert occupied(jobs, slots(1, 3)) == {
        "cuda:0": "ours",
        "cuda:1": "shell",
        "cuda:2": "exact",
        "cpu:0": "cpu",
    }
