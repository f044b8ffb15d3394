"""The Information page: its answer, its alarms, every part, what each variant lacks, and every state without levels."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from core.files import read_json, write_json
from core.findings import Axis, History, Kind, load_finding, load_history, save_finding, save_history
from core.home import Home
from core.runs.folder import RunFolder, open_run
from dashboard.panels.information_levels import small_percent
from tests.dashboard import stored_levels, stored_runs
from tests.pages.conftest import texts

DETAILS = ("parts", "weights", "noise", "fusion", "spectra", "dependence", "preservation", "study")


@pytest.fixture
def data(home: Home):
    return stored_runs.tiny_demo(home)


@pytest.fixture
def done(home: Home, data) -> RunFolder:
    return stored_levels.levels_run(home, data)


@pytest.fixture
def tables(monkeypatch) -> dict:
    """What the buttons beneath the figures download, by file name."""
    found: dict = {}
    monkeypatch.setattr("dashboard.drawing.csv_button", lambda table, name: found.update({name: table}))
    return found


def changed(run: RunFolder, key: str, values) -> None:
    """Store other values for a finding of `run`."""
    finding = load_finding(run.findings, key)
    save_finding(run.findings, replace(finding, values=np.broadcast_to(values, finding.values.shape).copy()))


def test_the_answer_is_computed_from_levels_and_edges(done, opened, tables) -> None:
    app = opened("information", run="hgib-run")
    said = texts(app)
    assert (
        "Abundance of users goes from 6.0 in the initial table to :primary[3.0 in the output], of 7 at most"
        in said
    )
    assert "it falls at 4 of 4 steps" in said
    assert "The graph that drops most edges, *cart without buy*, drops 20.0 % in training." in said
    assert "(HGIB, Figure 6): ✓ holds** for users of this run" in said
    assert tables["abundance-user-scored-hgib-run"]["value"].tolist() == (6 - 0.25 * np.arange(13)).tolist()
    assert not app.warning
    assert not app.error


def test_side_and_epoch_of_the_address_are_followed(done, opened, tables) -> None:
    said = texts(opened("information", run="hgib-run", group="item", epoch="1"))
    assert "At epoch 1, abundance of items goes from 2.7" in said
    table = tables["abundance-item-epoch-1-hgib-run"]
    assert (table["epoch"] == 1).all()
    np.testing.assert_allclose(table["value"], 0.45 * (6 - 0.25 * np.arange(13)))
    assert "abundance-item-epochs-hgib-run" in tables


def test_steps_that_do_not_fall_are_told(done, opened) -> None:
    changed(done, "information_abundance", np.linspace(3, 6, 13)[:, None])
    app = opened("information", run="hgib-run")
    assert "(HGIB, Figure 6): ✕ does not hold" in texts(app)
    steps = next(frame.value for frame in app.dataframe if "step" in frame.value.columns)
    assert set(steps["verdict"]) == {"↑ rises"}


@pytest.mark.parametrize(
    ("key", "values", "alarm"),
    [
        ("information_abundance", 1.5, "Collapse"),
        ("edge_keep_rate", 0.9995, "Nothing is pruned"),
        ("preservation", 9.0, "A level lost the output"),
        ("noise_detection", 0.5, "Weights do not find the noise"),
    ],
)
def test_every_alarm_is_raised_and_says_what_to_try(done, opened, key, values, alarm) -> None:
    changed(done, key, values)
    (warning,) = opened("information", run="hgib-run").warning
    assert f":orange-badge[{alarm}]" in warning.value
    assert "Try " in warning.value


def test_alarms_belong_to_the_picked_epoch(done, opened) -> None:
    history = load_history(done.findings, "information_abundance")
    values = history.values.copy()
    values[0] = 1.2
    save_history(done.findings, replace(history, values=values))
    assert not opened("information", run="hgib-run").warning
    (warning,) = opened("information", run="hgib-run", epoch="1").warning
    assert "Collapse" in warning.value


def test_edges_are_told_by_graph(done, opened, tables) -> None:
    said = texts(opened("information", run="hgib-run", information="weights"))
    assert "***cart without buy* drops most**: 20.0 % of its edges in training, 10.0 % in evaluation" in said
    assert "mean weights run from 0.50 to 0.50" in said
    assert tables["edges-kept-scored-hgib-run"]["edges"].sum() == 66_000
    assert len(tables["edge-weights-scored-hgib-run"]) == 55


def test_weights_are_held_against_planted_noise(done, opened, tables) -> None:
    said = texts(opened("information", run="hgib-run", information="noise"))
    assert "**Weights find planted noise better than chance in 10 of 10 graphs**" in said
    assert "The same weights dealt to edges at random reach 0.500 to 0.500." in said
    assert "Against the mere number of users of an edge's item" in said
    assert (
        "Of the 40 pruned edges, those of *all behaviours* are noise most often: 50.0 %, against 10.0 %"
        in said
    )
    assert len(tables["noise-areas-scored-hgib-run"]) == 30
    assert len(tables["pruning-precision-scored-hgib-run"]) == 10


def test_noise_does_not_follow_the_slider(done, opened, tables) -> None:
    said = texts(opened("information", run="hgib-run", information="noise", epoch="1"))
    assert "this part does not follow the slider to epoch 1" in said
    assert "More under" not in said
    assert "noise-areas-scored-hgib-run" in tables


def test_nothing_pruned_leaves_precision_open(done, opened) -> None:
    finding = load_finding(done.findings, "pruning_precision")
    finding.support[:, 0] = 0
    save_finding(done.findings, finding)
    said = texts(opened("information", run="hgib-run", information="noise"))
    assert "nothing can be said of what is pruned" in said


def test_a_run_on_data_that_knows_its_noise_but_was_not_held_against_it_says_so(home, data, opened) -> None:
    stored_levels.levels_run(home, data, noise=False)
    said = texts(opened("information", run="hgib-run", information="noise"))
    assert "the run was not held against it when it ended" in said


def test_fusion_is_told_by_activity_and_planted_segment(done, data, opened, tables) -> None:
    said = texts(opened("information", run="hgib-run", information="fusion"))
    assert "All users draw most on *view*" in said
    assert "all items draw most on *buy*" in said
    assert "planted truth" in said
    first, second = (tables[f"fusion-attention-{stage}-scored-hgib-run"] for stage in (1, 2))
    groups = first.drop_duplicates("group").set_index("group")["nodes"]
    assert groups["all users"] == data.num_users
    assert groups["all items"] == data.num_items
    assert groups["tail items"] + groups["other items"] == data.num_items
    assert groups["collectors"] + groups["followers"] + groups["shoppers"] == data.num_users
    assert any(str(group).startswith("users with ") for group in groups.index)
    assert set(second["source"]) == set(stored_levels.COMPONENTS)


def test_fusion_at_a_snapshot_knows_all_users_and_items_only(done, opened, tables) -> None:
    said = texts(opened("information", run="hgib-run", information="fusion", epoch="3"))
    assert "groups need the scored model" in said
    assert tables["fusion-attention-1-epoch-3-hgib-run"]["group"].unique().tolist() == [
        "all users",
        "all items",
    ]


def test_closer_looks_name_their_extremes(done, opened, tables) -> None:
    assert "*output* falls furthest" in texts(opened("information", run="hgib-run", information="spectra"))
    assert len(tables["spectra-user-scored-hgib-run"]) == 13 * 6
    said = texts(opened("information", run="hgib-run", information="dependence"))
    assert "*all behaviours* depends most on the level before it, *initial*" in said
    assert "with beta 50" in said
    said = texts(opened("information", run="hgib-run", information="preservation"))
    assert "*all behaviours* loses most of the output (4.00 nats, 43.7 % of guessing)" in said
    assert "with alpha 1" in said


def test_settings_that_press_nothing_down_are_told(home, data, opened) -> None:
    stored_levels.levels_run(home, data, "comp-run", variant="without_comp")
    stored_levels.levels_run(home, data, "pres-run", variant="without_pres")
    assert "beta is 0" in texts(opened("information", run="comp-run", information="dependence"))
    assert "alpha is 0" in texts(opened("information", run="pres-run", information="preservation"))


@pytest.mark.parametrize(
    ("variant", "part", "expected"),
    [
        ("without_gre", "weights", "No edge weights: this run was trained without edge refinement"),
        ("without_gre", "noise", "No edge weights: this run was trained without edge refinement"),
        ("flat", "preservation", "the output *is* that level"),
        ("flat", "fusion", "with one level alone there is nothing to fuse"),
        ("flat", "parts", "Not trained on this footing yet"),
        ("without_component_level", "fusion", "Attention of the fusion over behaviours"),
        ("without_behavior_level", "dependence", "*all behaviours* depends most"),
        ("random_pruning", "weights", "Its weights are dealt to edges at random"),
    ],
)
def test_variants_show_what_they_have_and_say_what_they_lack(
    home, data, opened, variant, part, expected
) -> None:
    stored_levels.levels_run(home, data, "variant-run", variant=variant)
    app = opened("information", run="variant-run", information=part)
    assert not app.error
    said = texts(app)
    assert "Abundance of users goes from" in said
    assert expected in said


def test_levels_of_a_variant_are_those_it_has(home, data, opened, tables) -> None:
    stored_levels.levels_run(home, data, "flat-run", variant="flat")
    opened("information", run="flat-run")
    assert tables["abundance-user-scored-flat-run"]["level"].tolist() == [
        "initial",
        "all behaviours",
        "output",
    ]


@pytest.fixture
def ablation(home, data) -> dict[str, float]:
    """Three seeds of the full model and of each part of the paper's ablation; one run that differs in another setting."""
    costs = {"without_pres": 0.05, "without_comp": -0.02, "without_gre": 0.01}
    for seed in range(3):
        stored_levels.levels_run(home, data, f"full-{seed}", seed=seed, score=0.2 + 0.01 * seed)
        for variant, cost in costs.items():
            score = 0.2 + 0.01 * seed - cost + 0.0005 * seed
            stored_levels.levels_run(home, data, f"{variant}-{seed}", seed=seed, variant=variant, score=score)
    stored_levels.levels_run(home, data, "other-run", overrides={"dim": 16}, score=0.9)
    return costs


