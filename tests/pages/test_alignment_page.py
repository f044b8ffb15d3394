"""The Alignment page: its answer, groups, modalities, neighbours and lineage, what each system states, and every state without."""

from dataclasses import replace

import numpy as np
import pytest

from core.data.dataset import open_dataset
from core.files import read_json, write_json
from core.findings import Axis, load_finding, save_finding
from core.home import Home
from core.runs.folder import delete_run
from dashboard import readers
from tests.dashboard import stored_alignment as made
from tests.dashboard import stored_runs
from tests.pages.conftest import texts

DETAILS = ("modalities", "neighbors", "lineage")


@pytest.fixture
def data(home: Home):
    return stored_runs.tiny_demo(home)


@pytest.fixture
def parent(home: Home, data):
    return made.mgcn_run(home, data)


@pytest.fixture
def egra(home: Home, data, parent):
    return made.egra_run(home, data)


@pytest.fixture
def tables(monkeypatch) -> dict:
    """What the buttons beneath figures and tables download, by file name."""
    found: dict = {}
    panels = ("dashboard.panels.alignment_links", "dashboard.panels.alignment_neighbors")
    for place in ("dashboard.drawing", *panels):
        monkeypatch.setattr(f"{place}.csv_button", lambda table, name: found.update({name: table}))
    return found


def frame(app, column: str):
    return next(frame.value for frame in app.dataframe if column in frame.value.columns)


def changed(run, key: str, values) -> None:
    finding = load_finding(run.findings, key)
    save_finding(run.findings, replace(finding, values=np.broadcast_to(values, finding.values.shape).copy()))
    (run.findings / f"{key}.history.npz").unlink()


def test_the_answer_tells_from_what_to_what_agreement_moved(egra, opened, tables) -> None:
    app = opened("alignment", run="egra-run")
    degree = load_finding(egra.findings, "alignment_degree").values
    users, items = (f"{part.mean():.4f}"[1:] for part in (degree[:211], degree[211:]))
    start = f"{degree[:211].mean() / 2:.4f}"[1:]
    said = texts(app)
    assert f"From epoch 1 to epoch 4, agreement of users :primary[rose from {start} to {users}]" in said
    assert f"to {items}]" in said
    table = tables["alignment-epochs-egra-run"]
    assert set(table["epoch"]) == {1, 3, 5}
    assert set(table["measure"]) == {"cosine", "weight"}
    assert not app.error
    assert not app.warning


def test_the_page_says_whose_equations_it_shows(egra, parent, opened) -> None:
    said = texts(opened("alignment", run="egra-run"))
    assert "EGRA has no public code" in said
    assert "EGRA (reconstruction), bi-level weights" in said
    assert "reconstruction" not in texts(opened("alignment", run="mgcn-run"))


def test_the_latest_egra_run_opens_by_itself_though_its_parent_is_newer(egra, opened) -> None:
    app = opened("alignment")
    assert app.query_params["run"] in ("egra-run", ["egra-run"])


def test_the_slider_moves_the_answer_and_groups_say_that_they_stay(egra, opened) -> None:
    said = texts(opened("alignment", run="egra-run", epoch="3"))
    assert "From epoch 1 to epoch 3" in said
    assert "In the alignment of the scored model" in said
    assert "does not follow the slider to epoch 3" in said


def test_groups_are_those_of_the_training_pairs(egra, home, data, opened, tables) -> None:
    said = texts(opened("alignment", run="egra-run"))
    rows = open_dataset(home, data.name).interactions()
    trained = rows[(rows["behavior"] == "buy") & (rows["split"] == "train")]
    counts = trained.groupby("user").size()
    degree = load_finding(egra.findings, "alignment_degree").values
    table = tables["alignment-groups-user-scored-egra-run"]
    for row in table[table["measure"] == "cosine"].to_dict("records"):
        low, _, high = row["title"].partition(" to ")
        own = counts[(counts >= int(low)) & (counts <= int(high or low))].index
        assert row["size"] == len(own)
        assert row["mean"] == pytest.approx(degree[:211][own].mean())
    assert set(tables["alignment-groups-item-scored-egra-run"]["measure"]) == {"cosine", "weight"}
    users, items = data.num_users - len(counts), data.num_items - trained["item"].nunique()
    assert f"over all nodes, {users} users and {items} items never trained among them" in said


