"""The settings of the training form: edits that live in the address and survive another preset or variant."""

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from core.catalog.base import System, SystemConfig
from core.catalog.systems import CATALOG
from core.errors import ConfigError
from dashboard import forms, states, words

_FORM = "training-form"
Choice = tuple[str, str, str | None]


@dataclass
class FormState:
    """What the form remembers of its settings between two draws of one tab.

    choice: the system, preset and variant the edits belong to. written: the edits as the address last held them. round:
    counts the times that the inputs took `start` as their values. notice: what was reset or refused.
    """

    choice: Choice | None = None
    edits: dict[str, Any] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    round: int = 0
    start: dict[str, Any] = field(default_factory=dict)
    notice: str = ""


def settings(system: System, preset: str, variant: str | None, came_back: bool) -> dict[str, Any]:
    """Draw the inputs and return what differs from preset and variant. came_back: the address is not written yet."""
    fields = forms.form_fields(system.config)
    if not fields:
        st.caption(f"{system.title} has nothing to set.")
        return {}
    form: FormState = st.session_state.setdefault(_FORM, FormState())
    base = system.resolve(preset, variant)
    _begin_round(form, system, (system.key, preset, variant), base, came_back)
    place = st.container()
    entered = forms.draw(fields, form.start, f"set:{form.round}")
    changed = forms.changes(entered, base)
    if changed != form.edits:
        form.edits, form.notice = changed, ""
    if form.notice:
        place.caption(f":orange[{states.plain(form.notice)}]")
    _mirror_settings(form)
    return changed


def _begin_round(
    form: FormState, system: System, choice: Choice, base: SystemConfig, came_back: bool
) -> None:
    """Fill the inputs anew where the address brings other settings or another system, preset or variant is chosen."""
    in_url = list(st.query_params.get_all("set"))
    before, form.choice = form.choice, choice
    if in_url != form.written and not came_back:
        form.edits, refused = _settings_of(system, choice, in_url)
        form.notice = f"Settings in the address were refused: {'; '.join(refused)}" if refused else ""
    elif before != choice:
        old = CATALOG[before[0]].resolve(*before[1:]).model_dump() if before else {}
        form.edits, reset = forms.carried(form.edits, old, base)
        were = "was" if len(reset) == 1 else "were"
        form.notice = f"{words.count(len(reset), 'change')} {were} reset: {', '.join(reset)}" if reset else ""
    elif not came_back:
        return
    form.round += 1
    form.start = base.model_dump() | form.edits


def _settings_of(system: System, choice: Choice, texts: list[str]) -> tuple[dict[str, Any], list[str]]:
    """The settings that `texts` of the address ask for, and what of it is refused."""
    asked, refused = forms.parse_assignments(texts, system.config)
    try:
        resolved = system.resolve(*choice[1:], asked).model_dump()
    except ConfigError as error:
        return {}, [*refused, states.readable(error)]
    return {name: resolved[name] for name in asked}, refused


def _mirror_settings(form: FormState) -> None:
    form.written = forms.assignments(form.edits)
    if form.written:
        st.query_params["set"] = form.written
    else:
        st.query_params.pop("set", None)