@pytest.mark.parametrize("run_id", ["full-0", "without_comp-1"])
def test_parts_are_compared_over_seeds_and_claims_are_judged(ablation, opened, tables, run_id) -> None:
    app = opened("information", run=run_id, information="parts")
    table = tables[f"parts-{run_id}"].set_index("variant")
    assert table.loc[""]["mean"] == pytest.approx(0.21)
    for variant, cost in ablation.items():
        assert table.loc[variant]["difference"] == pytest.approx(cost - 0.0005)
        assert table.loc[variant]["pairs"] == 3
    said = texts(app)
    assert (
        ":red-badge[✕ does not hold] “every part helps”: L\\_pres helps (+.0495), L\\_comp hurts (−.0205)"
        in said
    )
    assert ":green-badge[✓ holds] “removing L\\_pres costs most”" in said
    assert ":gray-badge[? not settled] “which edges get which weight matters”" in said
    assert "left out, for they differ in other settings\\: 1 run" in said
    assert "Not trained on this footing yet" in said


def set_parts(home, run_id: str, seen: float | None, unseen: float) -> None:
    """Give the run another main metric over pairs seen before (None: there are none) and never seen."""
    run = open_run(home, run_id)
    recipe = run.recipe()
    stored = read_json(run.path / "result.json")
    own, metric = stored["protocols"][recipe.protocol.key], recipe.protocol.main_metric
    own["seen"] = {"pairs": 0} if seen is None else {"pairs": 70, metric: seen}
    own["unseen"] = {"pairs": 9, metric: unseen}
    write_json(run.path / "result.json", stored)


