"""Scoring frozen node embeddings: many linear classifiers at once per label setting, and k-means.

N nodes, D dims, C classes, R repeats, n nodes of a part of a setting.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import (
    adjusted_rand_score,
    f1_score,
    normalized_mutual_info_score,
    roc_auc_score,
)
from torch import Tensor

from core.data.nodes import LabelSetting, NodeData
from core.errors import DataError, RunError
from core.models.nodes import NodeModel
from core.protocol import VALIDATION_REPEATS, Protocol

ITERATIONS = 200
CLUSTERINGS = 10
METRICS = ("micro_f1", "macro_f1", "auc")
_FIRST_SEED = 0


@dataclass(frozen=True, eq=False)
class Probe:
    """What R classifiers did under one setting. values: metric -> [R] on test nodes, each at its own best iteration on
    validation nodes. valid: the best validation values, metric -> [R]. predicted: [R, n test nodes] at the iteration that is
    best by Micro-F1."""

    values: Mapping[str, NDArray[np.float64]]
    valid: Mapping[str, NDArray[np.float64]]
    predicted: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class NodeResult:
    """probes: labelled nodes per class -> Probe. clustering: `nmi` and `ari` -> one value per k-means seed. clusters: those of
    the first seed, [N] int64, -1 for nodes without a label."""

    protocol: Protocol
    probes: Mapping[int, Probe]
    clustering: Mapping[str, NDArray[np.float64]]
    clusters: NDArray[np.int64]

    def repeats(self) -> dict[str, NDArray[np.float64]]:
        """Every metric's single values: `micro_f1@20` etc. [R]; `micro_f1` etc., means over settings, [R]; `nmi`, `ari`."""
        told: dict[str, NDArray[np.float64]] = {}
        for metric in METRICS:
            by_setting = {f"{metric}@{size}": probe.values[metric] for size, probe in self.probes.items()}
            told[metric] = np.mean(list(by_setting.values()), axis=0)
            told |= by_setting
        return told | dict(self.clustering)

    def metrics(self) -> dict[str, float]:
        """Means over repeats and clusterings."""
        return {name: float(values.mean()) for name, values in self.repeats().items()}

    def spread(self) -> dict[str, float]:
        """Standard deviations over repeats and clusterings (divided by their number, as HeCo prints them)."""
        return {name: float(values.std()) for name, values in self.repeats().items()}


def check_settings(data: NodeData) -> None:
    """Raise DataError before anything is trained unless every setting can be classified: labelled, two classes at least."""
    for size, setting in data.settings.items():
        for name, nodes in (
            ("training", setting.train),
            ("validation", setting.valid),
            ("test", setting.test),
        ):
            if (data.labels[nodes] < 0).any():
                raise DataError(
                    f"data set {data.name!r}: setting {size} has {name} nodes without a label; import it again"
                )
        missing = set(range(len(data.classes))) - set(data.labels[setting.test].tolist())
        if len(data.classes) < 2 or missing:
            names = ", ".join(data.classes[c] for c in sorted(missing)) or "all but one"
            raise DataError(
                f"data set {data.name!r}: setting {size} has no test node of class {names}; import it with other splits"
            )


def evaluate_nodes(model: NodeModel, data: NodeData, protocol: Protocol) -> NodeResult:
    """Classify and cluster the embeddings of `model`. Raises RunError if one of them is no number.

    Clusters are those of the embeddings that the smallest setting is evaluated on.
    """
    probes = {}
    with model.evaluating():
        embeddings = {size: represented(model, size) for size in data.settings}
    for size, setting in data.settings.items():
        probes[size] = probe(
            embeddings[size], data.labels, setting, len(data.classes), protocol.repeats, protocol.probe_lr
        )
    first = embeddings[min(embeddings)]
    clustering, clusters = clustered(first, data.labels, len(data.classes), CLUSTERINGS)
    return NodeResult(protocol, probes, clustering, clusters)


