"""Scores a finished run under another protocol, in a process of its own that writes into the run's log."""

import subprocess
import sys
import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import streamlit as st

from core.home import Home
from core.runs.folder import RunFolder
from dashboard import states, words
from dashboard.glossary import meaning
from dashboard.navigation import ROOT
from dashboard.training_choices import fitting_protocols


@dataclass(frozen=True)
class Evaluation:
    """A scoring that was started; it stays known until it succeeded or its failure was read."""

    protocol: str
    process: subprocess.Popen[bytes]
    begun: float

    @property
    def is_over(self) -> bool:
        return self.process.poll() is not None


@st.cache_resource
def _started() -> dict[str, Evaluation]:
    """run id -> evaluation, for all tabs of this server."""
    return {}


@st.cache_resource
def _wanted() -> dict[str, str]:
    """run id -> protocol, for runs that wait for their turn: one is scored at a time."""
    return {}


@st.cache_resource
def _turn() -> threading.Lock:
    return threading.Lock()


def score_all(runs: Sequence[RunFolder], protocol: str) -> None:
    """Offers to score all of `runs` under `protocol`, one after the other."""
    idle = [run.run_id for run in runs if run.run_id not in _started() and run.run_id not in _wanted()]
    if len(idle) > 1 and st.button(
        f"Score all {len(idle)} under {protocol}", icon=":material/calculate:", key="evaluate-all"
    ):
        _wanted().update(dict.fromkeys(idle, protocol))
        st.rerun(scope="app")


def other_protocols(home: Home, run: RunFolder, stored: Collection[str]) -> None:
    """Offers the protocols of its task under which `run` has no result, shows the scoring while it lasts, and why it failed."""
    left = [name for name in fitting_protocols(run.recipe().protocol.task) if name not in stored]
    begun = _started().get(run.run_id)
    if begun or left:
        busy = run.run_id in _wanted() or (begun is not None and not begun.is_over)
        st.fragment(_panel, run_every=1.0 if busy else None)(home, run, left)


def _panel(home: Home, run: RunFolder, left: Sequence[str]) -> None:
    begun = _started().get(run.run_id)
    wanted = _wanted().get(run.run_id)
    if begun is None and wanted is not None:
        begun = _begin_next(home, run)
        if begun is None:
            st.caption(f"Waits to be scored under {states.plain(wanted)}.")
            return
    if begun is None:
        _offer(home, run, left)
    elif not begun.is_over:
        seconds = words.duration(time.time() - begun.begun)
        st.status(f"Scoring under {states.plain(begun.protocol)} for {seconds}", state="running")
    elif begun.process.returncode == 0:
        _started().pop(run.run_id, None)
        st.rerun(scope="app")
    else:
        said = "\n".join(run.last_log_lines(4))
        st.error(
            f"```\n{said}\n```",
            title=f"Scoring under {states.plain(begun.protocol)} failed",
            icon=":material/error:",
        )
        if st.button("Close", key=f"evaluation-read:{run.run_id}"):
            _started().pop(run.run_id, None)
            st.rerun(scope="app")


def _begin_next(home: Home, run: RunFolder) -> Evaluation | None:
    """Begin to score the waiting `run`, or None while another is being scored. Several tabs may ask at once."""
    with _turn():
        started = _started()
        if run.run_id not in started and any(not other.is_over for other in started.values()):
            return None
        wanted = _wanted().pop(run.run_id, None)
        if wanted is not None:
            started[run.run_id] = _start(home, run, wanted)
        return started.get(run.run_id)


def _offer(home: Home, run: RunFolder, left: Sequence[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        protocol = st.selectbox(
            "Also score it under",
            left,
            key=f"evaluation:{run.run_id}",
            help=meaning("protocol"),
            width=220,
        )
        if st.button("Score", icon=":material/calculate:", key=f"evaluate:{run.run_id}"):
            _started()[run.run_id] = _start(home, run, protocol)
            st.rerun(scope="app")


def _start(home: Home, run: RunFolder, protocol: str) -> Evaluation:
    with run.log.open("ab") as log:
        process = subprocess.Popen(
            command(home, run, protocol),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=ROOT,
            start_new_session=True,
        )
    return Evaluation(protocol, process, time.time())


def command(home: Home, run: RunFolder, protocol: str) -> list[str]:
    """What is started: the command line does the same."""
    return [
        *(sys.executable, "-m", "core", "evaluate", run.run_id),
        *("--protocol", protocol, "--home", str(home.root)),
    ]
