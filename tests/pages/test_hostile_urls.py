"""Addresses nobody meant: whatever stands in a URL, a page shows no exception and opens nothing outside the home.

RELSCOPE_HOSTILE_CASES sets how many addresses are generated per page (default 6) and prints how many were tried:
`RELSCOPE_HOSTILE_CASES=250 python -m pytest -s tests/pages/test_hostile_urls.py`.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from core.errors import RelScopeError
from core.home import Home
from core.runs import launch
from dashboard.navigation import ROOT, SECTIONS, page_file
from dashboard.selection import PATTERNS, checked
from tests.dashboard import stored_alignment, stored_levels, stored_runs, stored_structure

CASES = int(os.environ.get("RELSCOPE_HOSTILE_CASES", "6"))
PAGES = [name for entries in SECTIONS.values() for name, _, _ in entries]
SECRET = "/etc/passwd"
HOSTILE = (
    SECRET,
    "../../../../../../etc/passwd",
    "../secret",
    "..",
    "%2e%2e%2fsecret",
    "a/../../secret",
    "done-run/../../secret",
    "file:///etc/passwd",
    "",
    " ",
    "\x00",
    "-1",
    "1e309",
    "9" * 40,
    "nan",
    "x" * 5_000,
    "<script>alert(1)</script>",
    "$\\frac{1}{0}$ **b** [a](javascript:alert(1))",
    "\u202e\U0001f4a5\ud7ff",
    "' or 1=1; drop table runs; --",
    "cuda:999",
    "done-run,done-run",
    "done-run,../secret",
)
REAL = (
    *(
        "done-run",
        "deep-run",
        "base-run",
        "flat-run",
        "hgib-run",
        "srgformer-run",
        "lightgcn-run",
        "egra-run",
        "mgcn-run",
        "failed-run",
        "running-run",
        "queued-run",
    ),
    *(
        "demo",
        "cigf",
        "lightgcn_m",
        "small",
        "full",
        "sampled99",
        "valid",
        "buy",
        "view",
        "view > buy",
        "0",
        "2",
        "3",
    ),
    *("scored", "done-run,deep-run", "done-run,lightgcn-run,queued-run", "ndcg@10", "user", "item"),
    *("image 1", "image", "image-text", "history", "equal_mass"),
    *("neighbors", "lineage", "groups", "epochs", "text", "equal_number"),
)
opened: list[str] = []


def _listen(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("open", "os.listdir", "os.scandir") and isinstance(arguments[0], str | bytes | os.PathLike):
        opened.append(os.fsdecode(arguments[0]))


sys.addaudithook(_listen)


def value(field: str) -> st.SearchStrategy[str]:
    """A text for `field`: well formed, real, hostile, or anything at all."""
    formed = st.from_regex(PATTERNS[field], fullmatch=True)
    return st.one_of(formed, st.sampled_from(REAL), st.sampled_from(HOSTILE), st.text(max_size=60))


def addresses() -> st.SearchStrategy[dict[str, str]]:
    """Up to eight fields of an address with some value each."""
    fields = st.lists(st.sampled_from(sorted(PATTERNS)), unique=True, max_size=8)
    return fields.flatmap(lambda names: st.fixed_dictionaries({name: value(name) for name in names}))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home with one run in every state, a secret beside it, and no supervisor."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "secret").mkdir()
    (folder / "secret" / "recipe.json").write_text("{}")
    home = Home(folder / "home")
    data = stored_runs.tiny_demo(home)
    stored_runs.done_run(home, data)
    stored_runs.done_run(home, data, "deep-run", overrides={"num_layers": 3, "epochs": 5})
    stored_runs.done_run(home, data, "base-run", variant="base")
    stored_runs.done_run(home, data, "flat-run", overrides={"num_layers": 1, "epochs": 5})
    stored_runs.done_run(home, data, "lightgcn-run", system="lightgcn")
    stored_levels.levels_run(home, data)
    stored_structure.structure_run(home, data)
    stored_alignment.mgcn_run(home, data)
    stored_alignment.egra_run(home, data)
    stored_runs.failed_run(home, data)
    stored_runs.running_run(home, data)
    stored_runs.queued_run(home, data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RELSCOPE_HOME", str(home.root))
        patch.setattr(launch, "ensure_supervisor", lambda home: None)
        yield home


@given(
    st.dictionaries(st.sampled_from([*PATTERNS, "unknown"]), st.one_of(st.sampled_from(HOSTILE), st.text()))
)
@settings(max_examples=max(100, CASES), deadline=None)
def test_checked_parts_an_address_into_what_fits_and_what_is_refused(params) -> None:
    good, refused = checked(params)
    assert good | refused == {field: text for field, text in params.items() if field in PATTERNS}
    assert not good.keys() & refused.keys()
    for field, text in good.items():
        assert PATTERNS[field].fullmatch(text)
        assert ".." not in text


@pytest.mark.parametrize("field", sorted(PATTERNS))
@given(data=st.data())
@settings(max_examples=max(20, CASES), deadline=None)
def test_no_checked_value_becomes_a_path_outside_the_home(field, data) -> None:
    home = Home(Path("/somewhere/home"))
    good, _ = checked({field: data.draw(value(field))})
    for text in good.values():
        for part in text.split(","):
            for place, parent in ((home.run, home.runs), (home.dataset, home.datasets)):
                try:
                    assert place(part).parent == parent
                except RelScopeError:
                    continue


@pytest.mark.parametrize("page", PAGES)
def test_no_address_breaks_a_page(page, home) -> None:
    tried = 0

    @given(addresses())
    @example(dict.fromkeys(PATTERNS, "../../secret"))
    @example(dict.fromkeys(PATTERNS, SECRET))
    @settings(
        max_examples=CASES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        database=None,
    )
    def visit(params: dict[str, str]) -> None:
        nonlocal tried
        tried += 1
        opened.clear()
        app = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=60)
        for field, text in params.items():
            app.query_params[field] = text
        if page != "home":
            app.switch_page(str(page_file(page)))
        app.run()
        assert not app.exception, [crash.value for crash in app.exception]
        assert app.title
        strays = [path for path in opened if _strays(path, home)]
        assert strays == []

    visit()
    print(f"\n{page}: {tried} addresses, no exception, nothing opened outside the home")


def _strays(path: str, home: Home) -> bool:
    """True for the secrets, however the path is written."""
    real = os.path.realpath(path)
    inside = real == str(home.root) or real.startswith(f"{home.root}/")
    return real == SECRET or (real.startswith(f"{home.root.parent}/") and not inside)