def test_the_rule_of_the_address_cuts_items_otherwise(egra, opened, tables) -> None:
    opened("alignment", run="egra-run")
    mass = tables["alignment-groups-item-scored-egra-run"]["size"].tolist()
    opened("alignment", run="egra-run", popularity="equal_number")
    assert tables["alignment-groups-item-scored-egra-run"]["size"].tolist() != mass


@pytest.mark.parametrize(
    ("variant", "said"),
    [
        ("epoch_only", "By design **all users and items count alike**"),
        ("without_alignment", "**no alignment loss**"),
    ],
)
def test_variants_say_what_they_leave_out(variant, said, home, data, opened) -> None:
    made.egra_run(home, data, variant=variant)
    app = opened("alignment", run="egra-run")
    assert said in texts(app)
    assert not app.error


@pytest.mark.parametrize("shown", ["spread", "groups", "epochs"])
def test_modalities_in_three_views(shown, egra, opened, tables) -> None:
    app = opened("alignment", run="egra-run", modalities=shown)
    assert "Users attend most to **text**" in texts(app)
    names = {
        "spread": ("modality-attention-scored-egra-run", "preference-gate-scored-egra-run"),
        "groups": ("modalities-groups-user-scored-egra-run", "modalities-groups-item-scored-egra-run"),
        "epochs": ("modality-attention-epochs-egra-run", "preference-gate-epochs-egra-run"),
    }
    assert all(len(tables[name]) for name in names[shown])
    assert not app.error


def test_one_modality_that_takes_all_alarms_at_the_top(egra, opened) -> None:
    changed(egra, "modality_attention", np.array([0.99, 0.01]))
    app = opened("alignment", run="egra-run", alignment="lineage")
    assert "One modality takes all" in app.warning[0].value
    assert "users (*text*) and items (*text*)" in app.warning[0].value


def test_neighbours_of_an_item_stand_side_by_side(egra, home, data, opened, tables) -> None:
    app = opened("alignment", run="egra-run", alignment="neighbors", item="20")
    titles = readers.titles(open_dataset(home, data.name))
    behavior = tables["item_links_behavior-20-egra-run"]
    assert behavior["item"].tolist() == [21, 22, 23]
    assert behavior["title"].tolist() == titles[21:24]
    assert behavior["also_in"].tolist() == ["text", "text", ""]
    assert "item_links_raw_text-20-egra-run" not in tables
    assert "item_links_raw_image-20-egra-run" in tables
    said = texts(app)
    assert "0 of them among its 3 by image features, 2 of them among its 3 by text features" in said
    rows = open_dataset(home, data.name).interactions()
    trained = rows[(rows["behavior"] == "buy") & (rows["split"] == "train")]
    users = {item: set(part) for item, part in trained.groupby("item")["user"]}
    shared = [len(users.get(20, set()) & users.get(other, set())) for other in (21, 22, 23)]
    assert frame(app, "shared")["shared"].tolist() == shared


def test_the_graph_beside_is_picked(egra, opened, tables) -> None:
    opened("alignment", run="egra-run", alignment="neighbors", item="20", features="text")
    assert "item_links_raw_text-20-egra-run" in tables
    assert "item_links_raw_image-20-egra-run" not in tables


def test_an_item_of_the_tail_is_shown_first_and_others_are_found_by_title(egra, home, data, opened) -> None:
    app = opened("alignment", run="egra-run", alignment="neighbors")
    first = app.selectbox(key="pick:item").options[0]
    assert first.endswith(", 1 pair)")
    title = readers.titles(open_dataset(home, data.name))[60]
    found = opened("alignment", run="egra-run", alignment="neighbors", linked=title)
    assert title in found.selectbox(key="pick:item").options[0]
    none = opened("alignment", run="egra-run", alignment="neighbors", linked="nothing like it")
    assert "No item with links is called so" in texts(none)


