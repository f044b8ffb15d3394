"""The form that makes runs: what to train on what, its settings, what differs from the preset, and the launch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.catalog.base import System
from core.catalog.systems import CATALOG
from core.data.dataset import DatasetInfo
from core.home import Home
from core.protocol import Task
from core.recipe import Recipe, make_recipe
from core.runs import launch
from core.runs.devices import find_slots
from core.runs.summary import RunSummary
from core.studies.noise import SHARES
from dashboard import compare, forms, readers, selection, states, words
from dashboard import training_choices as choices
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.navigation import go
from dashboard.panels import settings_form

_FIT_ON = {"train": "training pairs", "train+valid": "training and validation pairs"}
_TASK = "training-task"


@dataclass(frozen=True)
class Draft:
    """What the form says: everything a recipe needs, one recipe per seed."""

    dataset: DatasetInfo
    system: System
    preset: str
    variant: str | None
    settings: dict[str, Any]
    protocol: str
    fit_on: str
    selection: str
    device: str
    seeds: list[int]
    auxiliary_noise: float = 0.0

    def recipes(self) -> list[Recipe]:
        """One recipe per seed. Raises ConfigError where parts do not fit."""
        return [
            make_recipe(
                self.dataset.name,
                self.dataset.content_hash,
                self.system.key,
                planted=self.dataset.planted,
                preset=self.preset,
                variant=self.variant,
                overrides=self.settings,
                protocol=self.protocol,
                fit_on=self.fit_on,  # type: ignore[arg-type]
                selection=self.selection,  # type: ignore[arg-type]
                seed=seed,
                device=self.device,
                auxiliary_noise=self.auxiliary_noise,
            )
            for seed in self.seeds
        ]


def draft(datasets: list[DatasetInfo]) -> Draft:
    """Draw the form and return what it says. Raises ConfigError for settings that do not fit."""
    came_back = not st.query_params  # over the menu: the address has not been written yet
    with_rule = st.query_params.get("system") if "selection" in st.query_params else None
    data, system, preset, variant = _what(datasets)
    _own_rule(system, with_rule)
    protocol, fit_on, rule, noise, device, seeds = _how(data, system)
    settings = settings_form.settings(system, preset, variant, came_back)
    parsed = forms.parse_seeds(seeds)
    return Draft(data, system, preset, variant, settings, protocol, fit_on, rule, device, parsed, noise)


def _own_rule(system: System, with_rule: str | None) -> None:
    """Where another task is picked than before, the epoch is chosen by the system's own rule again.

    with_rule: the system for which the address asked for a rule, before anything was picked.
    """
    before, st.session_state[_TASK] = st.session_state.get(_TASK), system.task
    if before not in (None, system.task) and with_rule != system.key:
        selection.remember("selection", None)


def _what(datasets: list[DatasetInfo]) -> tuple[DatasetInfo, System, str, str | None]:
    by_name = {data.name: data for data in datasets}
    cells = row("controls", "what", (3, 3, 3, 5))
    with cells[0]:
        data = by_name[selection.pick("dataset", "Data", list(by_name), default="demo", title=str)]
    with cells[1]:
        system = _system(data)
    with cells[2]:
        standard = "small" if data.planted else "paper"
        preset = selection.pick(
            "preset", "Preset", list(system.presets), default=standard, help=meaning("preset")
        )
    with cells[3]:
        names = ["none", *system.variants]
        variant = selection.pick(
            "variant", "Variant", names, title=lambda v: variant_title(system, v), help=meaning("variant")
        )
    st.caption(f"**{states.plain(data.name)}**: {_content(data, system)}")
    st.caption(f"**{system.title}**: {system.summary} Source: {states.plain(system.paper)}.")
    return data, system, preset, None if variant == "none" else variant


def _system(data: DatasetInfo) -> System:
    """The picked system among those that can train on `data`; where these learn different tasks, their titles tell."""
    keys = choices.fitting_systems(data)
    tasks = {CATALOG[key].task for key in keys}

    def title(key: str) -> str:
        told = " · nodes" if len(tasks) > 1 and CATALOG[key].task == "nodes" else ""
        return CATALOG[key].title + told

    def why(key: str) -> str:
        return choices.unfit_system(key, data)

    return CATALOG[selection.pick("system", "System", keys, title=title, why=why)]


def _content(data: DatasetInfo, system: System) -> str:
    """What of `data` the system trains on."""
    if system.task == "ranking":
        return f"{data_title(data)}. {states.plain(' → '.join(data.behaviors))}, target last."
    graph = readers.graph_outline(readers.dataset(readers.home(), data.name))
    paths = (
        f"{'metapath' if len(graph.metapaths) == 1 else 'metapaths'} {', '.join(graph.metapaths) or 'none'}"
    )
    said = f"{graph.nodes:,} nodes of type {graph.target} in {graph.classes:,} classes"
    return states.plain(f"{said}; {paths}.")


def data_title(data: DatasetInfo) -> str:
    planted = ", planted" if data.planted else ""
    if not data.behaviors:
        return f"{words.count(sum(data.nodes.values()), 'node')} of {words.count(len(data.nodes), 'type')}{planted}"
    return f"{data.num_users:,} users, {data.num_items:,} items{planted}"


def variant_title(system: System, name: str) -> str:
    """A variant with where the paper reports it."""
    if name == "none":
        return "none: the full model"
    variant = system.variants[name]
    return f"{variant.title} ({variant.source})" if variant.source else variant.title


def _how(data: DatasetInfo, system: System) -> tuple[str, str, str, float, str, str]:
    cells = row("controls", "how", (3, 3, 4, 4))
    with cells[0]:
        seeds = selection.text("seeds", "Seeds", default="0", help=meaning("seed"))
    with cells[1]:
        protocol = selection.pick(
            "protocol",
            "Protocol",
            _protocols(system.task),
            default=system.default_protocol,
            help=meaning("protocol" if system.task == "ranking" else "heco"),
            why=lambda key: choices.unfit_protocol(key, system),
        )
    fit_on, places = "train", cells[2:]
    if system.task == "ranking":
        with cells[2]:
            fit_on = selection.pick(
                "fit_on", "Train on", list(_FIT_ON), title=_FIT_ON.__getitem__, help=meaning("fit on")
            )
        places = cells[3:]
    with places[0]:
        rule = _rule(system, fit_on)
    places = places[1:] or row("controls", "where", (3, 3, 8))
    with places[0]:
        device = selection.pick("device", "Device", _devices(), help=meaning("device"))
    noise = 0.0
    if len(data.behaviors) > 1 and system.task == "ranking":
        with places[1]:
            noise = float(
                selection.pick(
                    "noise", "Noise", _shares(), title=_noise_title, help=meaning("auxiliary noise")
                )
            )
    return protocol, fit_on, rule, noise, device, seeds


def _rule(system: System, fit_on: str) -> str:
    return selection.pick(
        "selection",
        "Model scored",
        choices.fitting_rules(system, fit_on),
        default=system.default_selection,
        title=choices.RULES.__getitem__ if system.is_trained else lambda rule: "fitted once, no epochs",
        help=meaning("selection"),
        why=lambda rule: choices.unfit_rule(rule, system),
    )


def _shares() -> list[str]:
    """Shares of random auxiliary pairs on offer: those of the noise study, and the one that the address asks for."""
    offered = [f"{share:g}" for share in SHARES]
    asked = selection.current("noise")
    return [*offered, asked] if asked and asked not in offered else offered


def _noise_title(share: str) -> str:
    return words.noise(float(share)) if float(share) else "none"


def _protocols(task: Task) -> list[str]:
    """The protocols that score `task`, and the one with options that the address asks for."""
    names = choices.fitting_protocols(task)
    asked = selection.current("protocol")
    extra = [asked] if asked and asked not in names and asked.partition(":")[0] in names else []
    return [*names, *extra]


def _devices() -> list[str]:
    gpus = [slot.name for slot in find_slots() if slot.kind == "cuda"]
    return ["auto", "cpu", *(["cuda", *gpus] if gpus else [])]


def protocol_note(runs: Sequence[RunSummary], dataset: str, protocol: str) -> str:
    """What to pick so that results compare, where the latest run on the data was scored otherwise; else nothing."""
    task = compare.protocol_task(protocol)
    scored = [
        run
        for run in runs
        if run.dataset == dataset
        and run.main_value is not None
        and compare.protocol_task(run.protocol) == task
    ]
    latest = max(scored, key=lambda run: run.created, default=None)
    if latest is None or not latest.protocol or latest.protocol == protocol:
        return ""
    return f"The latest run on this data was scored under {latest.protocol}; pick it as the protocol to compare with that run."


def review(ready: Draft, home: Home) -> None:
    """What differs from the preset, the equivalent command, and the button that queues the runs."""
    recipes = ready.recipes()
    note = protocol_note(readers.runs(home), ready.dataset.name, ready.protocol)
    if note:
        st.caption(states.plain(note))
    changed = recipes[0].changes()
    if changed:
        st.markdown(
            f"**{words.count(len(changed), 'setting')} differ from preset `{ready.preset}`**"
            if len(changed) > 1
            else f"**1 setting differs from preset `{ready.preset}`**"
        )
        st.dataframe(forms.difference_table(changed, ready.system.config), hide_index=True)
    else:
        st.caption(f"Exactly preset `{ready.preset}`: nothing was changed.")
    if ready.selection == "test_as_published":
        st.warning(
            "Choosing the epoch on test data flatters the model; results are labelled optimistic everywhere."
        )
    if st.button(
        f"Train {words.count(len(recipes), 'run')}",
        type="primary",
        icon=":material/play_arrow:",
        key="launch",
    ):
        queued = [launch.submit(home, recipe) for recipe in recipes]
        go("runs", run=queued[0].run_id)
    with st.expander("The same on the command line", icon=":material/terminal:"):
        st.code(
            "\n".join(words.command(recipe.command()) for recipe in recipes), language="bash", wrap_lines=True
        )
