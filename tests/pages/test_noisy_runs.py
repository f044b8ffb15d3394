"""A run with random auxiliary pairs says so wherever it is shown, and its clone keeps them."""

import pytest

from core.data.dataset import open_dataset
from core.home import Home
from core.runs.folder import open_run
from dashboard import readers
from tests.dashboard import stored_runs
from tests.pages.conftest import texts


@pytest.fixture
def noisy(home: Home):
    data = stored_runs.tiny_demo(home)
    stored_runs.done_run(home, data, "clean-run")
    run = stored_runs.done_run(home, data, "noisy-run", auxiliary_noise=0.25, seed=2)
    result = run.result()
    for entry in result["protocols"].values():
        entry["auxiliary_noise"] = 0.25
    stored_runs.write_json(run.path / "result.json", result)
    return run


def test_its_page_says_so(noisy, opened) -> None:
    said = texts(opened("runs", run="noisy-run"))
    assert "25 % noise" in said
    assert "trained on training pairs and 25 % random auxiliary pairs" in said
    assert "--auxiliary-noise 0.25" in said


def test_it_never_stands_in_one_table_with_a_clean_run(noisy, opened) -> None:
    said = texts(opened("compare", runs="clean-run,noisy-run"))
    assert "Kept apart: trained on training pairs" in said
    assert "training pairs and 25 % random auxiliary pairs" in said


def test_a_clone_fills_the_form_with_its_noise(noisy, opened) -> None:
    app = opened("runs", run="noisy-run")
    next(box for box in app.button if box.label == "Clone").click().run()
    assert app.selectbox(key="pick:noise").value == "0.25"
    assert "--auxiliary-noise 0.25" in texts(app)


def test_the_form_trains_with_the_noise_it_shows(home, noisy, opened) -> None:
    app = opened("train", system="lightgcn_m")
    assert app.selectbox(key="pick:noise").value == "0"
    app.selectbox(key="pick:noise").set_value("0.2").run()
    next(box for box in app.button if box.label.startswith("Train 1 run")).click().run()
    assert not app.exception
    (new,) = (path.name for path in home.runs.iterdir() if path.name not in ("clean-run", "noisy-run"))
    assert open_run(home, new).recipe().auxiliary_noise == 0.2
    assert "20 % noise" in texts(app)


def test_its_paths_are_those_of_the_pairs_it_was_trained_on(home, noisy) -> None:
    data = open_dataset(home, "demo")
    clean, own = (
        readers.training_matrices(data, open_run(home, name).recipe()) for name in ("clean-run", "noisy-run")
    )
    assert own.train["view"].nnz == round(1.25 * clean.train["view"].nnz)
    assert (own.train["view"] != clean.train["view"] + own.added["view"]).nnz == 0
