"""EGRA's findings against loops over the encoding of the reference."""

import numpy as np
import pytest

from core.findings import Finding, Kind
from tests.core.models import multimodal_reference as reference
from tests.core.models import tiny_modal
from tests.core.models.test_egra import double, encoded, links_of
from tests.core.models.tiny_modal import ITEMS, ODD, ONE, THREE, TWO, USERS, close

NODES = {"user": (0, USERS), "item": (USERS, USERS + ITEMS)}
every_set = pytest.mark.parametrize("modalities", [ONE, ODD, TWO, THREE], ids="+".join)


def found_in(model) -> dict[str, Finding]:
    return {finding.key: finding for finding in model.findings()}


def degrees(data, model, **about) -> list[float]:
    expected = encoded(model, data, **about)
    return [reference.cosine(b, s) for b, s in zip(expected["behavior"], expected["fused"]["side"])]


@every_set
def test_every_finding_has_its_key_and_kind(modalities):
    found = found_in(double(tiny_modal.data(modalities)))
    kinds = {
        "alignment_degree": Kind.SIGNED,
        "alignment_weight": Kind.AMOUNT,
        "alignment_weight_quantiles": Kind.AMOUNT,
        "lambda": Kind.AMOUNT,
        "modality_attention": Kind.SHARE,
        "preference_gate": Kind.RATE,
        "item_links_behavior": Kind.LINK,
        **{f"item_links_raw_{name}": Kind.LINK for name in modalities},
    }
    assert {key: finding.kind for key, finding in found.items()} == kinds
    assert all("reconstruction" in finding.source for finding in found.values())
    plain = found_in(double(tiny_modal.data(modalities), "without_ebg"))
    assert kinds.keys() - plain.keys() == {"item_links_behavior"}


@pytest.mark.parametrize(
    ("variant", "kind"), [(None, "misaligned"), ("aligned_first", "aligned"), ("epoch_only", "off")]
)
def test_alignment_and_its_weights_are_those_of_all_users_and_all_items(variant, kind: str):
    data = tiny_modal.data()
    model = double(data, variant)
    found, aligned = found_in(model), degrees(data, model)
    close(found["alignment_degree"].values, np.array(aligned))
    weights = [reference.entity_weights(side, 0.7, kind) for side in (aligned[:USERS], aligned[USERS:])]
    close(found["alignment_weight"].values, np.concatenate(weights))
    for key in ("alignment_degree", "alignment_weight"):
        assert found[key].axis("node").groups == NODES
    quantiles = found["alignment_weight_quantiles"]
    assert [axis.name for axis in quantiles.axes] == ["side", "quantile"]
    close(quantiles.values, np.array([np.quantile(side, [0.05, 0.25, 0.5, 0.75, 0.95]) for side in weights]))
    assert quantiles.support.tolist() == [[USERS] * 5, [ITEMS] * 5]


def test_lambda_is_that_of_the_epoch():
    model = double(tiny_modal.data())
    for epoch, expected in ((1, 0.2 + 0.7 / 5), (4, 0.2 + 0.7 * 4 / 5), (9, 0.9)):
        model.begin_epoch(epoch, 40)
        assert found_in(model)["lambda"].values.tolist() == pytest.approx([expected])


@every_set
def test_fusion_is_that_of_the_loops(modalities):
    data = tiny_modal.data(modalities)
    model = double(data)
    expected, found = encoded(model, data)["fused"], found_in(model)
    for key, part in (("modality_attention", "share"), ("preference_gate", "preference")):
        close(found[key].values, expected[part])
        assert found[key].axis("modality").labels == modalities
        assert found[key].axis("node").groups == NODES


@pytest.mark.parametrize(
    ("variant", "about"),
    [
        (None, {}),
        ("raw_feature_ebg", {"links": "raw"}),
        ("binary_links", {"binary": True}),
        ("random_ebg", {"links": "random"}),
    ],
)
def test_links_are_those_of_the_behaviour_graph_and_of_raw_features(variant, about):
    data = tiny_modal.data()
    model = double(data, variant)
    found, S = (
        found_in(model),
        links_of(model, data, **(about | {"binary": False})),
    )  # cosines, whatever they weigh
    links = found["item_links_behavior"].values
    for i in range(ITEMS):
        part = slice(links.indptr[i], links.indptr[i + 1])
        expected = {int(j): S[i, j] for j in np.flatnonzero(S[i])}
        assert i not in expected
        assert dict(zip(links.index[part].tolist(), links.value[part].tolist())) == pytest.approx(
            expected, abs=1e-6
        )
    for name, x in tiny_modal.raw(data).items():
        reference.same_links(found[f"item_links_raw_{name}"].values, x, 4)
    words = {None: "mgcn", "raw_feature_ebg": "raw features", "binary_links": "mgcn", "random_ebg": "random"}
    assert words[variant] in found["item_links_behavior"].note


def test_embeddings_by_level():
    data = tiny_modal.data()
    model = double(data)
    expected, levels = encoded(model, data), model.embed()
    assert list(levels) == ["modality_image", "modality_text", "behavior", "side", "final"]
    tables = [*expected["modal"], expected["behavior"], expected["fused"]["side"], expected["final"]]
    for level, table in zip(levels, tables):
        close(levels[level], table)
