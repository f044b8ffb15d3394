"""Any user of a data set: picked from a list in the order of their numbers, or by number where there are very many."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from core.data.dataset import Dataset
from dashboard import readers, selection

MOST_LISTED = 5000


def original_ids(data: Dataset) -> list[str]:
    """The source's id of every user; shared between sessions: read it, never write into it. Raises DataError."""
    return _original_ids(data, str(data.folder), readers.stamp(data.folder / "users.parquet"))


@st.cache_resource(max_entries=8, show_spinner="Reading user ids")
def _original_ids(_data: Dataset, folder: str, written: readers.Stamp) -> list[str]:
    return [str(original) for original in _data.users()["original_id"]]


def pick_user(
    count: int,
    *,
    default: int,
    title: Callable[[int], str],
    about: str,
    listed_tip: str,
    examples: Sequence[int] = (),
) -> int:
    """The picked one of `count` users, mirrored in the address.

    title: of a user in the list. about: what is known of whom, for the tooltip; listed_tip comes before it where there is a
    list, examples after it where there is none.
    """
    asked = selection.current("user")
    exists = asked is not None and int(asked) < count
    user = int(asked) if asked is not None and exists else default
    look: dict[str, Any] = {"key": "pick:user", "on_change": _user_changed}
    if count > MOST_LISTED:
        st.session_state["pick:user"] = user
        named = f" For example {', '.join(map(str, examples))}." if examples else ""
        user = int(st.number_input("User", 0, count - 1, step=1, help=about + named, **look))
    else:
        st.session_state["pick:user"] = str(user)
        names = {str(number): title(number) for number in range(count)}
        # "contains" keeps the order of the list, so that typing "user 7" finds 7 before 70
        find: dict[str, Any] = {"format_func": names.__getitem__, "filter_mode": "contains"}
        user = int(st.selectbox("User", list(names), help=f"{listed_tip} {about}", **find, **look))
    if asked is not None and not exists:
        st.caption(f":orange[There is no user {asked}; shown is user {user}.]")
    selection.mirror("user", str(user))
    return user


def _user_changed() -> None:
    selection.choose("user", str(st.session_state["pick:user"]))
