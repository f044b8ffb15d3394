"""The supervisor's round: take requests, look after running jobs, start queued ones, keep the index."""

import time
from collections.abc import Callable

from core.errors import DeviceError, RelScopeError, RunError
from core.home import Home
from core.runs import index
from core.runs.devices import Devices, Slot, find_devices, fitting_slots
from core.runs.folder import RunFolder
from core.runs.processes import identity
from core.runs.queue import assignments, occupied, queue_order
from core.runs.requests import Pending, pending_requests
from core.runs.roster import Roster
from core.runs.scan import Scanner
from core.runs.state import SlotState, SupervisorState, Waiting, clear_state, write_state
from core.runs.summary import RunSummary
from core.runs.transitions import mark_failed, mark_queued
from core.runs.trouble import Trouble
from core.runs.workers import Command, worker_command

GRACE = 20.0
HEARTBEAT = 2.0
MEASURE_EVERY = 10.0


class Supervisor:
    """One round of all duties is `step`; the caller holds the home's lock.

    starts: False for whoever only settles requests while no supervisor lives. grace: seconds between SIGTERM and SIGKILL.
    """

    def __init__(
        self,
        home: Home,
        command: Command = worker_command,
        devices: Callable[[], Devices] = find_devices,
        grace: float = GRACE,
        starts: bool = True,
    ) -> None:
        self.home = home
        self.trouble = Trouble()
        self.roster = Roster(home, self.trouble, command, grace)
        self._find_devices = devices
        self._devices = devices() if starts else Devices(())
        self._measured = time.monotonic()
        self._starts = starts
        self._scanner = index.known_runs(home)
        self._queue: tuple[Waiting, ...] = ()
        self._unwritten: set[str] = set()  # changed and gone runs that the index does not know yet
        self._damaged: set[str] = set()
        self._since = time.time()
        self._said: SupervisorState | None = None

    def step(self) -> None:
        """One round. What a full disk or a damaged folder prevents is logged and tried again in the next."""
        self.trouble.begin_round()
        duties = (
            ("look through the runs", self._scan),
            ("find running workers", lambda: self.roster.adopt(self._summaries())),
            ("take requests", self._take_requests),
            ("look after the jobs", lambda: self.roster.look_after(self._scanner.summaries)),
            ("start queued runs", self._start),
            ("update the index", self._index),
            ("write the supervisor's state", self._publish),
        )
        for what, duty in duties:
            with self.trouble.guard(what):
                duty()

    @property
    def is_idle(self) -> bool:
        """True if nothing runs, waits or is asked for, as of the last round. Raises OSError."""
        return not (self.roster.jobs or queue_order(self._summaries()) or pending_requests(self.home))

    def leaves(self) -> bool:
        """Withdraw the state first, so that whoever submits from now on starts a successor; then look a last time.

        False if work came in meanwhile: the next round announces the supervisor again.
        """
        with self.trouble.guard("leave"):
            clear_state(self.home)
            self._said = None
            self._scan()
            return self.is_idle
        return False

    def close(self) -> None:
        """Let go of the workers without ending them: a successor adopts them."""
        self.roster.close()

    def _summaries(self) -> list[RunSummary]:
        return list(self._scanner.summaries.values())

    def _folder(self, run_id: str) -> RunFolder:
        return RunFolder(self.home.run(run_id))

    def _scan(self) -> None:
        changed, gone = self._scanner.refresh()
        self._unwritten |= changed | gone
        self._damaged |= {run_id for run_id in changed if self._scanner.summaries[run_id].damaged}
        for run_id in sorted(self._damaged):
            with self.trouble.guard(f"mark {run_id} as failed"):
                self._fail_damaged(run_id)
                self._damaged.discard(run_id)

    def _fail_damaged(self, run_id: str) -> None:
        summary = self._scanner.summaries.get(run_id)
        if summary is None or not summary.damaged:
            return
        self.trouble.say(f"{run_id} is damaged: {summary.error}")
        try:
            queued = self._folder(run_id).status().state == "queued"
        except RunError:  # there is no status to write the failure into; the list shows the run as failed
            return
        if queued and run_id not in self.roster.jobs:
            mark_failed(self._folder(run_id), summary.error)

    def _take_requests(self) -> None:
        asked = pending_requests(self.home)
        for pending in asked:
            with self.trouble.guard(f"settle {pending.path.name}"):
                self._take(pending)
        self.roster.forget_stopped({p.request.run_id for p in asked if p.request})

    def _take(self, pending: Pending) -> None:
        request = pending.request
        try:
            if request is None:
                self.trouble.say(f"ignored request {pending.path.name}: {pending.problem}")
            elif request.verb == "reindex":
                self._scanner = Scanner(self.home)
                index.rebuild(self.home, self._scanner)
            elif request.verb == "requeue":
                mark_queued(self._folder(request.run_id))
                self.trouble.say(f"{request.run_id} is queued again")
            elif not self.roster.cancel(request):
                return
        except RelScopeError as error:
            self.trouble.say(f"cannot settle {pending.path.name}: {error}")
        pending.settle()

    def _start(self) -> None:
        if not self._starts:
            return
        waiting: list[tuple[str, tuple[Slot, ...]]] = []
        for summary in queue_order(self._summaries()):
            if summary.run_id not in self.roster.jobs:
                with self.trouble.guard(f"place {summary.run_id}"):
                    waiting += self._placed(summary)
        for run_id, slot in assignments(waiting, self._taken()):
            with self.trouble.guard(f"start {run_id}"):
                self.roster.start(self._folder(run_id), slot)
        still = [(run_id, slots) for run_id, slots in waiting if run_id not in self.roster.jobs]
        self._queue = tuple(
            Waiting(run_id=run_id, position=place, slots=tuple(slot.name for slot in slots))
            for place, (run_id, slots) in enumerate(still, start=1)
        )

    def _placed(self, summary: RunSummary) -> list[tuple[str, tuple[Slot, ...]]]:
        """The run and the slots that fit it; a run that fits none fails here."""
        try:
            fits = fitting_slots(summary.device_wanted, summary.system, self._devices.slots)
        except DeviceError as error:
            mark_failed(self._folder(summary.run_id), str(error))
            self.trouble.say(f"{summary.run_id} failed: {error}")
            return []
        return [(summary.run_id, fits)]

    def _taken(self) -> dict[str, str]:
        """slot name -> run id."""
        devices = {run_id: summary.device for run_id, summary in self._scanner.summaries.items()}
        first = {
            job.who: run_id for run_id, job in reversed(self.roster.jobs.items())
        }  # a parent shares its child's process
        jobs = {
            run_id: (job.slot, devices.get(run_id, ""))
            for run_id, job in self.roster.jobs.items()
            if first[job.who] == run_id
        }
        return occupied(jobs, self._devices.slots)

    def _index(self) -> None:
        known = set(self._scanner.summaries)
        if self._unwritten or index.is_missing(self.home):
            index.update(self.home, self._scanner, self._unwritten & known, self._unwritten - known)
            self._unwritten = set()

    def _publish(self) -> None:
        if not self._starts:
            return
        self._measure_memory()
        me = identity()
        taken = self._taken()
        state = SupervisorState(
            pid=me.pid,
            pid_started=me.started,
            host=me.host,
            since=self._since,
            heartbeat=time.time(),
            slots=tuple(self._slot_state(slot, taken.get(slot.name)) for slot in self._devices.slots),
            queue=self._queue,
            note=self._devices.note,
            trouble=self.trouble.current,
        )
        if self._is_news(state):
            write_state(self.home, state)
            self._said = state

    def _measure_memory(self) -> None:
        """Renew the free memory of the slots now and then; slots themselves neither come nor go."""
        if time.monotonic() - self._measured < MEASURE_EVERY:
            return
        self._measured = time.monotonic()
        now = {slot.name: slot for slot in self._find_devices().slots}
        slots = tuple(now.get(slot.name, slot) for slot in self._devices.slots)
        self._devices = Devices(slots, self._devices.note)

    def _slot_state(self, slot: Slot, run_id: str | None) -> SlotState:
        return SlotState(slot=slot, run_id=run_id, cancelling=self.roster.is_stopping(run_id))

    def _is_news(self, state: SupervisorState) -> bool:
        old = self._said
        if old is None or state.heartbeat - old.heartbeat > HEARTBEAT:
            return True
        return old.model_copy(update={"heartbeat": state.heartbeat}) != state
