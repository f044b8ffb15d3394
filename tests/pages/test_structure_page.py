"""The Structure page: its answer, its alarms, every part, what each variant lacks, and every state without structure."""

import re
from dataclasses import replace

import numpy as np
import pytest

from core.data.dataset import open_dataset
from core.files import read_json, write_json, write_with
from core.findings import Axis, Kind, load_finding, save_finding
from core.home import Home
from core.runs.folder import RunFolder
from dashboard.panels import user_picker
from tests.dashboard import stored_runs
from tests.dashboard import stored_structure as stored
from tests.pages.conftest import texts

DETAILS = ("items", "categories", "history", "popularity", "entropy", "branches")


@pytest.fixture
def data(home: Home):
    return stored_runs.tiny_demo(home)


@pytest.fixture
def done(home: Home, data) -> RunFolder:
    return stored.structure_run(home, data)


@pytest.fixture
def tables(monkeypatch) -> dict:
    """What the buttons beneath figures and tables download, by file name."""
    found: dict = {}
    for place in ("dashboard.drawing", "dashboard.panels.structure_items"):
        monkeypatch.setattr(f"{place}.csv_button", lambda table, name: found.update({name: table}))
    return found


def test_the_answer_is_computed_from_the_run(done, opened, tables) -> None:
    app = opened("structure", run="srgformer-run")
    said = texts(app)
    assert (
        "Hyperedges differ: :primary[those of image follow the items' categories, those of text do not follow the items' categories]"
        in said
    )
    assert "attention :primary[favours popular items]" in said
    assert "the branch :primary[modal] adds most to users (60.0 %) and to items (50.0 %)." in said
    assert not app.warning
    assert not app.error


def test_sizes_add_up_and_belong_to_the_picked_epoch(done, data, opened, tables) -> None:
    said = texts(opened("structure", run="srgformer-run"))
    assert "Nearly everybody belongs to one hyperedge alone" in said
    table = tables["hyperedges-scored-srgformer-run"]
    sums = table.groupby(["modality", "side"])["mostly"].sum()
    assert sums["image", "user"] == data.num_users
    assert sums["text", "item"] == data.num_items
    said = texts(opened("structure", run="srgformer-run", epoch="1"))
    assert "At epoch 1, the largest hyperedge, :primary[" in said
    assert "known of the scored model alone" in said
    early = tables["hyperedges-epoch-1-srgformer-run"]
    assert early["mostly"].isna().all()
    assert (early["epoch"] == 1).all()


def test_a_hyperedge_of_the_address_shows_the_items_that_define_it(home, data, done, opened, tables) -> None:
    said = texts(opened("structure", run="srgformer-run", hyperedge="image 2", structure="items"))
    table = tables["hyperedge-items-image-2-srgformer-run"]
    items = open_dataset(home, data.name).items()
    assert "**20 items that define image 2**" in said
    assert table["name"].tolist() == items["title"].iloc[table["number"]].tolist()
    code = items["category"].astype("category").cat.codes
    assert set(code.iloc[table["number"]] % stored.EDGES) == {1}, "image's hyperedges follow the categories"
    np.testing.assert_allclose(table["share"], 0.94, rtol=1e-6)
    _, item_E = stored.training_pairs(home, data)
    trained = np.bincount(item_E, minlength=data.num_items)
    assert table["trained"].tolist() == trained[table["number"]].tolist()
    assert len(tables["hyperedge-image-2-epochs-srgformer-run"]) == 6


def test_categories_are_judged_by_modality(done, data, opened, tables) -> None:
    said = texts(opened("structure", run="srgformer-run", structure="categories"))
    assert ":violet-badge[planted truth]" in said
    judged = dict(re.findall(r"- :\w+-badge\[(. \D+?)\] \*(\w+)\*", said))
    assert judged == {"✓ holds": "image", "✕ does not hold": "text"}
    assert "**Do *image* and *text* form the same groups?** For users :primary[no]" in said
    table = tables["categories-image-scored-srgformer-run"]
    assert table.groupby("category")["value"].sum().tolist() == pytest.approx(
        [1] * table["category"].nunique()
    )
    assert table.drop_duplicates("category")["items"].sum() == data.num_items
    assert "crossed-image-text-scored-srgformer-run" in tables
    opened("structure", run="srgformer-run", structure="categories", modality="text")
    assert "categories-text-scored-srgformer-run" in tables


