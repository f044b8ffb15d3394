"""Forms generated from a system's pydantic config: nothing here knows any system.

`form_fields` is pure (config type -> descriptions of inputs); `draw` turns them into widgets.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import pandas as pd
import streamlit as st
from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from core.catalog.base import SystemConfig
from core.errors import ConfigError

MOST_SEEDS = 20
InputKind = Literal["choice", "switch", "integer", "number", "text"]


@dataclass(frozen=True)
class FormField:
    """One input: what it is called, what it means, which values it takes."""

    name: str
    kind: InputKind
    group: str
    unit: str
    help: str
    choices: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None

    @property
    def label(self) -> str:
        words = self.name.replace("_", " ")
        return f"{words} ({self.unit})" if self.unit and self.unit not in words else words


def form_fields(config: type[SystemConfig]) -> tuple[FormField, ...]:
    """One FormField per setting of `config`, in the order of the class."""
    return tuple(_form_field(name, info) for name, info in config.model_fields.items())


def _form_field(name: str, info: FieldInfo) -> FormField:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    kind, choices = _kind_of(info.annotation)
    low: float | None = None
    high: float | None = None
    for bound in info.metadata:
        if isinstance(bound, Ge | Gt):
            low = float(str(bound.ge if isinstance(bound, Ge) else bound.gt))
        if isinstance(bound, Le | Lt):
            high = float(str(bound.le if isinstance(bound, Le) else bound.lt))
    group, unit = str(extra.get("group") or "Model"), str(extra.get("unit") or "")
    return FormField(name, kind, group, unit, info.description or "", choices, low, high)


def _kind_of(annotation: Any) -> tuple[InputKind, tuple[Any, ...]]:
    if get_origin(annotation) is Literal:
        return "choice", get_args(annotation)
    kinds: dict[Any, InputKind] = {bool: "switch", int: "integer", float: "number"}
    return kinds.get(annotation, "text"), ()


def draw(
    fields: Sequence[FormField], values: Mapping[str, Any], key: str, columns: int = 3
) -> dict[str, Any]:
    """Widgets for `fields`, filled with `values`, one tab per group; returns what they say now.

    key: prefix of the widget keys; another preset or variant needs another one, so that its own values appear.
    """
    groups = sorted(dict.fromkeys(field.group for field in fields), key=lambda group: group != "Model")
    entered: dict[str, Any] = {}
    for group, tab in zip(groups, st.tabs(groups)):
        members = [field for field in fields if field.group == group]
        with tab, st.container(key=f"controls-{group}"):
            cells = [cell for _ in range(0, len(members), columns) for cell in st.columns(columns)]
            for cell, field in zip(cells, members):
                with cell:
                    entered[field.name] = _widget(field, values[field.name], f"{key}:{field.name}")
    return {field.name: entered[field.name] for field in fields}


def _widget(field: FormField, value: Any, key: str) -> Any:
    if field.kind == "choice":
        place = field.choices.index(value)
        return st.selectbox(
            field.label, field.choices, index=place, key=key, help=field.help, filter_mode=None
        )
    if field.kind == "switch":
        return st.toggle(field.label, value=value, key=key, help=field.help)
    # number inputs get no bounds: the browser would keep the last good value and say nothing; the config says what is wrong
    if field.kind == "integer":
        return st.number_input(field.label, value=int(value), step=1, key=key, help=field.help)
    if field.kind == "number":
        step = 10.0 ** math.floor(math.log10(abs(value))) if value else 0.01
        return st.number_input(
            field.label, value=float(value), step=step, format="%g", key=key, help=field.help
        )
    return st.text_input(field.label, value="" if value is None else str(value), key=key, help=field.help)


def changes(entered: Mapping[str, Any], base: SystemConfig) -> dict[str, Any]:
    """The settings in `entered` that differ from `base`."""
    stored = base.model_dump()
    return {name: value for name, value in entered.items() if value is not None and value != stored[name]}


def carried(
    edits: Mapping[str, Any], before: Mapping[str, Any], base: SystemConfig
) -> tuple[dict[str, Any], list[str]]:
    """What of `edits` survives a change from the settings `before` to `base`, and the names of those that are reset.

    An edit is reset where the new base sets that setting differently from the old one, or does not have it.
    """
    after = base.model_dump()
    kept = {
        name: value
        for name, value in edits.items()
        if name in after and name in before and after[name] == before[name]
    }
    return kept, [name for name, value in edits.items() if name not in kept and after.get(name) != value]


def assignments(settings: Mapping[str, Any]) -> list[str]:
    """Settings as `name=value` texts, the way `--set` and the address write them."""
    return [f"{name}={value}" for name, value in settings.items()]


def parse_assignments(texts: Sequence[str], config: type[SystemConfig]) -> tuple[dict[str, str], list[str]]:
    """`name=value` texts as settings of `config`, and the texts that name no setting of it."""
    settings: dict[str, str] = {}
    refused = []
    for text in texts:
        name, sign, value = text.partition("=")
        if sign and name in config.model_fields and len(value) <= 80:
            settings[name] = value
        else:
            refused.append(text[:80])
    return settings, refused


def difference_table(changed: Mapping[str, tuple[Any, Any]], config: type[SystemConfig]) -> pd.DataFrame:
    """The settings that differ from the preset: columns setting, preset, this run, meaning."""
    about = {field.name: field for field in form_fields(config)}
    rows = [(name, str(old), str(new), about[name].help) for name, (old, new) in changed.items()]
    return pd.DataFrame(rows, columns=["setting", "preset", "this run", "meaning"])


def parse_seeds(text: str) -> list[int]:
    """`0, 1, 5-7` as [0, 1, 5, 6, 7]. Raises ConfigError."""
    ranges = [_seed_range(part, text) for part in filter(None, (piece.strip() for piece in text.split(",")))]
    number = sum(map(len, ranges))
    if not ranges:
        raise ConfigError("no seed is given; write one, such as 0, or several: 0, 1, 2 or 0-4")
    if number > MOST_SEEDS:
        raise ConfigError(
            f"seeds {text!r} would queue {number:,} runs, one per seed; write at most {MOST_SEEDS}, such as 0-4"
        )
    seeds = [seed for numbers in ranges for seed in numbers]
    repeated = next((seed for seed in seeds if seeds.count(seed) > 1), None)
    if repeated is not None:
        raise ConfigError(f"seed {repeated} is given twice; write each seed once, such as 0, 1, 2")
    return seeds


def _seed_range(part: str, text: str) -> range:
    first, dash, last = (piece.strip() for piece in part.partition("-"))
    if not first.isdecimal() or (dash and not last.isdecimal()):
        raise ConfigError(f"cannot read seeds {text!r}; write numbers such as 0, 1, 2 or 0-4")
    low, high = int(first), int(last or first)
    if high < low:
        raise ConfigError(f"seeds {part} run backwards; write {high}-{low}")
    if high >= 2**31:
        raise ConfigError(f"seed {high} is too large; write numbers below 2147483648, such as 0, 1, 2")
    return range(low, high + 1)
