"""Numbers and states in words: one way of writing them on every page."""

import sys
import time
from pathlib import Path

from core.protocol import (
    PROTOCOLS,
    SELECTION_TITLES,
    VALIDATION_REPEATS,
    FitOn,
    Protocol,
    Selection,
    Task,
    parse_protocol,
)
from core.runs.folder import Status
from dashboard.navigation import ROOT

STATE_ICONS = {
    "queued": ":material/hourglass_empty:",
    "running": ":material/play_circle:",
    "done": ":material/check_circle:",
    "failed": ":material/error:",
    "cancelled": ":material/do_not_disturb_on:",
}
STATE_COLORS = {"queued": "gray", "running": "blue", "done": "green", "failed": "red", "cancelled": "orange"}
STATE_SIGNS = {
    "queued": "◷ queued",
    "running": "▶ running",
    "done": "✓ done",
    "failed": "✕ failed",
    "cancelled": "⊘ cancelled",
}
SILENT_AFTER = 30.0


def score(value: float | None) -> str:
    """A metric with four decimals and no leading zero: `.5962`, `−.0027` for the end of an interval below zero."""
    if value is None or value != value:
        return "–"
    return ("−" if round(value, 4) < 0 else "") + f"{abs(value):.4f}".removeprefix("0")


def signed(value: float) -> str:
    """A difference of metrics: `+.0123`, `−.0045`."""
    return ("" if round(value, 4) < 0 else "+") + score(value)


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def cut(title: str, longest: int = 60) -> str:
    """A title that fits in a line, `Rubbermaid Commercial Pro…`."""
    title = title.strip()
    return title if len(title) <= longest else title[: longest - 1].rstrip() + "…"


def count(number: int, noun: str) -> str:
    """`1 run`, `2 runs`, `15,449 users`."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def duration(seconds: float) -> str:
    """`0.4 s`, `42 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def size(number: float) -> str:
    """Bytes in a readable unit: `812 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit in ("B", "kB", "MB") else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def path(label: str) -> str:
    """A relation path for reading: `favorite › buy`."""
    return label.replace(" > ", " › ")


def command(text: str) -> str:
    """`text` with its `python -m core` as it must be typed in the project's folder: with the .venv that `make` built."""
    in_venv = Path(sys.prefix) == ROOT / ".venv"
    return text.replace("python -m core", ".venv/bin/python -m core") if in_venv else text


def sentence(text: str) -> str:
    """`text` with its first letter in upper case and the others as they are."""
    return text[:1].upper() + text[1:]


def protocol(key: str) -> str:
    """What a protocol does, in a few words. `key` as in results. Raises ConfigError for an unknown one."""
    return protocol_title(parse_protocol(key))


def protocol_title(protocol: Protocol) -> str:
    if protocol.name == "full":
        return "full ranking of all items" + ("" if protocol.mask_valid else ", validation items not hidden")
    if protocol.name == "mmrec":
        return "full ranking as in MMRec, only training items hidden, users without any left out"
    if protocol.name == "heco":
        rate = PROTOCOLS["heco"].probe_lr
        own_rate = "" if protocol.probe_lr == rate else f", learning rate {protocol.probe_lr:g}"
        classifiers = count(protocol.repeats, "linear classifier")
        return f"{classifiers} per label setting on frozen embeddings{own_rate}, and k-means"
    return f"sampled ranking, each test item against {protocol.num_negatives} random ones"


def validation_of_nodes() -> str:
    """What validation values of node runs are, in a few words."""
    return f"validation nodes: {VALIDATION_REPEATS} linear classifiers per label setting, each at its best step there"


def selection(rule: Selection) -> str:
    return SELECTION_TITLES[rule]


def fit_on(choice: FitOn, auxiliary_noise: float = 0.0) -> str:
    """The pairs that were trained on: `training pairs and 20 % random auxiliary pairs`."""
    pairs = "training pairs" if choice == "train" else "training and validation pairs"
    return f"{pairs} and {noise(auxiliary_noise)} random auxiliary pairs" if auxiliary_noise else pairs


def trained_on(task: Task, choice: FitOn, auxiliary_noise: float = 0.0) -> str:
    """`trained on training pairs`; empty for models of nodes, which have no choice."""
    return f"trained on {fit_on(choice, auxiliary_noise)}" if task == "ranking" else ""


def noise(share: float) -> str:
    """A share of random auxiliary pairs, which is set and not measured: `20 %`."""
    return f"{100 * share:.4g} %"


def state_sentence(
    status: Status,
    *,
    resumable: bool,
    place: int | None = None,
    cancelling: bool = False,
    trained: float = 0.0,
    now: float | None = None,
) -> str:
    """What happened to a run, in one or two sentences.

    trained: seconds in epochs over all attempts; said where a run was resumed. cancelling: it was told to stop.
    """
    now = time.time() if now is None else now
    where = f" on {status.device or status.slot}" if status.device or status.slot else ""
    at = f"epoch {status.epoch:,} of {status.epochs:,}" if status.epochs else "fitting in closed form"
    seconds = (status.finished or now) - status.started if status.started else 0.0
    lasted = f" after {duration(seconds)}" if status.started else ""
    if lasted and (status.attempts or trained > seconds):
        total = f" ({duration(trained)} of training in all)" if trained else ""
        lasted += f" in the last attempt{total}"
    if cancelling and status.state == "queued":
        return "Cancelling: it leaves the queue."
    if cancelling and status.state == "running":
        return f"Cancelling at {at}: it stops once its checkpoint is written."
    match status.state:
        case "queued":
            position = f" It is number {place} in the queue." if place else ""
            return f"Waiting for a free slot for {duration(now - status.queued)}.{position}"
        case "running":
            silent = now - (status.heartbeat or now)
            quiet = f" No sign of life for {duration(silent)}." if silent > SILENT_AFTER else ""
            since = f", started {duration(now - status.started)} ago" if status.started else ""
            return f"Training{where}: {at}{since}.{quiet}"
        case "done":
            return f"Finished{lasted}{where}." + (f" {status.message}" if status.message else "")
        case "failed":
            reason = status.error.message if status.error else status.message or "no reason was recorded"
            return f"Failed at {at}{lasted}: {reason.rstrip('.')}.{_going_on(reason, resumable)}"
        case "cancelled":
            return f"Cancelled at {at}{lasted}.{_going_on(status.message, resumable)}"


def _going_on(said: str, resumable: bool) -> str:
    """What Resume does, unless the reason has said so already."""
    if "Resume" in said:
        return ""
    return (
        " Resume continues from its last checkpoint."
        if resumable
        else " There is no checkpoint: Resume starts over."
    )
