"""The one shared selection (run, relation, users, items, epoch, settings), mirrored in the URL.

A pasted address restores a view; a value in it that is malformed or does not exist is refused with a notice and
never reaches a path. While the tab lives the selection also survives a change of page.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import streamlit as st

from core.data.info import LONGEST_LABEL

_NAME = r"[A-Za-z0-9][A-Za-z0-9._+:-]{0,79}"
_LABEL = rf"[a-z0-9_]{{1,{LONGEST_LABEL}}}"
_RUN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}"
MOST_RUNS = 12
PATTERNS: dict[str, re.Pattern[str]] = {
    field: re.compile(pattern)
    for field, pattern in {
        "run": _NAME,
        "runs": rf"{_RUN}(,{_RUN}){{0,{MOST_RUNS - 1}}}",
        "dataset": _NAME,
        "system": _LABEL,
        "preset": _NAME,
        "variant": _LABEL,
        "protocol": r"[a-z0-9_]{1,40}(:[a-z0-9_=,]{1,80})?",
        "fit_on": r"train(\+valid)?",
        "selection": _LABEL,
        "device": r"auto|cpu|cuda(:\d{1,3})?",
        "seeds": r".{1,80}",
        "noise": r"0|1|0\.\d{1,6}",
        "state": _LABEL,
        "find": r"[\w .:+=@#/-]{1,60}",
        "tag": r"[\w][\w .:+=@#/-]{0,39}",
        "of_system": _LABEL,
        "of_data": _NAME,
        "under": r"[a-z0-9_]{1,40}(:[a-z0-9_=,]{1,80})?",
        "metric": r"[a-z_]{1,20}@\d{1,4}|(micro|macro)_f1(@\d{1,4})?|auc|nmi|ari",
        "part": r"all|seen|unseen",
        "term": r"[a-z]{1,20}/[a-z0-9_@+-]{1,60}",
        "along": r"epoch|seconds",
        "compared": r"curves|settings|export",
        "settings": r"differing|all",
        "one": _RUN,
        "other": _RUN,
        "order": r"\d{1,2}",
        "start": _LABEL,
        "group": r"user|item",
        "epoch": r"\d{1,6}|scored",
        "detail": r"spread|evolution|segments",
        "user": r"\d{1,9}",
        "item": r"\d{1,9}",
        "path": rf"{_LABEL}( > {_LABEL}){{0,7}}",
        "task": _LABEL,
        "expert": r"[a-z0-9_ ]{1,40}",
        "experts": r"evolution|groups|heads|pairs",
        "against": rf"-|{_RUN}",
        "popularity": r"equal_mass|equal_number",
        "longtail": r"users|shown|items",
        "alignment": r"modalities|neighbors|lineage",
        "modalities": r"spread|groups|epochs",
        "features": _LABEL,
        "structure": r"items|categories|history|popularity|entropy|branches",
        "nodes": r"classes|clusters|map|metapaths|negatives|masks|latent",
        "labels": r"\d{1,4}",
        "layer": r"[a-z0-9_, ]{1,40}",
        "statistic": r"max|q95|mean",
        "level": _NAME,
        "method": r"pca|umap",
        "colour": r"class|cluster|verdict",
        "hyperedge": rf"{_LABEL} \d{{1,4}}",
        "modality": _LABEL,
        "crossed": rf"{_LABEL}-{_LABEL}",
        "items_of": r"all|\d",
        "toward": r"gained|lost",
        "information": r"parts|weights|noise|fusion|spectra|dependence|preservation|study",
        "cut": r"equal_count|equal_width",
        "activity": r"all|similar",
        "about": r"tails|correlation|split|contents|origin",
        "scope": r"train|all",
        "unit": r"pairs|users",
        "job": r"[0-9a-f]{32}",
        "finding": r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}",
        "axis_1": r"mean|\d{1,4}",
        "axis_2": r"mean|\d{1,4}",
        "axis_3": r"mean|\d{1,4}",
        "axis_4": r"mean|\d{1,4}",
        "linked": r"[^\x00-\x1f<>]{1,60}",
    }.items()
}
_STORE, _MIRROR, _REFUSED = "selection", "selection-in-url", "selection-refused"
Widget = Literal["select", "segments", "slider"]


def checked(params: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The known fields of `params` that are well formed, and those that are refused. Unknown fields are left alone."""
    known = {field: value for field, value in params.items() if field in PATTERNS}
    good = {f: v for f, v in known.items() if PATTERNS[f].fullmatch(v) and ".." not in v}
    return good, {f: v for f, v in known.items() if f not in good}


