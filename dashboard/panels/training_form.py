"""The form that makes runs: what to train on what, its settings, what differs from the preset, and the launch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.catalog.base import System
from core.catalog.systems import CATALOG
from core.data.dataset import DatasetInfo
from core.home import Home
from core.protocol import PROTOCOLS
from core.recipe import Recipe, make_recipe
from core.runs import launch
from core.runs.devices import find_slots
from core.runs.summary import RunSummary
from core.studies.noise import SHARES
from dashboard import forms, readers, selection, states, words
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.navigation import go
from dashboard.panels import settings_form

_FIT_ON = {"train": "training pairs", "train+valid": "training and validation pairs"}
_RULES = {
    "valid": "best on validation",
    "last": "last epoch",
    "test_as_published": "best on TEST (optimistic)",
}


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


def fitting_systems(data: DatasetInfo) -> list[str]:
    """Keys of the catalog that can train on `data`."""
    return [
        s.key for s in CATALOG.values() if not s.lacks(data.behaviors, data.modalities, "hetero" in data.kind)
    ]


def draft(datasets: list[DatasetInfo]) -> Draft:
    """Draw the form and return what it says. Raises ConfigError for settings that do not fit."""
    came_back = not st.query_params  # over the menu: the address has not been written yet
    data, system, preset, variant = _what(datasets)
    protocol, fit_on, rule, noise, device, seeds = _how(data, system)
    settings = settings_form.settings(system, preset, variant, came_back)
    parsed = forms.parse_seeds(seeds)
    return Draft(data, system, preset, variant, settings, protocol, fit_on, rule, device, parsed, noise)


def _what(datasets: list[DatasetInfo]) -> tuple[DatasetInfo, System, str, str | None]:
    by_name = {data.name: data for data in datasets}
    cells = row("controls", "what", (3, 3, 3, 5))
    with cells[0]:
        data = by_name[selection.pick("dataset", "Data", list(by_name), default="demo", title=str)]
    with cells[1]:
        keys = fitting_systems(data)
        system = CATALOG[selection.pick("system", "System", keys, title=lambda k: CATALOG[k].title)]
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
    st.caption(
        f"**{states.plain(data.name)}**: {data_title(data)}. {states.plain(' → '.join(data.behaviors))}, target last."
    )
    st.caption(f"**{system.title}**: {system.summary} Source: {states.plain(system.paper)}.")
    return data, system, preset, None if variant == "none" else variant


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
            "protocol", "Protocol", _protocols(), default=system.default_protocol, help=meaning("protocol")
        )
    with cells[2]:
        fit_on = selection.pick(
            "fit_on", "Train on", list(_FIT_ON), title=_FIT_ON.__getitem__, help=meaning("fit on")
        )
    with cells[3]:
        rules = list(_RULES) if fit_on == "train" else ["last", "test_as_published"]
        if not system.is_trained:
            rules = ["last"]
        rule = selection.pick(
            "selection", "Model scored", rules, title=_RULES.__getitem__, help=meaning("selection")
        )
    cells = row("controls", "where", (3, 3, 8))
    with cells[0]:
        device = selection.pick("device", "Device", _devices(), help=meaning("device"))
    noise = 0.0
    if len(data.behaviors) > 1:
        with cells[1]:
            noise = float(
                selection.pick(
                    "noise", "Noise", _shares(), title=_noise_title, help=meaning("auxiliary noise")
                )
            )
    return protocol, fit_on, rule, noise, device, seeds


def _shares() -> list[str]:
    """Shares of random auxiliary pairs on offer: those of the noise study, and the one that the address asks for."""
    offered = [f"{share:g}" for share in SHARES]
    asked = selection.current("noise")
    return [*offered, asked] if asked and asked not in offered else offered


def _noise_title(share: str) -> str:
    return words.noise(float(share)) if float(share) else "none"


def _protocols() -> list[str]:
    asked = selection.current("protocol")
    extra = [asked] if asked and asked not in PROTOCOLS and asked.partition(":")[0] in PROTOCOLS else []
    return [*PROTOCOLS, *extra]


def _devices() -> list[str]:
    gpus = [slot.name for slot in find_slots() if slot.kind == "cuda"]
    return ["auto", "cpu", *(["cuda", *gpus] if gpus else [])]


def protocol_note(runs: Sequence[RunSummary], dataset: str, protocol: str) -> str:
    """What to pick so that results compare, where the latest run on the data was scored otherwise; else nothing."""
    scored = [run for run in runs if run.dataset == dataset and run.main_value is not None]
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
