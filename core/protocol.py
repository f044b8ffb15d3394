"""Evaluation protocols and selection rules as values: part of every recipe and of every result.

A number without its protocol is noise. Two results compare only when `Protocol.key` and the data agree.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import ConfigError

Selection = Literal["valid", "loss", "last", "test_as_published"]
FitOn = Literal["train", "train+valid"]
Task = Literal["ranking", "nodes"]
# Classifiers per label setting that look at validation nodes during training, whatever `repeats` says of the test.
VALIDATION_REPEATS = 3

SELECTION_TITLES: dict[Selection, str] = {
    "valid": "best epoch on validation data",
    "loss": "lowest training loss",
    "last": "last epoch",
    "test_as_published": "best epoch on TEST data (optimistic, as published)",
}


class Protocol(BaseModel):
    """How a ranking, or an embedding of labelled nodes, is scored.

    `full` ranks every item except the user's training items of the target behaviour. `sampled99` ranks each test item
    among its own 99 items drawn uniformly from those the user never touched under the target behaviour. `mmrec` is the
    rule of the toolkit that most multimodal recommenders are published with (MMRec, Zhou 2023): all items but the user's
    training items, users without a training item left out, training negatives drawn from items seen in training.
    `heco` classifies and clusters nodes by their frozen embeddings (HeCo, Wang et al., KDD 2021): a linear softmax classifier
    per label setting, repeated from other initial weights, and k-means.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["full", "sampled99", "mmrec", "heco"]
    ks: tuple[int, ...] = Field(
        default=(5, 10, 20, 50), description="cut-offs K of the metrics; none where nodes are classified"
    )
    mask_valid: bool = Field(default=True, description="hide validation items when testing (full only)")
    num_negatives: int = Field(
        default=99, ge=1, description="candidates drawn per test item (sampled99 only)"
    )
    candidate_seed: int = Field(
        default=2023, ge=0, description="seed of the drawn candidates (sampled99 only)"
    )
    repeats: int = Field(
        default=50,
        ge=1,
        le=1000,
        description="classifiers per label setting, each from other weights (heco only)",
    )
    probe_lr: float = Field(
        default=0.01, gt=0, le=10, description="learning rate of these classifiers (heco only)"
    )

    @model_validator(mode="after")
    def _cut_offs_are_usable(self) -> "Protocol":
        if self.task == "nodes":
            if self.ks:
                raise ValueError(f"nodes are classified without cut-offs, got ks {self.ks}")
        elif not self.ks or list(self.ks) != sorted(set(self.ks)) or self.ks[0] < 1:
            raise ValueError(f"ks must be distinct positive integers in rising order, got {self.ks}")
        return self

    @property
    def key(self) -> str:
        """A short text that differs whenever two protocols give numbers that do not compare; `parse` reads it back."""
        default = PROTOCOLS[self.name]
        changed = [
            f"{field}={str(getattr(self, field)).lower()}"
            for field in _OPTIONS[self.name]
            if getattr(self, field) != getattr(default, field)
        ]
        return self.name + (":" + ",".join(changed) if changed else "")

    @property
    def task(self) -> Task:
        """What is scored: rankings of items, or embeddings of labelled nodes."""
        return "nodes" if self.name == "heco" else "ranking"

    @property
    def main_metric(self) -> str:
        """The metric that selects epochs and leads tables; of nodes the mean over label settings."""
        if self.task == "nodes":
            return "micro_f1"
        if self.name == "mmrec":
            return "recall@20" if 20 in self.ks else f"recall@{self.ks[-1]}"
        return "ndcg@10" if 10 in self.ks else f"ndcg@{self.ks[0]}"

    @property
    def hides_valid(self) -> bool:
        """True if validation items are no candidates when testing."""
        return self.name == "full" and self.mask_valid

    @property
    def drops_untrained_users(self) -> bool:
        """True if users without a training item of the target are not evaluated."""
        return self.name == "mmrec"

    @property
    def trained_negatives(self) -> bool:
        """True if training draws negative items only among those that somebody reached the target with in training."""
        return self.name == "mmrec"


# Options that each protocol heeds; the others change nothing and so are refused.
_OPTIONS: dict[str, tuple[str, ...]] = {
    "full": ("mask_valid",),
    "sampled99": ("num_negatives", "candidate_seed"),
    "mmrec": (),
    "heco": ("repeats", "probe_lr"),
}

PROTOCOLS: dict[str, Protocol] = {
    "full": Protocol(name="full"),
    "sampled99": Protocol(name="sampled99", ks=(1, 5, 10, 20)),
    "mmrec": Protocol(name="mmrec"),
    "heco": Protocol(name="heco", ks=()),
}


def parse_protocol(text: str) -> Protocol:
    """The protocol written `name` or `name:option=value,...`, e.g. `full:mask_valid=false`. Raises ConfigError."""
    name, _, options = text.partition(":")
    if name not in PROTOCOLS:
        raise ConfigError(f"unknown protocol {name!r}: expected one of {', '.join(PROTOCOLS)}")
    values: dict[str, object] = {}
    for option in filter(None, options.split(",")):
        field, separator, value = option.partition("=")
        if not separator or field not in _OPTIONS[name]:
            known = ", ".join(f"{option}=..." for option in _OPTIONS[name]) or "none"
            raise ConfigError(f"protocol {text!r}: cannot read {option!r}; options of {name}: {known}")
        values[field] = value
    try:
        return Protocol.model_validate({**PROTOCOLS[name].model_dump(), **values})
    except ValidationError as error:
        raise ConfigError(
            f"protocol {text!r}: {error.errors()[0]['msg']}; see `python -m core train --help`"
        ) from error