def test_parts_are_compared_over_pairs_never_seen_and_say_when_there_are_none(
    ablation, home, data, opened, tables
) -> None:
    for variant, seed in product(("full", *ablation), range(3)):
        lost = 0.01 if variant == "without_pres" else 0.0
        set_parts(home, f"{variant}-{seed}", None, 0.03 + 0.001 * seed - lost)
    app = opened("information", run="full-0", information="parts", part="unseen")
    table = tables["parts-full-0-unseen"].set_index("variant")
    assert table.loc[""]["mean"] == pytest.approx(0.031)
    assert table.loc["without_pres"]["difference"] == pytest.approx(0.01)
    assert table.loc["without_comp"]["difference"] == pytest.approx(0)
    said = texts(app)
    assert "over pairs never seen before loses without a part" in said
    assert "“removing L\\_pres costs most”" in said, "the paper's claims are about all test pairs"
    said = texts(opened("information", run="full-0", information="parts", part="seen"))
    assert f"The test of {data.name} has no pairs seen before" in said
    assert "Not trained on this footing yet" in said


def page_links(app) -> dict[str, str]:
    """Label and query of every link in the main part of the page."""
    return {link.proto.label: link.proto.query_string for link in app.get("page_link")}


def test_missing_parts_can_be_trained_with_the_seeds_of_the_full_model(ablation, opened) -> None:
    links = page_links(opened("information", run="full-0", information="parts"))
    (query,) = [query for label, query in links.items() if label == "Train random pruning"]
    assert "variant=random_pruning" in query
    assert "seeds=0%2C+1%2C+2" in query
    assert "system=hgib" in query
    assert not any(label == "Train without pres" for label in links)
    compare = links["Test them over users on the page Compare"]
    assert "full-0" in compare
    assert "without_gre-2" in compare