def validate_nodes(model: NodeModel, data: NodeData, protocol: Protocol) -> dict[str, float]:
    """Micro- and Macro-F1 on validation nodes, at the iteration that is best there, of a few classifiers per setting."""
    told: dict[str, list[float]] = {"micro_f1": [], "macro_f1": []}
    by_setting = {}
    with model.evaluating():
        embeddings = {size: represented(model, size) for size in data.settings}
    for size, setting in data.settings.items():
        valid = _fitted(
            embeddings[size], data.labels, setting, len(data.classes), VALIDATION_REPEATS, protocol.probe_lr
        ).valid
        for metric, values in told.items():
            values.append(float(valid[metric].max(0).mean()))
            by_setting[f"{metric}@{size}"] = values[-1]
    return {metric: float(np.mean(values)) for metric, values in told.items()} | by_setting


def represented(model: NodeModel, size: int) -> Tensor:
    """The embeddings evaluated with `size` labels per class, [N, D]. Raises RunError unless all are finite."""
    found = model.represent_for(size).detach().float()
    if not bool(found.isfinite().all()):
        raise RunError(
            "the model's embeddings are not finite: training diverged; lower learning_rate and train again"
        )
    return found


@dataclass(frozen=True, eq=False)
class _Fitted:
    """valid: metric -> [iterations, R] on validation nodes. logits: [iterations, R, n, C] of test nodes, kept at the asked
    iterations alone."""

    valid: dict[str, NDArray[np.float64]]
    best: dict[str, Tensor]


def probe(
    rows_ND: Tensor,
    labels: NDArray[np.int64],
    setting: LabelSetting,
    classes: int,
    repeats: int = 50,
    learning_rate: float = 0.01,
    iterations: int = ITERATIONS,
) -> Probe:
    """Train `repeats` softmax classifiers on the setting's training nodes at once, and score them on its test nodes.

    Full batch, Adam without weight decay, Xavier weights of a seed each; after every step they are looked at on validation
    nodes. Macro-F1 is taken at the iteration with the best validation Macro-F1, Micro-F1 and the area under the ROC curve (one
    against the rest, mean over classes) at that with the best Micro-F1; of equals the first. Source: HeCo's released evaluator.
    """
    fitted = _fitted(rows_ND, labels, setting, classes, repeats, learning_rate, iterations)
    truth = labels[setting.test]
    predicted = {kind: logit.argmax(-1).cpu().numpy() for kind, logit in fitted.best.items()}
    shares = fitted.best["micro_f1"].softmax(-1).double().cpu().numpy()
    shares /= shares.sum(-1, keepdims=True)
    values = {
        "micro_f1": [f1_score(truth, row, average="micro") for row in predicted["micro_f1"]],
        "macro_f1": [f1_score(truth, row, average="macro") for row in predicted["macro_f1"]],
        "auc": [_area(truth, share) for share in shares],
    }
    return Probe(
        {name: np.array(found) for name, found in values.items()},
        {name: found.max(0) for name, found in fitted.valid.items()},
        predicted["micro_f1"],
    )


def _area(truth: NDArray[np.int64], share_nC: NDArray[np.float64]) -> float:
    if share_nC.shape[1] == 2:
        return float(roc_auc_score(truth, share_nC[:, 1]))
    return float(roc_auc_score(truth, share_nC, multi_class="ovr", labels=np.arange(share_nC.shape[1])))