def test_the_summary_tells_overlap_and_links_to_the_head(egra, opened, tables) -> None:
    said = texts(opened("alignment", run="egra-run", alignment="neighbors"))
    assert "In the behaviour graph an item has 3.0 neighbours on average" in said
    assert "**0.0 % with those by image features and 50.0 % with those by text features**" in said
    table = tables["item-links-egra-run"]
    assert table["title"].iloc[-1] == "all items"
    assert table["items"].iloc[:-1].sum() == table["items"].iloc[-1] == 131


def test_lineage_compares_with_the_parent_under_the_same_protocol(egra, opened) -> None:
    stored = read_json(egra.path / "result.json")
    stored["protocols"]["mmrec"]["metrics"]["recall@20"] = 0.3
    write_json(egra.path / "result.json", stored)
    parent_result = egra.path.parent / "mgcn-run" / "result.json"
    stored["protocols"]["mmrec"]["metrics"]["recall@20"] = 0.25
    write_json(parent_result, stored)
    app = opened("alignment", run="egra-run", alignment="lineage")
    assert "Recall@20 is **.3000**, .0500 above its parent's .2500" in texts(app)
    assert frame(app, "role")["Recall@20"].tolist() == [".2500", ".3000"]
    assert any("train mgcn demo" in code.value for code in app.code)


def test_a_deleted_parent_is_told_on_both_pages(egra, home, opened) -> None:
    delete_run(home, "mgcn-run")
    said = texts(opened("alignment", run="egra-run", alignment="lineage"))
    assert "It built on `mgcn-run`, which is :gray-badge[deleted]" in said.replace("\\", "")
    assert "Builds on" in texts(opened("runs", run="egra-run"))
    assert "deleted" in texts(opened("runs", run="egra-run"))


@pytest.mark.parametrize(
    ("variant", "reason"),
    [
        ("without_ebg", "no item links"),
        ("random_ebg", "random embeddings"),
        ("raw_feature_ebg", "raw features"),
    ],
)
def test_runs_without_a_parent_say_why(variant, reason, home, data, opened) -> None:
    made.egra_run(home, data, variant=variant)
    said = texts(opened("alignment", run="egra-run", alignment="lineage"))
    assert "builds on no other" in said
    assert reason in said
    assert "Builds on" not in texts(opened("runs", run="egra-run"))


def test_a_parent_lists_the_runs_that_build_on_it(egra, opened) -> None:
    assert "**1 run builds on this one**" in texts(opened("alignment", run="mgcn-run", alignment="lineage"))
    parent, child = opened("runs", run="mgcn-run"), opened("runs", run="egra-run")
    assert "1 run builds on it:" in texts(parent)
    assert "Builds on" in texts(child)
    for app, other in ((parent, "egra-run"), (child, "mgcn-run")):
        assert f"run={other}" in [link.proto.query_string for link in app.get("page_link")]


@pytest.mark.parametrize(
    ("run", "label"), [("egra-run", "See its alignment"), ("mgcn-run", "See what links")]
)
def test_the_page_of_a_run_leads_here(run, label, egra, opened) -> None:
    app = opened("runs", run=run)
    assert [button for button in app.button if button.label.startswith(label)]
    assert not any(box.label == "What it learned" for box in app.expander)


def test_mgcn_answers_with_its_fusion(parent, opened, tables) -> None:
    app = opened("alignment", run="mgcn-run")
    said = texts(app)
    assert "#### Users attend most to text" in said
    assert "MGCN states no degree of alignment" in said
    assert not app.error
    links = texts(opened("alignment", run="mgcn-run", alignment="neighbors"))
    assert "By image features an item has 3.0 neighbours" in links


def test_freedom_answers_with_its_links(home, data, opened) -> None:
    made.freedom_run(home, data)
    app = opened("alignment", run="freedom-run")
    assert "#### By image features an item has 3.0 neighbours on average" in texts(app)
    assert not app.error
    assert "not fused by attention" in texts(opened("alignment", run="freedom-run", alignment="modalities"))


def test_without_runs_the_page_leads_to_training_egra(home, opened) -> None:
    app = opened("alignment")
    next(button for button in app.button if button.label == "Set up a run").click().run()
    assert app.query_params["system"] in ("egra", ["egra"])