def test_parts_of_a_single_run_are_not_settled(done, opened) -> None:
    said = texts(opened("information", run="hgib-run", information="parts"))
    assert said.count(":gray-badge[? not settled]") == 3
    assert "there is no difference to draw" in said


def test_a_run_of_another_system_says_why_it_has_no_levels(home, data, opened) -> None:
    stored_runs.done_run(home, data)
    for part in DETAILS:
        app = opened("information", run="done-run", information=part)
        assert not app.error
        assert "This system has no levels to measure" in texts(app)


def test_levels_of_another_system_are_shown_without_hgibs_parts(home, data, opened, tables) -> None:
    run = stored_runs.done_run(home, data, "mule-run", system="mule")
    for finding in (stored_levels.abundance(), stored_levels.singular_values()):
        save_finding(run.findings, replace(finding, source="MuLe"))
    for part, said in (
        ("parts", "These parts are HGIB's"),
        ("weights", "Edge refinement is a part of HGIB"),
        ("dependence", "measured for HGIB alone"),
        ("preservation", "measured for HGIB alone"),
        ("spectra", "falls furthest"),
    ):
        app = opened("information", run="mule-run", information=part)
        assert not app.error
        assert said in texts(app)
    assert len(tables["abundance-user-scored-mule-run"]) == 13


@pytest.mark.parametrize("part", ["parts", "noise", "fusion"])
@pytest.mark.parametrize("run_id", ["queued-run", "running-run", "failed-run"])
def test_runs_without_levels_say_why_in_every_part(home, data, opened, run_id, part) -> None:
    stored_runs.queued_run(home, data, system="hgib")
    stored_runs.running_run(home, data, system="hgib")
    stored_runs.failed_run(home, data, system="hgib")
    app = opened("information", run=run_id, information=part)
    assert not app.error
    expected = {
        "queued-run": "Not trained yet",
        "running-run": "Still training",
        "failed-run": "The run failed before its levels were written",
    }
    assert expected[run_id] in texts(app)


def test_a_running_run_shows_what_it_has_learned_so_far(home, data, opened, tables) -> None:
    run = stored_runs.running_run(home, data, system="hgib")
    finding = stored_levels.abundance()
    save_finding(run.findings, finding)
    save_history(run.findings, stored_levels.history(finding))
    app = opened("information", run="running-run")
    assert not app.error
    said = texts(app)
    assert "running at epoch 3 of 5" in said
    assert "of the latest snapshot" in said
    assert "they come with the first snapshot" in said
    assert "abundance-user-latest-running-run" in tables


