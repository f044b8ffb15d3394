"""Device slots, what trains on them, and the queue with its positions."""

from collections.abc import Iterable, Mapping

import streamlit as st

from core.home import Home
from core.runs import launch
from core.runs.devices import Slot, find_devices
from core.runs.queue import queue_order
from core.runs.state import SlotState
from core.runs.summary import RunSummary
from dashboard import readers, states, words
from dashboard.glossary import meaning
from dashboard.navigation import link
from dashboard.panels.background import keep_supervisor
from dashboard.panels.run_list import run_title


def live_queue(home: Home, *, with_queue: bool = True) -> None:
    """Slots and queue, refreshed every two seconds."""
    st.fragment(_queue, run_every=2.0)(home, with_queue)


def _queue(home: Home, with_queue: bool) -> None:
    with states.guarded():
        runs = {run.run_id: run for run in readers.runs(home)}
        state = launch.supervisor_state(home)
        slots = state.slots if state else tuple(SlotState(slot=slot) for slot in find_devices().slots)
        if state is None:
            st.caption(
                ":orange[The supervisor is not running, so queued runs wait. It is started again within half a minute.]"
            )
        elif state.trouble:
            st.caption(f":orange[{states.plain(state.trouble)}]")
        told = readers.cancelling(home)
        for slot in slots:
            _slot(home, slot, runs, cancelling=slot.run_id in told)
        if with_queue:
            held = {slot.run_id for slot in slots}
            _waiting(home, [run for run in runs.values() if run.run_id not in held], told)
        keep_supervisor(home)  # last: what is known is shown before anybody waits for a process to start


def _slot(home: Home, state: SlotState, runs: Mapping[str, RunSummary], *, cancelling: bool) -> None:
    run = runs.get(state.run_id or "")
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{state.slot.name}** · {states.plain(slot_words(state.slot))}", width="content")
            if run is None:
                st.badge("free", color="green", icon=":material/check:")
            else:
                st.badge("cancelling" if cancelling else "busy", color="orange" if cancelling else "blue")
        if run is None:
            return
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            link("runs", states.plain(run_title(run)), run=run.run_id)
            _cancel(home, run, state.slot.name, cancelling=cancelling)
        share = min(run.epoch / run.epochs, 1.0) if run.epochs else 0.0
        st.progress(share, text=f"epoch {run.epoch:,} of {run.epochs:,}" if run.epochs else "fitting")


def slot_words(slot: Slot) -> str:
    """What a slot is: its device and free memory."""
    if slot.memory_total is None or slot.memory_free is None:
        return slot.title
    return f"{slot.title}, {words.size(slot.memory_free)} of {words.size(slot.memory_total)} free"


def _waiting(home: Home, runs: Iterable[RunSummary], told: set[str]) -> None:
    """The queue. runs: those that hold no slot; a run that has just been started may still be told as queued."""
    waiting = queue_order(runs)
    if not waiting:
        st.caption("The queue is empty.", help=meaning("slot"))
        return
    st.caption(f"{words.count(len(waiting), 'run')} waiting, next first", help=meaning("slot"))
    for place, run in enumerate(waiting[:20], start=1):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            link("runs", f"{place}. {states.plain(run_title(run))}", run=run.run_id)
            _cancel(home, run, "waiting", cancelling=run.run_id in told)
    states.sampled(min(20, len(waiting)), len(waiting), "waiting runs")


def _cancel(home: Home, run: RunSummary, place: str, *, cancelling: bool) -> None:
    """place: where the run is shown, so that one run in two places never has one key twice."""
    pressed = st.button(
        "Cancelling…" if cancelling else "Cancel",
        key=f"queue-cancel:{place}:{run.run_id}",
        type="tertiary",
        icon=":material/close:",
        disabled=cancelling,
    )
    if pressed:
        with st.spinner("Cancelling…"):
            launch.cancel(home, run.run_id)
        st.rerun(scope="fragment")
