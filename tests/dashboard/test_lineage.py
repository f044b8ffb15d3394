"""Who builds on whom, among runs that may be gone."""

import pytest

from core.home import Home
from core.runs.summary import RunSummary
from dashboard.lineage import lineage, main_value, wanted_parent
from tests.dashboard import stored_runs


def run(run_id: str, parent: str = "", **fields) -> RunSummary:
    return RunSummary(run_id=run_id, state="done", parent=parent, **fields)


RUNS = (run("late", "base"), run("early", "base"), run("orphan", "gone"), run("base"))


def test_parent_and_children_are_found() -> None:
    about = lineage(RUNS, "late")
    assert (about.parent_id, about.parent.run_id, about.children) == ("base", "base", ())
    assert [child.run_id for child in lineage(RUNS, "base").children] == ["late", "early"]
    assert not lineage(RUNS, "base").is_empty


def test_a_deleted_parent_keeps_its_name() -> None:
    about = lineage(RUNS, "orphan")
    assert (about.parent_id, about.parent) == ("gone", None)
    assert not about.is_empty


def test_a_run_alone_or_unknown_has_no_lineage() -> None:
    assert lineage([run("alone")], "alone").is_empty
    assert lineage(RUNS, "nobody").is_empty


@pytest.mark.parametrize(
    ("variant", "system"),
    [(None, "mgcn"), ("backbone_freedom", "freedom"), ("without_ebg", None), ("random_ebg", None)],
)
def test_the_wanted_parent_follows_the_settings(variant, system, tmp_path) -> None:
    data = stored_runs.tiny_demo(Home(tmp_path))
    wanted = wanted_parent(stored_runs.recipe(data, "egra", variant=variant))
    assert (wanted.system if wanted else None) == system


def test_metrics_count_under_the_same_protocol_alone() -> None:
    scored = run("a", results={"mmrec": {"recall@20": 0.25}})
    assert main_value(scored, "mmrec", "recall@20") == 0.25
    assert main_value(scored, "full", "recall@20") is None
    assert main_value(scored, "mmrec", "ndcg@20") is None
    assert main_value(None, "mmrec", "recall@20") is None
