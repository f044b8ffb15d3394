"""What a run learns from and is scored on: a ranking task over interactions, or a node task over a heterogeneous graph."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from core.catalog.systems import system
from core.data.dataset import Dataset
from core.data.nodes import NodeData, node_data
from core.data.ranking import RankingData, ranking_data
from core.evaluation.edges import known_noise
from core.evaluation.nodes import check_settings, validate_nodes
from core.evaluation.ranking import Split, check_feasible, evaluate
from core.models.base import Fitted, Model, Ranker
from core.models.nodes import FittedNodes, NodeModel
from core.models.registry import build, build_nodes
from core.protocol import Protocol
from core.recipe import Recipe
from core.runs.folder import RunFolder
from core.training import node_outcome, outcome

Metrics = dict[str, float]


class Task(ABC):
    """The data of a run, and what is done with a model of it."""

    name: str
    content_hash: str

    @property
    @abstractmethod
    def has_valid(self) -> bool:
        """Whether there is anything to validate on."""

    @abstractmethod
    def check(self, protocol: Protocol) -> None:
        """Raise DataError before anything is trained if `protocol` cannot be carried out."""

    @abstractmethod
    def build(self, recipe: Recipe, device: torch.device) -> Model:
        """The untrained model, its parameters drawn by the recipe's seed. Raises DataError if the data lacks what it needs."""

    @abstractmethod
    def fit(self, model: Model) -> bool:
        """Compute a model in closed form; False for one that is trained."""

    @abstractmethod
    def measure(self, model: Model, protocol: Protocol, split: Split) -> Metrics:
        """Metrics of a model in training."""

    @abstractmethod
    def write_result(
        self, run: RunFolder, recipe: Recipe, model: Model, protocol: Protocol, epoch: int
    ) -> dict[str, Any]:
        """Evaluate on what is held out for tests and store it; the stored entry."""

    @abstractmethod
    def write_learned(self, run: RunFolder, recipe: Recipe, model: Model) -> None:
        """Store findings, embeddings and what else the model can say."""

    def with_parent(self, items: NDArray[np.float32] | None) -> "Task":
        """The task with the item embeddings of a parent run, for systems that build on one."""
        return self


@dataclass(frozen=True, eq=False)
class RankingTask(Task):
    """noise: training pairs per behaviour that are known to be noise; no model sees it."""

    data: RankingData
    noise: Mapping[str, csr_array] | None = None

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.data.name

    @property
    def content_hash(self) -> str:  # type: ignore[override]
        return self.data.content_hash

    @property
    def has_valid(self) -> bool:
        return bool(self.data.valid.nnz)

    def check(self, protocol: Protocol) -> None:
        check_feasible(self.data, protocol)

    def build(self, recipe: Recipe, device: torch.device) -> Model:
        torch.manual_seed(recipe.seed)
        return build(recipe.system, recipe.system_config(), self.data, device)

    def fit(self, model: Model) -> bool:
        if isinstance(model, Fitted):
            model.fit(self.data)
            return True
        return False

    def measure(self, model: Model, protocol: Protocol, split: Split) -> Metrics:
        return evaluate(_ranker(model), self.data, protocol, split).metrics()

    def write_result(
        self, run: RunFolder, recipe: Recipe, model: Model, protocol: Protocol, epoch: int
    ) -> dict[str, Any]:
        return outcome.write_result(run, recipe, _ranker(model), self.data, protocol, epoch)

    def write_learned(self, run: RunFolder, recipe: Recipe, model: Model) -> None:
        outcome.write_learned(run, recipe, _ranker(model), self.data, self.noise)

    def with_parent(self, items: NDArray[np.float32] | None) -> Task:
        return replace(self, data=replace(self.data, pretrained=items))


@dataclass(frozen=True, eq=False)
class NodeTask(Task):
    """Every split is scored by classifiers of the label settings."""

    data: NodeData

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.data.name

    @property
    def content_hash(self) -> str:  # type: ignore[override]
        return self.data.content_hash

    @property
    def has_valid(self) -> bool:
        return True

    def check(self, protocol: Protocol) -> None:
        check_settings(self.data)

    def build(self, recipe: Recipe, device: torch.device) -> Model:
        torch.manual_seed(recipe.seed)
        return build_nodes(recipe.system, recipe.system_config(), self.data, device)

    def fit(self, model: Model) -> bool:
        if isinstance(model, FittedNodes):
            model.fit(self.data)
            return True
        return False

    def measure(self, model: Model, protocol: Protocol, split: Split) -> Metrics:
        return validate_nodes(_node_model(model), self.data, protocol)

    def write_result(
        self, run: RunFolder, recipe: Recipe, model: Model, protocol: Protocol, epoch: int
    ) -> dict[str, Any]:
        return node_outcome.write_result(run, recipe, _node_model(model), self.data, protocol, epoch)

    def write_learned(self, run: RunFolder, recipe: Recipe, model: Model) -> None:
        node_outcome.write_learned(run, _node_model(model), self.data)


def task_of(dataset: Dataset, recipe: Recipe) -> Task:
    """The task of `recipe` on `dataset`. Raises DataError if the data set lacks what the system learns from."""
    if system(recipe.system).task == "nodes":
        return NodeTask(node_data(dataset))
    data = ranking_data(
        dataset,
        recipe.fit_on,
        auxiliary_noise=recipe.auxiliary_noise,
        noise_seed=recipe.seed,
        trained_negatives=recipe.protocol.trained_negatives,
    )
    return RankingTask(data, known_noise(dataset, data))


def _ranker(model: Model) -> Ranker:
    assert isinstance(model, Ranker)
    return model


def _node_model(model: Model) -> NodeModel:
    assert isinstance(model, NodeModel)
    return model
