"""notes.json: the user's own words and tags about a run; it belongs to the page."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from core.errors import RunError
from core.files import read_json, write_json
from core.locks import locked
from core.runs.folder import RunFolder

LONGEST_NOTES = 20_000
LONGEST_TAG = 40
MOST_TAGS = 20
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, RecursionError)
_TAG = re.compile(rf"\w[\w .:+=@#/-]{{0,{LONGEST_TAG - 1}}}")


@dataclass(frozen=True)
class Notes:
    """Content of notes.json: the user's own words about a run."""

    notes: str = ""
    tags: tuple[str, ...] = ()


class NotesChanged(RunError):
    """Notes were not stored, since others had been meanwhile: `stored`."""

    def __init__(self, run_id: str, stored: Notes) -> None:
        super().__init__(
            f"{run_id}: its notes were changed elsewhere since they were opened; nothing was overwritten: "
            "look at the newer ones, then save again"
        )
        self.stored = stored


def read_notes(run: RunFolder) -> Notes:
    """The notes and tags of `run`; none where the file is missing or damaged."""
    try:
        return _parsed(run.path / "notes.json")
    except _UNREADABLE:
        return Notes()


def write_notes(run: RunFolder, notes: str, tags: Iterable[str], *, expected: Notes | None = None) -> Notes:
    """Store notes and tags; blanks around tags and repeated tags go.

    expected: what was there when the writer began. Raises NotesChanged where something else is there by now, RunError
    where notes or tags are too long, too many or hold signs that are not allowed. A damaged file is kept aside.
    """
    kept = tuple(dict.fromkeys(filter(None, (" ".join(tag.split()) for tag in tags))))
    text = notes.replace("\r\n", "\n").replace("\r", "\n")
    _check_notes(run.run_id, text, kept)
    if not run.path.is_dir():
        raise RunError(f"there is no run {run.run_id!r}; it may have been deleted")
    path = run.path / "notes.json"
    with locked(run.path.parent.parent / "supervisor" / "notes.lock", wait=5.0) as mine:
        if not mine:
            raise RunError(f"{run.run_id}: notes are being written elsewhere; save again in a moment")
        stored = read_notes(run)
        if expected is not None and stored != expected:
            raise NotesChanged(run.run_id, stored)
        if path.exists() and not _is_readable(path):
            path.replace(path.with_name("notes.json.damaged"))
        write_json(path, {"notes": text, "tags": list(kept)})
    return Notes(text, kept)


def _check_notes(run_id: str, notes: str, tags: tuple[str, ...]) -> None:
    if len(notes) > LONGEST_NOTES or len(tags) > MOST_TAGS:
        raise RunError(
            f"{run_id}: at most {LONGEST_NOTES:,} characters of notes and {MOST_TAGS} tags are kept, "
            f"got {len(notes):,} and {len(tags)}; shorten them"
        )
    bad = next((tag for tag in tags if not _TAG.fullmatch(tag) or ".." in tag), None)
    if bad is not None:
        raise RunError(
            f"{run_id}: tag {bad[:80]!r} is not allowed: expected 1 to {LONGEST_TAG} letters, digits, blanks or "
            "'.:+=@#/-', starting with a letter or digit; choose another tag"
        )
    if any(unicodedata.category(sign) in ("Cc", "Cs") and sign not in "\n\t" for sign in notes):
        raise RunError(f"{run_id}: the notes hold control characters; write them as plain text")


def _parsed(path: Path) -> Notes:
    """What the file says. Raises one of _UNREADABLE unless all of it is there."""
    stored = read_json(path)
    notes, tags = stored["notes"], stored["tags"]
    if not isinstance(notes, str) or not isinstance(tags, list) or not all(isinstance(t, str) for t in tags):
        raise TypeError("expected a text of notes and a list of tags")
    return Notes(notes, tuple(tags))


def _is_readable(path: Path) -> bool:
    try:
        _parsed(path)
    except _UNREADABLE:
        return False
    return True