def test_data_without_categories_compare_modalities_alone(home, data, done, opened) -> None:
    folder = open_dataset(home, data.name)
    items = folder.items().drop(columns="category")
    write_with(folder.folder / "items.parquet", items.to_parquet)
    said = texts(opened("structure", run="srgformer-run", structure="categories"))
    assert "has no categories of items" in said
    assert "Hyperedges of image and text :primary[do not agree] on items" in said
    assert "form the same groups?" in said


def test_a_single_modality_is_told_by_its_largest_hyperedge(home, data, done, opened) -> None:
    alone = stored.membership(stored.chosen_by_category(home, data)[:1], data.num_users)
    folder = open_dataset(home, data.name)
    write_with(folder.folder / "items.parquet", folder.items().drop(columns="category").to_parquet)
    save_finding(done.findings, alone)
    save_finding(done.findings, stored.defining_items(alone))
    app = opened("structure", run="srgformer-run", structure="categories")
    assert not app.error
    said = texts(app)
    assert "The largest hyperedge, :primary[image" in said
    assert "form the same groups?" not in said


def test_the_user_with_the_longest_sampled_history_is_shown_first(home, data, done, opened, tables) -> None:
    user_E, item_E = stored.training_pairs(home, data)
    length = np.bincount(user_E, minlength=data.num_users)
    sampled = np.flatnonzero(length)[: stored.SAMPLE]
    longest = int(sampled[length[sampled].argmax()])
    said = texts(opened("structure", run="srgformer-run", structure="history"))
    assert f"**What user {longest} attends to, of the scored model**" in said
    table = tables[f"history-user-{longest}-scored-srgformer-run"]
    assert sorted(table["item"]) == item_E[user_E == longest].tolist()
    assert table[["head 1", "head 2"]].sum().tolist() == pytest.approx([1, 1], rel=1e-5)
    assert f"an even share of {length[longest]} interactions is {100 / length[longest]:.1f} %" in said


def test_a_user_outside_of_the_sample_shows_the_most_attended(home, data, done, opened, tables) -> None:
    user_E, _ = stored.training_pairs(home, data)
    length = np.bincount(user_E, minlength=data.num_users)
    outside = np.flatnonzero(length)[stored.SAMPLE :]
    user = int(outside[length[outside].argmax()])
    app = opened("structure", run="srgformer-run", structure="history", user=str(user))
    assert f"attended of {length[user]} interactions" in texts(app)
    assert "stored for the users of the sample alone" in texts(app)
    assert "head 1" not in tables[f"history-user-{user}-scored-srgformer-run"]
    titled = app.selectbox(key="pick:user").format_func
    original = open_dataset(home, data.name).users()["original_id"][user]
    assert titled(str(user)) == f"user {user} · {original} · {length[user]} interactions"
    sampled = int(np.flatnonzero(length)[0])
    assert titled(str(sampled)).endswith("✓")


def test_users_without_interactions_or_beyond_the_data_are_told(home, data, done, opened) -> None:
    user_E, _ = stored.training_pairs(home, data)
    nobody = np.flatnonzero(np.bincount(user_E, minlength=data.num_users) == 0)
    assert len(nobody), "the tiny demo has a user without training pairs"
    said = texts(opened("structure", run="srgformer-run", structure="history", user=str(nobody[0])))
    assert "has no training pairs, so there is nothing to attend to" in said
    said = texts(opened("structure", run="srgformer-run", structure="history", user="999999"))
    assert "There is no user 999999" in said


def test_very_many_users_are_picked_by_number(done, opened, monkeypatch) -> None:
    monkeypatch.setattr(user_picker, "MOST_LISTED", 10)
    app = opened("structure", run="srgformer-run", structure="history")
    assert "For example" in app.number_input(key="pick:user").help


def test_popularity_is_told_with_heads_and_intervals(done, opened, tables) -> None:
    said = texts(opened("structure", run="srgformer-run", structure="popularity"))
    assert ":primary[popular items are favoured]" in said
    table = tables["attention-popularity-equal_mass-scored-srgformer-run"]
    first = table[table["name"] == "head 1"]
    assert first["mean"].iloc[0] > 1 > first["mean"].iloc[-1]
    np.testing.assert_allclose(table.loc[table["name"] == "head 2", "mean"], 1, rtol=1e-5)
    opened("structure", run="srgformer-run", structure="popularity", popularity="equal_number")
    assert "attention-popularity-equal_number-scored-srgformer-run" in tables