def test_other_systems_lead_to_egra_on_the_same_data(stored, opened) -> None:
    app = opened("alignment", run="lightgcn-run")
    assert "LightGCN aligns no modalities" in texts(app)
    next(button for button in app.button if button.label == "Train EGRA").click().run()
    assert app.query_params["dataset"] in ("demo", ["demo"])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (stored_runs.queued_run, "Not trained yet"),
        (stored_runs.running_run, "Still training"),
        (stored_runs.failed_run, "The run failed before"),
        (stored_runs.done_run, "has no findings"),
    ],
)
def test_runs_without_findings_say_why(make, said, home, data, opened) -> None:
    make(home, data, "bare", system="egra")
    app = opened("alignment", run="bare")
    assert said in texts(app)
    assert not app.error


@pytest.mark.parametrize(
    ("gone", "detail"),
    [
        ("alignment_degree", "modalities"),
        ("alignment_weight", "lineage"),
        ("lambda", "modalities"),
        ("modality_attention", "modalities"),
        ("preference_gate", "modalities"),
        ("item_links_behavior", "neighbors"),
    ],
)
def test_a_missing_finding_takes_nothing_else_along(gone, detail, egra, opened) -> None:
    for path in egra.findings.glob(f"{gone}.*"):
        path.unlink()
    app = opened("alignment", run="egra-run", alignment=detail)
    assert not app.error
    said = texts(app)
    assert ("No degree of alignment: the run stored none." in said) == (gone == "alignment_degree")
    assert ("From epoch 1 to epoch 4" in said) == (gone != "alignment_degree")


@pytest.mark.parametrize(
    ("key", "detail", "boxes"),
    [
        ("alignment_degree", "lineage", 1),
        ("modality_attention", "modalities", 1),
        ("modality_attention", "neighbors", 0),
        ("item_links_raw_text", "neighbors", 1),
        ("item_links_raw_text", "modalities", 0),
    ],
)
def test_a_damaged_finding_is_told_where_it_belongs(key, detail, boxes, egra, opened) -> None:
    (egra.findings / f"{key}.npz").write_bytes(b"PK\x03\x04 nonsense")
    app = opened("alignment", run="egra-run", alignment=detail)
    assert ["cannot be read" in box.value for box in app.error] == [True] * boxes


def test_nodes_that_are_not_those_of_the_data_are_refused(egra, opened) -> None:
    finding = made.degree(17, 19)
    save_finding(egra.findings, finding)
    app = opened("alignment", run="egra-run")
    assert any("17 users, the data set 211" in box.value for box in app.error)


def test_nodes_without_sides_are_refused(egra, opened) -> None:
    finding = load_finding(egra.findings, "alignment_degree")
    save_finding(egra.findings, replace(finding, axes=(Axis("node", finding.axes[0].size),)))
    assert any("not told apart" in box.value for box in opened("alignment", run="egra-run").error)


@pytest.mark.parametrize("detail", DETAILS)
def test_without_its_data_the_run_still_shows_what_it_stored(detail, egra, home, opened) -> None:
    folder = home.dataset("demo")
    folder.rename(folder.with_name("elsewhere"))
    app = opened("alignment", run="egra-run", alignment=detail, item="20")
    said = texts(app)
    assert "From epoch 1 to epoch 4" in said
    assert "cannot be grouped" in said
    assert not app.error
    if detail == "neighbors":
        assert "**item 20** has 3 neighbours" in said


def test_a_run_without_snapshots_answers_without_a_course(egra, opened) -> None:
    for path in egra.findings.glob("*.history.npz"):
        path.unlink()
    app = opened("alignment", run="egra-run", modalities="epochs")
    said = texts(app)
    assert "The mean cosine between behaviour and modalities is" in said
    assert said.count("took no snapshots") == 3
    assert not app.error


@pytest.mark.parametrize("bad", ["../../etc", "nobody"])
def test_values_of_the_address_that_do_not_exist_are_told(bad, egra, opened) -> None:
    fields = ("alignment", "modalities", "popularity", "epoch")
    app = opened("alignment", run="egra-run", **dict.fromkeys(fields, bad))
    assert sum("There is no" in note.value for note in app.caption) == len(fields)
    assert not app.error
