"""The Data page over small stored sets: what it says, its states, and what the address restores."""

import pytest

from core.data import profile_store
from core.data.dataset import open_dataset
from core.data.importers.registry import import_dataset
from core.errors import DataError
from dashboard import readers
from tests.core.data.importers.graph_folders import acm, write_folder
from tests.dashboard.profiles import hand_made
from tests.dashboard.stored_runs import tiny_demo
from tests.pages.conftest import texts


@pytest.fixture
def profiled(home):
    """A home with the tiny demo and a small set of three behaviours, both profiled."""
    tiny_demo(home)
    hand_made(home, notes=("buy: 3 repeated pairs in train removed",))
    for name in ("demo", "small"):
        profile_store.fill(home, open_dataset(home, name))
    return home


def at(app, field: str) -> str:
    value = app.query_params[field]
    return value[-1] if isinstance(value, list) else value


def test_it_answers_in_a_sentence_counted_from_the_data(profiled, opened) -> None:
    said = texts(opened("data", dataset="small"))
    assert "50.0 % of the test pairs (buy) were viewed in training: read results against SeenBefore." in (
        said.replace("\\", "")
    )
    assert "view → cart → buy" in said


def test_it_shows_figures_metrics_and_a_way_to_train(profiled, opened) -> None:
    app = opened("data", dataset="small")
    assert {metric.label: metric.value for metric in app.metric} | {"Density, buy": ""} == {
        "Users": "5",
        "Items": "7",
        "Pairs": "17",
        "Training pairs, buy": "5",
        "Density, buy": "",
        "Test pairs": "2",
    }
    assert len(app.get("plotly_chart")) == 3
    assert "Train on this data" in [link.label for link in app.get("page_link")]


def test_the_audit_is_a_table_with_verdicts_in_words(profiled, opened) -> None:
    (table,) = opened("data", dataset="small").table
    frame = table.value
    assert "◆ watch" in str(frame.index[0])
    assert "Test pairs viewed in training" in frame["counted"].tolist()


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ("tails", "The tenth of the items with the most buy pairs"),
        ("correlation", "Mean correlation of each user's behaviours"),
        ("split", "is split by the rule"),
        ("contents", "every number is finite"),
        ("origin", "which no model reads"),
    ],
)
def test_every_closer_look_has_an_address(about, said, profiled, opened) -> None:
    app = opened("data", dataset="demo", about=about)
    assert said in texts(app)
    assert at(app, "about") == about


def test_repairs_are_listed(profiled, opened) -> None:
    assert "buy: 3 repeated pairs in train removed" in texts(
        opened("data", dataset="small", about="origin")
    ).replace("\\", "")


def test_a_look_that_the_set_does_not_have_is_refused_and_told(profiled, opened) -> None:
    app = opened("data", dataset="small", about="contents")
    assert "There is no in detail" in texts(app)
    assert at(app, "about") == "tails"


def test_scope_and_unit_are_in_the_address(profiled, opened) -> None:
    app = opened("data", dataset="small", scope="all", unit="users")
    assert "From view to buy, pairs of all splits" in texts(app)
    assert (at(app, "scope"), at(app, "unit")) == ("all", "users")
    app.segmented_control(key="pick:scope").set_value("train").run()
    assert at(app, "scope") == "train"


def test_all_sets_are_compared_from_their_profiles_alone(profiled, opened, monkeypatch) -> None:
    def no_reading(self):
        raise AssertionError("a page must not load interactions")

    monkeypatch.setattr("core.data.dataset.Dataset.interactions", no_reading)
    app = opened("data", dataset="small")
    table = app.dataframe[-1].value
    assert table["data set"].tolist() == ["demo", "small"]
    assert table["seen"].tolist()[1] == 50
    assert "still being profiled" not in texts(app)


def test_a_missing_profile_is_started_once_and_waited_for(home, opened, monkeypatch) -> None:
    started = []

    def start(home, info):
        started.append(info.name)
        profile_store._write_status(profile_store.profile_folder(home, info.content_hash), state="starting")

    hand_made(home)
    hand_made(home, [(0, 1, "buy", "train", 1), (0, 2, "buy", "test", 2)], "other", behaviors=("buy",))
    monkeypatch.setattr(profile_store, "start", start)
    app = opened("data", dataset="small")
    assert started == ["small"]  # the others wait until it is done
    assert "2 data sets still being profiled" in texts(app)
    table = app.dataframe[-1].value
    assert table["users"].tolist() == [5, 5]
    assert table["seen"].isna().all()
    app.run()
    assert started == ["small"]
    profile_store.fill(home, open_dataset(home, "small"))
    app.run()
    assert started == ["small", "other"]
    assert "read results against SeenBefore" in texts(app)


