"""Every page that is about users and items, over runs that embed nodes and data that have no interactions."""

import json

import pytest

from core.data.dataset import DatasetInfo
from core.files import write_json
from core.protocol import VALIDATION_REPEATS
from tests.dashboard import stored_nodes, stored_runs
from tests.pages.conftest import texts


@pytest.fixture
def data(home) -> DatasetInfo:
    return stored_runs.tiny_demo(home)


@pytest.fixture
def graph(home, data) -> DatasetInfo:
    """The demo's graph as a data set of its own, without interactions."""
    folder = home.datasets / "graph"
    (home.datasets / "demo").rename(folder)
    told = json.loads((folder / "dataset.json").read_text())
    without = {"behaviors": [], "target": None, "modalities": [], "num_users": 0, "num_items": 0}
    told |= without | {"name": "graph", "kind": ["hetero"], "planted": False}
    write_json(folder / "dataset.json", told)
    return DatasetInfo.model_validate(told)


def options(app, field: str) -> list[str]:
    return list(app.selectbox(key=f"pick:{field}").options)


def chosen(app, field: str) -> str:
    return str(app.selectbox(key=f"pick:{field}").value)


def has(app, field: str) -> bool:
    return any(widget.key == f"pick:{field}" for widget in app.selectbox)


def labels(app) -> list[str]:
    return [widget.label for widget in app.button]


@pytest.mark.parametrize(
    ("page", "missing"),
    [
        ("relations", "no relations"),
        ("experts", "no experts"),
        ("information", "no levels"),
        ("longtail", "no popular and rare items"),
        ("alignment", "no modalities"),
        ("structure", "no hyperedges"),
    ],
)
def test_a_page_about_users_and_items_says_why_it_is_empty_and_leads_to_the_nodes(
    page, missing, home, data, opened
) -> None:
    stored_nodes.node_run(home, data, "node-run")
    app = opened(page, run="node-run")
    assert not app.error
    assert missing in texts(app)
    assert labels(app) == ["See its nodes"]


def test_a_run_shows_a_row_per_label_setting_and_its_clusters(home, data, opened) -> None:
    stored_nodes.node_run(home, data, "node-run")
    app = opened("runs", run="node-run")
    said = texts(app)
    table = next(frame.value for frame in app.dataframe if "labels per class" in frame.value.columns)
    assert list(table["labels per class"]) == ["20", "40", "mean"]
    assert table["test"].tolist()[:2] == [stored_nodes.TESTED] * 2
    assert table["AUC"][0] == ".9000 ± .0200"
    assert "NMI **.5000 ± .0200**" in said
    assert "lowest training loss; epoch 5" in said
    assert "loss was still falling" in said
    assert not {"users", "trained on", "seen"} & set(said.lower().replace(",", " ").split())
    assert not any(widget.key == "evaluation:node-run" for widget in app.selectbox)


def test_a_run_that_is_fitted_once_tells_no_epoch(home, data, opened) -> None:
    stored_nodes.node_run(home, data, "features", system="node_features")
    said = texts(opened("runs", run="features"))
    assert "frozen embeddings, and k-means." in said
    assert "Micro-F1" in texts(opened("home"))


def test_results_under_one_protocol_with_other_options_stand_beneath_each_other(home, data, opened) -> None:
    run = stored_nodes.node_run(home, data, "node-run")
    stored = json.loads((run.path / "result.json").read_text())
    entry = stored["protocols"]["heco"]
    few = {**entry, "protocol": {**entry["protocol"], "repeats": 5}}
    write_json(run.path / "result.json", {"protocols": {"heco": entry, "heco:repeats=5": few}})
    said = texts(opened("runs", run="node-run"))
    assert "**Test metrics** under `heco`" in said
    assert "5 linear classifiers per label setting" in said


def test_validation_of_a_node_run_says_how_few_classifiers_it_takes(home, data, opened) -> None:
    stored_nodes.node_run(home, data, "node-run")
    few = f"Validation nodes: {VALIDATION_REPEATS} linear classifiers per label setting"
    assert few in texts(opened("runs", run="node-run"))
    assert few in texts(opened("compare", runs="node-run", compared="curves", term="valid/micro_f1"))


def test_a_ranking_run_is_not_offered_a_protocol_of_nodes(home, data, opened) -> None:
    stored_runs.done_run(home, data)
    offered = opened("runs", run="done-run").selectbox(key="evaluation:done-run").options
    assert list(offered) == ["full", "mmrec"]


@pytest.fixture
def compared(home, data, opened):
    """Two seeds of HGCVAE, its features alone, and a ranking run."""
    stored_nodes.node_run(home, data, "one", right=0.9)
    stored_nodes.node_run(home, data, "two", right=0.8, seed=1)
    stored_nodes.node_run(home, data, "features", right=0.3, system="node_features")
    stored_runs.done_run(home, data)

    def compare(**params):
        return opened("compare", runs="one,two,features,done-run", **params)

    return compare


