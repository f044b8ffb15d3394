"""Whatever a source holds, an import stores a whole data set or raises DataError and leaves the home as it was."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from core.data.dataset import open_dataset
from core.data.importers.limits import MEGABYTE, Limits
from core.data.importers.preview import SHOWN_ROWS, preview
from core.data.importers.registry import check_import, import_dataset
from core.errors import DataError
from core.home import Home
from tests.core.data.importers.generated import MAX_MB, SOURCES
from tests.core.data.importers.generated_mmrec import mmrec_sources

LAYOUTS = SOURCES | {"mmrec": mmrec_sources()}
EXAMPLES = int(os.environ.get("RELSCOPE_EXAMPLES", "40"))
CAMPAIGN = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def everything_below(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_an_import_succeeds_or_is_refused_and_leaves_nothing(layout: str) -> None:
    @CAMPAIGN
    @given(st.data())
    def campaign(data: st.DataObject) -> None:
        source = data.draw(LAYOUTS[layout])
        with tempfile.TemporaryDirectory() as folder:
            given_files, root = Path(folder) / "source", Path(folder) / "home"
            given_files.mkdir()
            path = source.write(given_files)
            before = everything_below(given_files)
            asked = {**source.asked, "max_mb": MAX_MB}
            event(examine(Home(root), path, source.layout, asked))
            assert everything_below(given_files) == before

    campaign()


def examine(home: Home, path: Path, layout: str, asked: dict) -> str:
    """Preview, check and import one source, and compare what the three say; the outcome in a word."""
    try:
        seen = preview(path, layout, limits=Limits(MAX_MB * MEGABYTE))
    except DataError:
        seen = None
    try:
        report = check_import(home, layout, path, "tiny", **asked)
    except DataError as error:
        refused = str(error)
    else:
        refused = ""
    assert not home.root.exists()
    if refused:
        with pytest.raises(DataError) as caught:
            import_dataset(home, layout, path, "tiny", **asked)
        assert str(caught.value) == refused
        assert everything_below(home.root) == []
        return "refused"
    info = import_dataset(home, layout, path, "tiny", **asked)
    assert seen is not None
    assert (report.users, report.items, report.notes) == (info.num_users, info.num_items, info.notes)
    rows = open_dataset(home, "tiny").interactions()
    assert len(rows) == sum(sum(parts.values()) for parts in report.pairs.values())
    assert rows["user"].max() < info.num_users
    assert rows["item"].max() < info.num_items
    if info.importer == "table" and len(seen.rows) < SHOWN_ROWS:
        assert len(rows) <= len(seen.rows)
    assert [entry.name for entry in home.datasets.iterdir()] == ["tiny"]
    return "stored"
