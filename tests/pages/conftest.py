"""A tiny home with every kind of run, and the app opened on one of its pages, without supervisor or browser."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.data import profile_store
from core.home import Home
from core.runs import launch
from dashboard.navigation import ROOT
from tests.dashboard import stored_runs
from tests.quick_apps import quick_app, tests_answered_here

__all__ = ["quick_app", "tests_answered_here"]
Opener = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def _quick(quick_app: None, tests_answered_here: None) -> None:
    """Every page is opened quickly."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An empty home that the pages read; no process is ever started."""
    monkeypatch.setenv("RELSCOPE_HOME", str(tmp_path))
    monkeypatch.setattr(launch, "ensure_supervisor", lambda home: None)
    monkeypatch.setattr(profile_store, "start", lambda home, info: None)
    return Home(tmp_path)


@pytest.fixture
def stored(home: Home) -> Home:
    """The home with tiny demo data and one run in every state."""
    data = stored_runs.tiny_demo(home)
    stored_runs.done_run(home, data)
    stored_runs.done_run(home, data, "deep-run", overrides={"num_layers": 3, "epochs": 5})
    stored_runs.done_run(home, data, "base-run", variant="base")
    stored_runs.done_run(home, data, "flat-run", overrides={"num_layers": 1, "epochs": 5})
    stored_runs.done_run(home, data, "lightgcn-run", system="lightgcn")
    stored_runs.failed_run(home, data)
    stored_runs.running_run(home, data)
    stored_runs.queued_run(home, data)
    return home


@pytest.fixture
def opened() -> Opener:
    """Open a page of the real app, `opened("runs", run="done-run")`, and check that no exception box shows."""

    def open_page(page: str, **params: str | list[str]) -> AppTest:
        app = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=30)
        for field, value in params.items():
            app.query_params[field] = value
        if page != "home":
            app.switch_page(f"../pages/{page}.py")
        app.run()
        assert not app.exception, app.exception
        return app

    return open_page


def texts(app: AppTest) -> str:
    """Everything a page says, for looking words up in it."""
    kinds = (app.title, app.subheader, app.markdown, app.caption, app.error, app.warning, app.code)
    return "\n".join(str(element.value) for kind in kinds for element in kind)
