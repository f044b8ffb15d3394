"""The same code on a GPU: skipped, with the reason, where torch sees none."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.catalog.systems import CATALOG
from core.data.dataset import open_dataset
from core.data.planted import write_demo
from core.data.ranking import RankingData, ranking_data
from core.home import Home
from core.ops.sparse import Pattern, gather_scatter_product, product
from core.protocol import parse_protocol
from core.recipe import make_recipe
from core.runs.folder import create_run
from core.training.worker import evaluate_run, work

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU on this machine")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("home"))
    write_demo(home, num_users=200, num_items=150)
    return home


@pytest.fixture(scope="module")
def data(home: Home) -> RankingData:
    return ranking_data(open_dataset(home, "demo"))


def test_the_sparse_product_and_its_gradients_agree_with_the_cpu() -> None:
    generator = torch.Generator().manual_seed(0)
    mask = torch.rand(13, 17, generator=generator) < 0.3
    indptr = torch.nn.functional.pad(mask.sum(1).cumsum(0), (1, 0))
    pattern = Pattern.of(indptr, mask.nonzero()[:, 1], 17)
    weight = torch.rand(pattern.num_entries, generator=generator)
    dense, gradient = torch.randn(17, 5, generator=generator), torch.randn(13, 5, generator=generator)

    def outcome(device: str) -> list[torch.Tensor]:
        w, x = weight.to(device).requires_grad_(), dense.to(device).requires_grad_()
        form = product if device == "cuda" else gather_scatter_product
        y = form(pattern.to(torch.device(device)), x, w)
        return [t.detach().cpu() for t in (y, *torch.autograd.grad(y, (w, x), gradient.to(device)))]

    for ours, plain in zip(outcome("cuda"), outcome("cpu")):
        torch.testing.assert_close(ours, plain, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("system", sorted(key for key, entry in CATALOG.items() if entry.task == "ranking"))
def test_every_ranking_system_trains_and_is_evaluated_under_both_protocols(
    home: Home, data: RankingData, system: str
) -> None:
    short = {"epochs": 2, "snapshot_every": 1} if CATALOG[system].is_trained else {}
    recipe = make_recipe(
        "demo", data.content_hash, system, planted=True, overrides=short, device="cuda", protocol="sampled99"
    )
    run = create_run(home, recipe, f"gpu-{system}")
    entry = work(home, run)
    assert run.status().device == "cuda:0"
    assert np.isfinite(list(entry["metrics"].values())).all()
    assert evaluate_run(home, run, parse_protocol("full"))["num_users"] == entry["num_users"]
    assert (Path(run.path) / "recommendations.npz").exists()


@pytest.mark.parametrize("system", sorted(key for key, entry in CATALOG.items() if entry.task == "nodes"))
def test_every_system_that_embeds_nodes_trains_and_is_evaluated(
    home: Home, data: RankingData, system: str
) -> None:
    short = {"epochs": 2, "snapshot_every": 1} if CATALOG[system].is_trained else {}
    recipe = make_recipe(
        "demo",
        data.content_hash,
        system,
        planted=True,
        overrides=short,
        device="cuda",
        protocol="heco:repeats=2",
    )
    run = create_run(home, recipe, f"gpu-{system}")
    entry = work(home, run)
    assert run.status().device == "cuda:0"
    assert np.isfinite(list(entry["metrics"].values())).all()
    assert (Path(run.path) / "per_node.parquet").exists()
