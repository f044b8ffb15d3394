"""Notes and tags: what is kept, what is refused, and that two writers lose nothing silently."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import RunError
from core.runs.folder import create_run
from core.runs.notes import LONGEST_NOTES, MOST_TAGS, Notes, NotesChanged, read_notes, write_notes
from tests.core.runs.support import recipe


@pytest.fixture
def run(home):
    return create_run(home, recipe(), "noted")


def test_notes_and_tags_come_back_as_they_were(run) -> None:
    stored = write_notes(
        run, "first line\r\nsecond\tline ¡ñ 日本 👩‍🔬", [" paper  v2 ", "paper v2", "", "größe=3"]
    )
    assert stored == Notes("first line\nsecond\tline ¡ñ 日本 👩‍🔬", ("paper v2", "größe=3"))
    assert read_notes(run) == stored


@pytest.mark.parametrize("tag", ["-x", "a,b", "<b>", "x" * 41, "a..b", "a\x00b", "*bold*", "a|b"])
def test_tags_that_would_not_fit_an_address_are_refused(tag, run) -> None:
    with pytest.raises(RunError, match="choose another tag"):
        write_notes(run, "", ["fine", tag])
    assert not (run.path / "notes.json").exists()


@pytest.mark.parametrize(
    ("notes", "tags", "reason"),
    [
        ("x" * (LONGEST_NOTES + 1), [], "shorten them"),
        ("", [f"t{n}" for n in range(MOST_TAGS + 1)], "shorten them"),
        ("bell \x07", [], "control characters"),
        ("half \ud800", [], "control characters"),
    ],
)
def test_too_much_and_control_characters_are_refused(notes, tags, reason, run) -> None:
    with pytest.raises(RunError, match=reason):
        write_notes(run, notes, tags)


def test_who_writes_over_newer_notes_is_told_and_nothing_is_lost(run) -> None:
    opened = read_notes(run)
    first = write_notes(run, "mine", ["a"], expected=opened)
    with pytest.raises(NotesChanged) as caught:
        write_notes(run, "yours", ["b"], expected=opened)
    assert caught.value.stored == first == read_notes(run)
    assert write_notes(run, "yours", ["b"], expected=caught.value.stored) == read_notes(run)


def test_of_many_writers_at_once_exactly_one_succeeds(run) -> None:
    opened = read_notes(run)

    def attempt(number: int) -> str | None:
        try:
            return write_notes(run, f"writer {number}", [], expected=opened).notes
        except NotesChanged:
            return None

    with ThreadPoolExecutor(7) as pool:
        done = [text for text in pool.map(attempt, range(7)) if text]
    assert done == [read_notes(run).notes]


@pytest.mark.parametrize(
    "damaged",
    ['{"notes": "half a sen', '{"tags": ["keep"]}', '{"notes": "keep"}', '{"notes": 1, "tags": []}', "[]"],
)
def test_a_damaged_file_is_kept_aside(run, damaged) -> None:
    (run.path / "notes.json").write_text(damaged)
    assert read_notes(run) == Notes()
    write_notes(run, "new", [], expected=Notes())
    assert read_notes(run).notes == "new"
    assert (run.path / "notes.json.damaged").read_text() == damaged


def test_a_deleted_run_does_not_come_back(run) -> None:
    run.path.rename(run.path.with_name("elsewhere"))
    with pytest.raises(RunError, match="may have been deleted"):
        write_notes(run, "too late", [])
    assert not run.path.exists()