def test_a_failure_says_why_and_can_be_tried_again(home, opened, monkeypatch) -> None:
    hand_made(home)
    data = open_dataset(home, "small")
    (data.folder / "interactions.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError):
        profile_store.fill(home, data)
    app = opened("data", dataset="small")
    (error,) = app.error
    assert "interactions.parquet" in error.value.replace("\\", "")
    assert "What to do" in error.value
    started = []
    monkeypatch.setattr(profile_store, "start", lambda home, info: started.append(info.name))
    next(button for button in app.button if button.label == "Try again").click().run()
    assert started == ["small"]


def test_a_cache_that_cannot_be_written_is_told(home, opened, monkeypatch) -> None:
    def refuse(home, info):
        raise OSError("read-only file system")

    hand_made(home)
    monkeypatch.setattr(profile_store, "start", refuse)
    assert any("read-only file system" in error.value.replace("\\", "") for error in opened("data").error)


@pytest.mark.parametrize("bad", ["../../etc", "no-such-data", "<script>", "x" * 200])
def test_a_set_that_does_not_exist_is_told_and_not_replaced(bad, profiled, opened) -> None:
    app = opened("data", dataset=bad)
    (notice,) = app.main.warning
    assert "Pick another one" in notice.value
    assert not app.metric
    app.selectbox(key="pick:dataset").select("small").run()
    assert not app.warning
    assert app.metric


def test_a_damaged_description_is_an_error_box(profiled, opened) -> None:
    (profiled.dataset("small") / "dataset.json").write_text("{")
    app = opened("data", dataset="small")
    assert any("dataset.json" in error.value.replace("\\", "") for error in app.error)


def test_a_single_behavior_has_no_overlap(home, opened) -> None:
    hand_made(home, [(0, 1, "buy", "train", 1), (0, 2, "buy", "test", 2)], behaviors=("buy",))
    profile_store.fill(home, open_dataset(home, "small"))
    app = opened("data")
    assert "Which behaviours occur together?" not in [part.value for part in app.subheader]
    assert len(app.get("plotly_chart")) == 2
    assert "buy, training pairs**: how many pairs and users" in texts(app)


@pytest.fixture
def graph(home, tmp_path):
    """A home with a graph of papers alone, profiled."""
    info = import_dataset(home, "heco", write_folder(tmp_path / "acm-source", acm()), "acm")
    profile_store.fill(home, open_dataset(home, "acm"))
    return info


def test_a_graph_without_interactions_is_told_as_such(graph, opened) -> None:
    app = opened("data", dataset="acm")
    said = texts(app).replace("\\", "")
    assert "A graph for node classification: 23 nodes of 3 types, 29 edges, 3 classes of paper." in said
    assert "so many are of one class: PSP 100.0 %" in said
    assert "graph of typed nodes" in said
    assert "split: source's label settings 2" in said
    assert {metric.label: metric.value for metric in app.metric} == {
        "Nodes": "23",
        "Edges": "29",
        "To classify: paper": "13",
        "Classes": "3",
        "With a label": "13",
        "Labels per class": "2",
    }
    assert len(app.get("plotly_chart")) == 1
    assert "Train on this data" in [link.label for link in app.get("page_link")]
    frames = [frame.value for frame in app.dataframe]
    assert ["PAP", "PSP"] in [frame["metapath"].tolist() for frame in frames if "metapath" in frame]
    assert ["pa", "ps"] in [frame["relation"].tolist() for frame in frames if "relation" in frame]
    assert [5, 4, 4] in [frame["nodes"].tolist() for frame in frames if "class" in frame]
    assert [6] in [frame["training"].tolist() for frame in frames if "training" in frame]
    assert frames[-1]["nodes"].tolist() == [23]


def test_a_graph_tells_what_its_import_found(graph, opened) -> None:
    said = texts(opened("data", dataset="acm", about="origin")).replace("\\", "")
    assert "Found and repaired at import" in said
    assert "subject: no file s_feat.npz" in said


def test_the_demo_shows_its_graph_among_its_contents(profiled, opened) -> None:
    app = opened("data", dataset="demo", about="contents")
    assert "What metapaths say about the classes" in texts(app)
    assert "A graph for node classification" in texts(app)


def test_home_names_the_nodes_of_a_graph(graph, opened) -> None:
    links = [link.label for link in opened("home").get("page_link") if "acm" in link.label]
    assert links == ["acm: 23 nodes of 3 types"]


def test_home_leads_to_each_set(profiled, opened) -> None:
    links = [link for link in opened("home").get("page_link") if "small" in link.label]
    assert [link.page for link in links] == ["data"]


def test_the_table_of_users_comes_once_it_is_counted(home, monkeypatch) -> None:
    started = []
    hand_made(home)
    monkeypatch.setattr(profile_store, "start", lambda home, info: started.append(info.name))
    assert readers.user_profile(home, "small") is None
    assert started == ["small"]
    profile_store.fill(home, open_dataset(home, "small"))
    users = readers.user_profile(home, "small")
    assert users is not None
    assert users["degree_view"].tolist() == [3, 2, 1, 0, 0]
    assert readers.user_profile(home, "small") is users


def test_users_of_a_set_that_failed_are_refused_with_the_reason(home, monkeypatch) -> None:
    hand_made(home)
    info = open_dataset(home, "small").info
    folder = profile_store.profile_folder(home, info.content_hash)
    profile_store._write_status(folder, state="failed", message="item 9 is out of range; import it again")
    with pytest.raises(DataError, match="item 9 is out of range"):
        readers.user_profile(home, "small")