def test_a_run_without_snapshots_shows_its_end(home, data, opened) -> None:
    run = stored_levels.levels_run(home, data, "late-run")
    for path in run.findings.glob("*.history.npz"):
        path.unlink()
    for part in ("fusion", "preservation"):
        app = opened("information", run="late-run", information=part)
        assert not app.error
        assert "only the trained model is shown" in texts(app)
    assert "set snapshot_every above 0" in texts(app)


@pytest.mark.parametrize(
    ("key", "part"),
    [
        ("information_abundance", "spectra"),
        ("singular_values", "spectra"),
        ("hsic", "dependence"),
        ("preservation", "preservation"),
        ("edge_keep_rate", "weights"),
        ("edge_weight_histogram", "weights"),
        ("noise_detection", "noise"),
        ("pruning_precision", "noise"),
        ("fusion_attention_1", "fusion"),
    ],
)
def test_a_damaged_finding_is_told_and_the_rest_stays(done, opened, key, part) -> None:
    (done.findings / f"{key}.npz").write_bytes(b"no archive")
    app = opened("information", run="hgib-run", information=part)
    assert app.error
    assert all("repeat the run" in error.value for error in app.error)
    said = texts(app)
    assert ("Abundance of users goes from" in said) == (key != "information_abundance")
    assert ("drops most" in said) == (key != "edge_keep_rate")


@pytest.mark.parametrize("key", ["information_abundance", "hsic", "edge_keep_rate", "fusion_attention_1"])
def test_a_finding_of_another_shape_is_refused(done, opened, key) -> None:
    stored = load_finding(done.findings, key)
    axes = (Axis.labelled("odd", ("a", "b")),)
    save_finding(done.findings, replace(stored, kind=Kind.AMOUNT, axes=axes, values=np.ones(2), support=None))
    part = {"hsic": "dependence", "fusion_attention_1": "fusion"}.get(key, "weights")
    app = opened("information", run="hgib-run", information=part)
    assert app.error
    assert all("expected the axes" in error.value for error in app.error)


def test_a_history_that_does_not_fit_is_left_out(done, opened) -> None:
    finding = load_finding(done.findings, "information_abundance")
    axes = (Axis.labelled("level", ("other",)), finding.axes[1])
    save_history(
        done.findings, History(finding.key, finding.kind, axes, np.array([1, 2]), np.ones((2, 1, 2)))
    )
    app = opened("information", run="hgib-run", epoch="1")
    assert not app.error
    assert "only the trained model is shown" in texts(app)


@pytest.mark.parametrize(
    ("field", "value"),
    [("group", "everyone"), ("epoch", "2"), ("epoch", "-1"), ("information", "everything")],
)
def test_an_address_with_a_mistake_is_told_and_shows_the_default(done, opened, field, value) -> None:
    app = opened("information", run="hgib-run", **{field: value})
    assert not app.error
    said = texts(app)
    assert "There is no" in said
    assert "Abundance of users goes from 6.0" in said


def test_no_runs_lead_to_the_start_page(home, opened) -> None:
    assert "No runs yet" in texts(opened("information"))


def test_the_latest_run_with_levels_is_shown_first(home, data, opened) -> None:
    stored_levels.levels_run(home, data)
    stored_runs.done_run(home, data, "later-run")
    assert "Abundance of users goes from" in texts(opened("information"))


def test_the_page_of_a_run_leads_here_and_leaves_the_findings_to_it(done, opened) -> None:
    app = opened("runs", run="hgib-run")
    assert "See its levels" in [button.label for button in app.button]
    assert "What it learned" not in [box.label for box in app.expander]


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "none"),
        (1e-7, "less than 0.001 %"),
        (0.00021, "0.021 %"),
        (0.0083, "0.83 %"),
        (0.2, "20.0 %"),
    ],
)
def test_small_shares_keep_the_decimals_they_need(share, text) -> None:
    assert small_percent(share) == text