def current(field: str) -> str | None:
    """The selected value of `field`: what a new address says, otherwise what was selected before."""
    value, _ = _resolve(field)
    return value


def remember(field: str, value: str | None) -> None:
    """Select `value`, without touching the address before the next draw."""
    if value is None:
        _store().pop(field, None)
    else:
        _store()[field] = value


def choose(field: str, value: str | None) -> None:
    """Select `value` in the callback of a widget."""
    address_is_old()
    remember(field, value)


def address_is_old() -> None:
    """Called in the callback of a widget, before anything selected is read. If choices follow one another fast, the address that
    comes with one is from before the other, so it says nothing new of fields that were drawn."""
    drawn = _mirror()
    drawn.update({field: value for field, value in st.query_params.items() if field in drawn})


def mirror(field: str, value: str | None) -> None:
    """Select `value` and write it into the address."""
    remember(field, value)
    if value is None:
        st.query_params.pop(field, None)
        _mirror().pop(field, None)
        return
    if st.query_params.get(field) != value:
        st.query_params[field] = value
    _mirror()[field] = value


def pick(
    field: str,
    label: str,
    options: Sequence[str],
    *,
    default: str | None = None,
    title: Callable[[str], str] = str,
    widget: Widget = "select",
    help: str | None = None,
    why: Callable[[str], str] | None = None,
) -> str:
    """A widget that selects `field` among `options` and mirrors it; a refused address value is told beneath it.

    why: why a value that exists is not among `options`, empty for one that does not exist.
    """
    value, from_url = _resolve(field)
    refused = _malformed(field)
    if value not in options:
        refused = value if from_url else refused
        value = default if default in options else options[0]
    if refused is not None:
        _refused()[field] = (refused, str(value))
    elif _refused().get(field, ("", value))[1] != value:
        del _refused()[field]
    key = f"pick:{field}"
    st.session_state[key] = value
    names = distinct_titles(options, title)
    common: dict[str, Any] = {"key": key, "help": help, "on_change": _widget_changed, "args": (field, key)}
    if widget == "select" or len(options) < 2:
        chosen = st.selectbox(label, options, format_func=names.__getitem__, **common)
    elif widget == "segments":
        chosen = st.segmented_control(
            label, options, format_func=names.__getitem__, required=True, wrap=True, **common
        )
    else:
        chosen = st.select_slider(label, options, format_func=names.__getitem__, **common)
    if field in _refused():
        asked = _refused()[field][0]
        reason = _plain(why(asked), 240) if why else ""
        reason = reason or f"There is no {label.lower()} '{_plain(asked)}'"
        st.caption(f":orange[{reason}; shown: {_plain(names[chosen])}.]")
    mirror(field, chosen)
    return str(chosen)


def pick_or_none(
    field: str,
    label: str,
    options: Sequence[str],
    *,
    default: str | None = None,
    title: Callable[[str], str] = str,
) -> str | None:
    """Like `pick`, but what was asked for is never replaced: None while it is not among `options` (see `asked`)."""
    wanted = asked(field)
    if wanted is None or wanted in options:
        return pick(field, label, options, default=default, title=title)
    key, names = f"pick:{field}", distinct_titles(options, title)
    st.session_state[key] = None
    st.selectbox(
        label,
        options,
        index=None,
        key=key,
        format_func=names.__getitem__,
        placeholder="Pick one",
        on_change=_widget_changed,
        args=(field, key),
    )
    return None