def test_entropy_is_told_by_length_and_over_epochs(done, data, opened, tables) -> None:
    said = texts(opened("structure", run="srgformer-run", structure="entropy"))
    assert "as spread out as can be**" in said
    assert "with fewer than two interactions" in said
    table = tables["attention-entropy-scored-srgformer-run"]
    found = load_finding(done.findings, "attention_entropy")
    length = np.asarray(found.support)
    assert table["size"].sum() == (length > 1).sum() < data.num_users
    share = found.values[length > 1] / np.log(length[length > 1])
    assert (table["mean"] * table["size"]).sum() == pytest.approx(share.sum())
    shortest = length == int(table["title"].iloc[0].split(" to ")[0])
    assert table["low"].iloc[0] <= (found.values[shortest] / np.log(length[shortest])).mean()
    assert tables["attention-entropy-epochs-srgformer-run"]["epoch"].tolist() == [1, 3, 5]


def test_branches_follow_the_slider_and_the_side(done, opened, tables) -> None:
    said = texts(opened("structure", run="srgformer-run", structure="branches", epoch="1", group="item"))
    assert "of items, *modal* adds most (50.0 %)" in said
    assert "transformer vectors are scaled to length 0.1 (alpha)" in said
    assert "branches-epoch-1-srgformer-run" in tables
    over = tables["branches-item-epochs-srgformer-run"]
    assert set(over["branch"]) == set(stored.BRANCHES["srgformer"])


def test_lgmrec_has_hyperedges_and_branches_but_no_attention(home, data, opened, tables) -> None:
    stored.structure_run(home, data, "lgmrec-run", "lgmrec")
    app = opened("structure", run="lgmrec-run", structure="branches")
    said, shown = texts(app), [frame.value for frame in app.dataframe if "branch" in frame.value]
    assert shown[0]["branch"].tolist() == ["collaborative", "modal", "hypergraph (global)"]
    assert "hypergraph vectors are scaled to length 0.3 (alpha)" in said
    assert "attention" not in next(line for line in said.splitlines() if line.startswith("####"))
    for part in ("history", "popularity", "entropy"):
        app = opened("structure", run="lgmrec-run", structure=part)
        assert not app.error
        assert "Only SRGFormer has a graph transformer" in texts(app)


@pytest.mark.parametrize(
    ("system", "variant", "part", "expected"),
    [
        ("srgformer", "without_global", "history", "trained without the graph transformer (alpha is 0)"),
        ("srgformer", "without_global", "entropy", "trained without the graph transformer (alpha is 0)"),
        ("srgformer", "without_local", "items", "items that define"),
        ("lgmrec", "without_hypergraph", "items", "trained without hypergraphs (alpha is 0"),
        ("lgmrec", "without_hypergraph", "categories", "trained without hypergraphs (alpha is 0"),
        ("lgmrec", "without_hypergraph", "branches", "*modal* adds most"),
    ],
)
def test_variants_show_what_they_have_and_say_what_they_lack(
    home, data, opened, system, variant, part, expected
) -> None:
    stored.structure_run(home, data, "variant-run", system, variant=variant)
    app = opened("structure", run="variant-run", structure=part)
    assert not app.error
    assert expected in texts(app)


@pytest.mark.parametrize(
    ("findings", "alarm"),
    [
        ("collapsed", "Collapsed hypergraph"),
        ("even", "Uniform memberships"),
        ("idle", "Idle branch"),
    ],
)
def test_every_alarm_is_raised_and_says_what_to_try(data, done, opened, findings, alarm) -> None:
    users, items = data.num_users, data.num_items
    chosen = np.tile(np.arange(users + items) % stored.EDGES, (2, 1))
    made = {
        "collapsed": [stored.membership(0 * chosen, users, largest=0.98)],
        "even": [stored.membership(chosen, users, largest=0.35)],
        "idle": stored.branches("srgformer", users, items, idle=0.001),
    }
    for finding in made[findings]:
        save_finding(done.findings, finding)
    (warning,) = opened("structure", run="srgformer-run").warning
    assert f":orange-badge[{alarm}]" in warning.value
    assert "Try " in warning.value


def test_a_run_of_another_system_says_why_and_leads_to_training(home, data, opened) -> None:
    stored_runs.done_run(home, data)
    app = opened("structure", run="done-run")
    assert not app.error
    assert "This system learns no hyperedges" in texts(app)
    assert "Train SRGFormer" in [button.label for button in app.button]


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (stored_runs.queued_run, "Not trained yet"),
        (stored_runs.running_run, "Still training"),
        (stored_runs.failed_run, "The run failed before its findings were written"),
        (stored_runs.done_run, "The run is done but has no findings"),
    ],
)
def test_runs_without_findings_say_why(home, data, opened, make, expected) -> None:
    make(home, data, "bare-run", system="srgformer")
    app = opened("structure", run="bare-run")
    assert not app.error
    assert expected in texts(app)


