"""The frame of a page and its designed states: empty, loading, refused, failed."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from core.errors import ConfigError, DataError, DeviceError, RelScopeError, RunError
from dashboard import words
from dashboard.drawing import forget_context
from dashboard.navigation import go

_TITLES: dict[type[RelScopeError], str] = {
    DataError: "The data cannot be used as it is",
    ConfigError: "These settings do not fit",
    RunError: "This run cannot be shown or changed",
    DeviceError: "The device cannot take this job",
}
_NOISE = tuple(
    map(re.compile, (r"(settings: )?Value error, ", r" \(got \{.*?\}\)", r"\.? Settings: [a-z0-9_, ]+$"))
)
_SETTING = re.compile(r"[a-z_]+: ")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>$~:|#])")


@contextmanager
def page(question: str, lead: str) -> Iterator[None]:
    """A page titled by the question it answers; RelScope's own errors inside become a box with the remedy."""
    forget_context()
    st.title(question, anchor=False)
    st.caption(lead)
    with guarded():
        yield


@contextmanager
def guarded() -> Iterator[None]:
    """Draw a RelScopeError raised inside, or what the disk refuses, as a box; the rest of the page goes on."""
    try:
        yield
    except RelScopeError as error:
        failed(error)
    except OSError as error:
        failed(_of_the_disk(error))


def _of_the_disk(error: OSError) -> RelScopeError:
    """What the system refused, and the remedy."""
    path = Path(str(error.filename)) if error.filename else None
    if path and path.name.startswith("."):
        path = path.parent  # a temporary name says nothing to the reader
    where = f"{path}: " if path else ""
    remedies = {
        errno.ENOSPC: "make room on the disk, then try again (what was stored before is untouched)",
        errno.EDQUOT: "make room in your quota, then try again (what was stored before is untouched)",
        errno.EROFS: "make the home folder writable, or start RelScope with another RELSCOPE_HOME",
        errno.EACCES: "make the home folder writable, or start RelScope with another RELSCOPE_HOME",
        errno.EPERM: "make the home folder writable, or start RelScope with another RELSCOPE_HOME",
    }
    remedy = remedies.get(
        error.errno or 0, "check the disk and the permissions of the home folder, then try again"
    )
    return RelScopeError(f"{where}{error.strerror or error}; {remedy}")


def failed(error: RelScopeError) -> None:
    """What went wrong, and after the last semicolon what to do about it; several bad settings become a list."""
    text = readable(error)
    title = next(
        (name for kind, name in _TITLES.items() if isinstance(error, kind)), "This could not be done"
    )
    problems = text.split("; ")
    if isinstance(error, ConfigError) and all(map(_SETTING.match, problems)):
        lines = [plain(problem[:1].upper() + problem[1:]) for problem in problems]
        body = "\n".join(f"- {line}" for line in lines) if len(lines) > 1 else lines[0] + "."
        st.error(body, title=title, icon=":material/error:")
        return
    what, _, remedy = text.rpartition("; ")
    body = plain(what or remedy)
    if what:
        body += f"\n\n**What to do:** {plain(remedy[:1].upper() + remedy[1:])}"
    st.error(body, title=title, icon=":material/error:")


def readable(error: RelScopeError) -> str:
    """The message without what only a terminal needs: pydantic's prefix, whole configs, the list of all settings."""
    text = str(error)
    for noise in _NOISE:
        text = noise.sub("", text)
    return words.command(text.replace(": Input should be ", ": must be "))


def empty(title: str, what_next: str, page: str | None = None, label: str = "", **params: str) -> None:
    """Nothing here yet: says what to do next, with a button where another page (`train`) does it."""
    with st.container(border=True, horizontal_alignment="center"):
        st.markdown(f"**{title}**", text_alignment="center")
        st.caption(what_next, text_alignment="center")
        if page and st.button(label, type="primary", key=f"empty:{title}"):
            go(page, **params)


def sampled(shown: int, total: int, what: str) -> None:
    """Says that a view shows part of something huge."""
    if shown < total:
        st.caption(f"Showing {shown:,} of {total:,} {what}.")


def plain(text: str) -> str:
    """`text` with Markdown signs escaped, for messages and names that came from outside."""
    return _MARKDOWN.sub(r"\\\1", text)