def pick_many(
    field: str,
    label: str,
    options: Sequence[str],
    *,
    default: Sequence[str] = (),
    most: int = MOST_RUNS,
    title: Callable[[str], str] = str,
    help: str | None = None,
) -> list[str]:
    """A widget that selects up to `most` of `options`, comma-separated in the address, in the order they were picked.

    Values of the address that are malformed or do not exist are told beneath it and left out. `default` counts only
    where nothing was ever picked.
    """
    key, titles = f"pick:{field}", distinct_titles(options, title)
    st.session_state[key] = chosen_many(field, options, default=default, most=most)
    chosen: list[str] = st.multiselect(
        label,
        options,
        key=key,
        format_func=titles.__getitem__,
        max_selections=most,
        help=help,
        on_change=_many_changed,
        args=(field, key),
    )
    tell_left_out(field, label)
    mirror(field, ",".join(chosen) or None)
    remember(field, ",".join(chosen))
    return chosen


def chosen_many(
    field: str, options: Sequence[str], *, default: Sequence[str] = (), most: int = MOST_RUNS
) -> list[str]:
    """The selected values of `field` that are among `options`, without a widget; the others are noted as refused."""
    value, _ = _resolve(field)
    wanted = ",".join(default) if value is None else value
    names = list(dict.fromkeys(filter(None, wanted.split(","))))
    known = set(options)
    kept = [name for name in names if name in known][:most]
    gone = _malformed(field) or ", ".join(name for name in names if name not in known)
    if gone:
        _refused()[field] = (gone, ",".join(kept))
    elif field in _refused() and _refused()[field][1] != ",".join(kept):
        del _refused()[field]
    return kept


def tell_left_out(field: str, label: str) -> None:
    """Says which values of a selection of several were refused."""
    if field in _refused():
        st.caption(
            f":orange[Left out of {label.lower()}: '{_plain(_refused()[field][0])}'; there is no such.]"
        )


def asked(field: str) -> str | None:
    """What the address or an earlier choice asks for, however malformed: compare it, show it, never use it in a path."""
    in_url = st.query_params.get(field)
    if in_url is not None and in_url != _mirror().get(field):
        remember(field, in_url)
        _mirror()[field] = in_url
    return _store().get(field)


def _plain(text: str, longest: int = 80) -> str:
    return re.sub(r"([^\w\s])", r"\\\1", text[:longest])


def distinct_titles(options: Sequence[str], title: Callable[[str], str]) -> dict[str, str]:
    """A title per option; equal titles get their option added, since a widget tells options apart by title alone."""
    titles = {option: title(option) for option in options}
    repeats = Counter(titles.values())
    return {option: name if repeats[name] == 1 else f"{name} [{option}]" for option, name in titles.items()}


def text(field: str, label: str, *, default: str = "", help: str | None = None, **look: Any) -> str:
    """A text box that selects `field` and mirrors it; an empty text leaves the address, and stays empty."""
    value, _ = _resolve(field)
    key = f"pick:{field}"
    st.session_state[key] = value if value is not None else default
    typed = st.text_input(label, key=key, help=help, on_change=_widget_changed, args=(field, key), **look)
    mirror(field, typed or None)
    remember(field, typed or "")
    return typed or ""


def _widget_changed(field: str, key: str) -> None:
    value = st.session_state[key]
    choose(field, None if value is None else str(value))
    _refused().pop(field, None)


def _many_changed(field: str, key: str) -> None:
    choose(field, ",".join(st.session_state[key]))
    _refused().pop(field, None)


def _resolve(field: str) -> tuple[str | None, bool]:
    """The value of `field` and whether it just arrived through the address."""
    in_url = st.query_params.get(field)
    if in_url is not None and in_url != _mirror().get(field):
        good, _ = checked({field: in_url})
        if field in good:
            _store()[field] = in_url
            return in_url, True
    return _store().get(field), False


def _malformed(field: str) -> str | None:
    in_url = st.query_params.get(field)
    is_bad = in_url is not None and field in checked({field: in_url})[1]
    return in_url if is_bad else None


def _store() -> dict[str, str]:
    store: dict[str, str] = st.session_state.setdefault(_STORE, {})
    return store


def _refused() -> dict[str, tuple[str, str]]:
    """Per field: what the address asked for in vain, and what is selected instead; kept until that changes."""
    refused: dict[str, tuple[str, str]] = st.session_state.setdefault(_REFUSED, {})
    return refused


def _mirror() -> dict[str, str]:
    mirrored: dict[str, str] = st.session_state.setdefault(_MIRROR, {})
    return mirrored