def test_a_running_run_shows_what_it_has_learned_so_far(home, data, opened, tables) -> None:
    run = stored_runs.running_run(home, data, system="srgformer")
    for finding in stored.branches("srgformer", data.num_users, data.num_items):
        save_finding(run.findings, finding)
    app = opened("structure", run="running-run", structure="history")
    assert not app.error
    said = texts(app)
    assert "running at epoch 3 of 5" in said
    assert "#### The branch :primary[modal] adds most" in said
    assert "No hyperedges: they come with the first snapshot." in said
    assert "No attention over histories: they come with the first snapshot." in said


def test_a_changed_data_set_leaves_numbers_for_names(home, data, done, opened, tables) -> None:
    path = open_dataset(home, data.name).folder / "dataset.json"
    write_json(path, read_json(path) | {"content_hash": "0" * 64})
    for part in DETAILS:
        app = opened("structure", run="srgformer-run", structure=part)
        assert not app.error
        assert "has changed since this run was trained" in texts(app)
    (shown,) = (table for name, table in tables.items() if name.startswith("hyperedge-items-"))
    assert shown["name"].str.startswith("item ").all()
    assert "trained" not in shown
    said = texts(opened("structure", run="srgformer-run", structure="popularity"))
    assert "cannot be told without the data set" in said


def test_a_run_without_snapshots_shows_its_end(done, opened) -> None:
    for path in done.findings.glob("*.history.npz"):
        path.unlink()
    for part in DETAILS:
        app = opened("structure", run="srgformer-run", structure=part)
        assert not app.error
        assert "only the trained model is shown" in texts(app)


@pytest.mark.parametrize(
    ("key", "part"),
    [
        ("hyperedge_membership", "categories"),
        ("hyperedge_items", "items"),
        ("history_attention", "history"),
        ("history_attention_1", "popularity"),
        ("history_attention_2", "history"),
        ("attention_entropy", "entropy"),
        ("branch_contribution", "branches"),
        ("branch_norm", "branches"),
    ],
)
def test_a_damaged_finding_is_told_and_the_rest_stays(done, opened, key, part) -> None:
    (done.findings / f"{key}.npz").write_bytes(b"no archive")
    app = opened("structure", run="srgformer-run", structure=part)
    assert app.error
    assert all("repeat the run" in error.value for error in app.error)
    said = texts(app)
    assert ("follow the items' categories" in said) == (key != "hyperedge_membership")
    assert ("the branch :primary[modal]" in said) == (key != "branch_contribution")


@pytest.mark.parametrize("key", ["hyperedge_membership", "attention_entropy", "branch_contribution"])
def test_a_finding_of_another_shape_is_refused(done, opened, key) -> None:
    finding = load_finding(done.findings, key)
    axes = (Axis.labelled("odd", ("a", "b")),)
    save_finding(
        done.findings, replace(finding, kind=Kind.AMOUNT, axes=axes, values=np.ones(2), support=None)
    )
    part = {"hyperedge_membership": "items", "attention_entropy": "entropy"}.get(key, "branches")
    app = opened("structure", run="srgformer-run", structure=part)
    assert app.error
    assert all("expected the axes" in error.value for error in app.error)


def test_entropy_without_lengths_is_refused(done, opened) -> None:
    save_finding(done.findings, replace(load_finding(done.findings, "attention_entropy"), support=None))
    app = opened("structure", run="srgformer-run", structure="entropy")
    assert "lengths of the histories are missing" in app.error[0].value


@pytest.mark.parametrize(
    ("field", "value"),
    [("structure", "everything"), ("epoch", "2"), ("hyperedge", "image 99"), ("hyperedge", "../secret 1")],
)
def test_an_address_with_a_mistake_is_told_and_shows_the_default(done, opened, field, value) -> None:
    app = opened("structure", run="srgformer-run", **{field: value})
    assert not app.error
    said = texts(app)
    assert "There is no" in said
    assert "the branch :primary[modal] adds most" in said


def test_no_runs_lead_to_training(home, opened) -> None:
    assert "No runs yet" in texts(opened("structure"))


def test_the_latest_run_with_structure_is_shown_first(home, data, done, opened) -> None:
    stored_runs.done_run(home, data, "later-run")
    assert "the branch :primary[modal] adds most" in texts(opened("structure"))


def test_the_page_of_a_run_leads_here_and_leaves_the_findings_to_it(done, opened) -> None:
    app = opened("runs", run="srgformer-run")
    assert "See its structure" in [button.label for button in app.button]
    assert "What it learned" not in [box.label for box in app.expander]