def test_comparing_averages_seeds_and_keeps_rankings_out(compared) -> None:
    app = compared()
    said = texts(app)
    assert "**HGCVAE** leads **Logistic regression**" in said
    assert "in the mean over label settings" in said
    assert "it ranks items; heco scores embeddings of nodes" in said
    assert "Score" not in " ".join(labels(app))
    table = app.table[0].value
    assert list(table.columns[:7]) == ["runs", "seeds", "Micro-F1", "Macro-F1", "AUC", "NMI", "ARI"]
    assert table["seeds"].tolist() == ["2 (0, 1)", "1 (0)"]
    assert table["scored epoch"].tolist() == ["lowest training loss: 5, 5", "no epochs"]
    assert options(app, "metric")[:2] == ["Micro-F1", "Macro-F1"]
    assert "Micro-F1@40" in options(app, "metric")
    assert not has(app, "part")


def test_the_mean_over_settings_leads_to_a_test_under_one_of_them(compared) -> None:
    app = compared()
    assert "their mean cannot be tested" in texts(app)
    next(button for button in app.button if button.label == "Test Micro-F1@40").click().run()
    assert not app.exception
    assert chosen(app, "metric") == "micro_f1@40"
    assert f"for {stored_nodes.TESTED} test nodes" in texts(app)
    assert "with 40 labels per class" in texts(app)
    assert "users" not in texts(app)


def test_a_table_for_a_paper_tells_the_label_setting(compared) -> None:
    app = compared(metric="micro_f1@20", compared="export")
    latex, markdown = (code.value for code in app.code[:2])
    assert "with 20 labels per class; mean and standard deviation over 1 to 2 seeds" in latex
    assert "| system | seeds | Micro-F1@20 | Macro-F1@20 | AUC@20 |" in markdown
    assert "pairs" not in latex


def test_comparing_rankings_first_says_why_node_runs_are_out(home, data, opened) -> None:
    stored_runs.done_run(home, data)
    stored_nodes.node_run(home, data, "one")
    app = opened("compare", runs="done-run,one", under="sampled99", metric="micro_f1@20")
    assert "it embeds nodes; sampled99 scores rankings of items" in texts(app)
    assert not app.error


def test_the_form_offers_what_fits_a_system_of_nodes(data, opened) -> None:
    app = opened("train", system="hgcvae")
    assert "131 nodes of type item in 4 classes; metapaths IUI, IBI, ITI, ISI" in texts(app)
    assert options(app, "protocol") == ["heco"]
    assert chosen(app, "selection") == "loss"
    assert len(options(app, "selection")) == 3
    assert not has(app, "fit_on")
    assert not has(app, "noise")
    assert "--protocol heco --fit-on train --selection loss" in texts(app)


def test_changing_the_task_changes_protocol_and_rule(data, opened) -> None:
    app = opened("train", system="cigf")
    assert chosen(app, "selection") == "valid"
    app.selectbox(key="pick:system").select("hgcvae").run()
    assert (chosen(app, "protocol"), chosen(app, "selection")) == ("heco", "loss")
    app.selectbox(key="pick:system").select("vgae").run()
    app.selectbox(key="pick:system").select("hgib").run()
    assert (chosen(app, "protocol"), chosen(app, "selection")) == ("full", "valid")
    assert not app.error
    assert not app.exception


def test_an_address_that_does_not_fit_is_told_and_replaced(data, opened) -> None:
    app = opened(
        "train", system="hgcvae", protocol="full", selection="test_as_published", fit_on="train+valid"
    )
    said = texts(app).replace("\\", "")
    assert "full scores rankings of items; HGCVAE embeds nodes; shown: heco" in said
    assert "'best on TEST (optimistic)' does not fit HGCVAE" in said
    assert "--protocol heco --fit-on train --selection loss" in said
    ranking = texts(opened("train", system="cigf", selection="loss")).replace("\\", "")
    assert "'lowest training loss' does not fit CIGF" in ranking


def test_a_link_to_another_task_starts_from_its_own_rule(data, opened) -> None:
    app = opened("train", system="cigf")
    app.query_params.clear()
    app.query_params["system"] = "hgcvae"
    app.run()
    assert chosen(app, "selection") == "loss"
    app.query_params["system"], app.query_params["selection"] = "cigf", "last"
    app.run()
    assert chosen(app, "selection") == "last"


def test_the_rule_of_a_cloned_run_is_kept(data, opened) -> None:
    app = opened("train", system="hgcvae", selection="valid")
    assert chosen(app, "selection") == "valid"


def test_a_graph_alone_can_be_trained_on(graph, opened) -> None:
    app = opened("train", dataset="graph")
    assert "No data yet" not in texts(app)
    assert options(app, "system")[0] == "HGCVAE"
    assert "CIGF" not in options(app, "system")
    assert chosen(app, "selection") == "loss"
    assert "metapaths IUI" in texts(app)
    refused = texts(opened("train", dataset="graph", system="cigf")).replace("\\", "")
    assert "CIGF needs interactions of users with items, which graph does not have" in refused
