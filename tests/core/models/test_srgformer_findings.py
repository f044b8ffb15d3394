"""SRGFormer's findings against loops over the encoding of the reference."""

from typing import Any

import numpy as np
import pytest

from core.findings import Finding, Kind
from tests.core.models import hypergraph_reference as reference
from tests.core.models import tiny_modal
from tests.core.models.test_srgformer import double, expected_of
from tests.core.models.tiny_modal import ITEMS, ODD, ONE, THREE, TWO, USERS, close

every_set = pytest.mark.parametrize("modalities", [ONE, ODD, TWO, THREE], ids="+".join)
ATTENTION = {"history_attention", "history_attention_1", "history_attention_2", "attention_entropy"}


def found_in(model) -> dict[str, Finding]:
    return {finding.key: finding for finding in model.findings()}


def rows_of(finding: Finding) -> list[dict[int, float]]:
    links: Any = finding.values
    parts = [slice(a, b) for a, b in zip(links.indptr, links.indptr[1:])]
    return [dict(zip(links.index[part].tolist(), links.value[part].tolist())) for part in parts]


@every_set
def test_branches_and_hyperedges_are_those_of_the_loops(modalities, monkeypatch):
    monkeypatch.setattr("core.models.hypergraph_findings._MOST_ITEMS", 5)
    data = tiny_modal.data(modalities)
    model = double(data)
    reference.same_findings(model, expected_of(model, data), found_in(model))
    assert found_in(model)["branch_norm"].axis("branch").labels == (
        "collaborative",
        "modal",
        "transformer",
        "hypergraph",
    )
    assert list(model.embed()) == ["final", "collaborative", "modal", "transformer", "hypergraph"]
    for name, rows in expected_of(model, data)["branches"].items():
        close(model.embed()[name], rows)


def test_heads_attend_to_users_histories():
    data = tiny_modal.data()
    model = double(data)
    shares, found = expected_of(model, data)["shares"], found_in(model)
    for head in (0, 1):
        rows = rows_of(found[f"history_attention_{head + 1}"])
        for u in range(USERS):
            bought = np.flatnonzero(tiny_modal.matrix(data)[u])
            assert rows[u] == pytest.approx({int(i): shares[head][u, USERS + i] for i in bought}, abs=1e-6)
        assert sum(rows[0].values()) == pytest.approx(1)
        assert not rows[-1]  # who did nothing attends to nothing
        active = sum(tiny_modal.matrix(data).sum(1) > 0)
        assert f"sample of {active} users" in found["history_attention_1"].note


def test_a_sample_of_heads_histories_is_of_users_who_have_one(monkeypatch):
    monkeypatch.setattr("core.models.srgformer_findings._SAMPLE", 3)
    model = double(tiny_modal.data())
    found = found_in(model)
    chosen = [
        [u for u, row in enumerate(rows_of(found[f"history_attention_{head}"])) if row] for head in (1, 2)
    ]
    assert chosen[0] == chosen[1]
    assert len(chosen[0]) == 3
    assert "sample of 3 users" in found["history_attention_1"].note


@pytest.mark.parametrize("most", [2, 5])
def test_the_most_attended_interactions_of_everybody(most: int, monkeypatch):
    monkeypatch.setattr("core.models.srgformer_findings._TOP", most)
    data = tiny_modal.data()
    model = double(data)
    shares = expected_of(model, data)["shares"]
    rows, R = rows_of(found_in(model)["history_attention"]), tiny_modal.matrix(data)
    assert R.sum(1).max() > 2
    for u in range(USERS):
        mean = {int(i): (shares[0][u, USERS + i] + shares[1][u, USERS + i]) / 2 for i in np.flatnonzero(R[u])}
        best = sorted(mean, key=lambda i: -mean[i])[:most]
        assert list(rows[u]) == best
        assert rows[u] == pytest.approx({i: mean[i] for i in best}, abs=1e-6)


def test_entropy_of_attention_is_the_mean_over_heads_beside_the_length_of_the_history():
    data = tiny_modal.data()
    model = double(data)
    shares, finding = expected_of(model, data)["shares"], found_in(model)["attention_entropy"]
    R = tiny_modal.matrix(data)
    for u in range(USERS):
        bought = USERS + np.flatnonzero(R[u])
        each = [-sum(share[u, i] * np.log(share[u, i]) for i in bought) for share in shares]
        assert finding.values[u] == pytest.approx(np.mean(each), abs=1e-6)
        assert finding.values[u] <= np.log(max(R[u].sum(), 1)) + 1e-9
    assert finding.support.tolist() == R.sum(1).tolist()
    assert finding.axis("node").groups == {"user": (0, USERS)}


def test_findings_without_transformer_or_hypergraphs_leave_those_out():
    data = tiny_modal.data()
    assert not ATTENTION & found_in(double(data, "without_global")).keys()
    bare = found_in(double(data, "without_local", hcl_weight=0.0))
    assert bare.keys() == {"branch_norm", "branch_contribution"} | ATTENTION
    contrasted = found_in(double(data, "without_local"))
    assert "hyperedge_membership" in contrasted
    assert contrasted["branch_norm"].axis("branch").labels == ("collaborative", "modal", "transformer")


def test_users_without_softmax_are_shown_with_one():
    data = tiny_modal.data()
    model = double(data, "as_released")
    finding = found_in(model)["hyperedge_membership"]
    graphs = expected_of(model, data, as_released=True)["graphs"]
    image, text = (graph["membership"] for graph in graphs)
    close(finding.values[0], image)
    close(finding.values[1, USERS:], text[USERS:])
    close(finding.values[1, :USERS], reference.softmax_rows(text[:USERS], 1.0))
    assert "as released" in finding.note
    assert "as released" not in found_in(double(data))["hyperedge_membership"].note
    assert finding.kind is Kind.SHARE
    assert finding.axis("node").groups == {"user": (0, USERS), "item": (USERS, USERS + ITEMS)}