def _fitted(
    rows_ND: Tensor,
    labels: NDArray[np.int64],
    setting: LabelSetting,
    classes: int,
    repeats: int,
    learning_rate: float,
    iterations: int = ITERATIONS,
) -> _Fitted:
    device, width = rows_ND.device, rows_ND.shape[1]
    train, valid, test = (
        rows_ND[torch.from_numpy(part).to(device)] for part in (setting.train, setting.valid, setting.test)
    )
    train_label, valid_label = (
        torch.from_numpy(labels[part]).to(device) for part in (setting.train, setting.valid)
    )
    weight = torch.stack([_xavier(width, classes, _FIRST_SEED + r) for r in range(repeats)]).to(device)
    weight, bias = (
        weight.requires_grad_(),
        torch.zeros(repeats, 1, classes, device=device, requires_grad=True),
    )
    optimizer = torch.optim.Adam([weight, bias], lr=learning_rate)
    looked: dict[str, list[Tensor]] = {"micro_f1": [], "macro_f1": []}
    best: dict[str, Tensor] = {}
    record = {kind: torch.full((repeats,), -1.0, device=device) for kind in looked}
    target = train_label.expand(repeats, -1).reshape(-1)
    for _ in range(iterations):
        optimizer.zero_grad(set_to_none=True)
        logit = _logits(train, weight, bias)
        loss = torch.nn.functional.cross_entropy(logit.reshape(-1, classes), target)
        (loss * repeats).backward()  # every classifier's own mean
        optimizer.step()
        with torch.no_grad():
            scores = f1_of(_logits(valid, weight, bias).argmax(-1), valid_label, classes)
            test_logit: Tensor | None = None
            for kind, value_R in scores.items():
                looked[kind].append(value_R)
                improved = value_R > record[kind]
                if bool(improved.any()):
                    test_logit = _logits(test, weight, bias) if test_logit is None else test_logit
                    record[kind] = torch.where(improved, value_R, record[kind])
                    before = best.get(kind, test_logit)
                    best[kind] = torch.where(improved[:, None, None], test_logit, before)
    return _Fitted({kind: torch.stack(found).double().cpu().numpy() for kind, found in looked.items()}, best)


def _logits(rows_nD: Tensor, weight_RDC: Tensor, bias_R1C: Tensor) -> Tensor:
    """[R, n, C], by one product for all classifiers."""
    repeats, width, classes = weight_RDC.shape
    flat = rows_nD @ weight_RDC.transpose(0, 1).reshape(width, repeats * classes)
    return flat.view(-1, repeats, classes).transpose(0, 1) + bias_R1C


def _xavier(width: int, classes: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.nn.init.xavier_uniform_(torch.empty(width, classes), generator=generator)


def f1_of(
    predicted_Rn: Tensor, truth_n: Tensor, classes: int
) -> dict[Literal["micro_f1", "macro_f1"], Tensor]:
    """Micro- and Macro-F1 of R predictions at once, [R] each; classes that neither occur nor are predicted do not count.

    For looking at every iteration; what is reported is scikit-learn's.
    """
    repeats, count = predicted_Rn.shape
    cell = (torch.arange(repeats, device=predicted_Rn.device)[:, None] * classes + truth_n) * classes
    cells = torch.bincount((cell + predicted_Rn).reshape(-1), minlength=repeats * classes**2)
    confusion_RCC = cells.view(repeats, classes, classes)
    right_RC = confusion_RCC.diagonal(dim1=1, dim2=2).float()
    total_RC = (confusion_RCC.sum(1) + confusion_RCC.sum(2)).float()
    f1_RC = torch.where(total_RC > 0, 2 * right_RC / total_RC, 0.0)
    return {
        "micro_f1": right_RC.sum(1) / count,
        "macro_f1": f1_RC.sum(1) / (total_RC > 0).sum(1).clamp(min=1),
    }


def clustered(
    rows_ND: Tensor, labels: NDArray[np.int64], classes: int, seeds: int
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.int64]]:
    """NMI and ARI of k-means with as many clusters as classes against the labels, one value per seed, over the nodes that
    have a label; and the first seed's clusters, [N], -1 for the others. Source: HeCo, whose clusterings take the best of ten
    starts each."""
    known = np.flatnonzero(labels >= 0)
    rows = rows_ND[torch.from_numpy(known).to(rows_ND.device)].cpu().numpy()
    found: dict[str, list[float]] = {"nmi": [], "ari": []}
    clusters = np.full(len(labels), -1, np.int64)
    for seed in range(seeds):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # equal embeddings: NMI and ARI of 0 tell so
            cluster = KMeans(classes, n_init=10, random_state=seed).fit_predict(rows)
        found["nmi"].append(float(normalized_mutual_info_score(labels[known], cluster)))
        found["ari"].append(float(adjusted_rand_score(labels[known], cluster)))
        if seed == 0:
            clusters[known] = cluster
    return {name: np.array(values) for name, values in found.items()}, clusters
