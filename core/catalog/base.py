"""What a catalog entry is: a system's config, presets and variants, readable without torch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import ConfigError
from core.protocol import Selection, Task

Patch = Mapping[str, Any]
Family = Literal["multi-behaviour", "multimodal", "single behaviour", "counting", "heterogeneous"]


def setting(default: Any, text: str, *, unit: str = "", group: str = "Model", **bounds: Any) -> Any:
    """A config field with the help text, unit and form group that the browser shows beside it."""
    return Field(
        default=default, description=text, json_schema_extra={"unit": unit, "group": group}, **bounds
    )


class SystemConfig(BaseModel):
    """Settings of a system. Frozen; unknown keys and values out of range are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TrainingConfig(SystemConfig):
    """Settings every system trained by gradient shares; the trainer applies them."""

    epochs: int = setting(
        100, "passes of the training schedule", unit="epochs", group="Training", ge=1, le=100_000
    )
    learning_rate: float = setting(1e-3, "step size of Adam", group="Training", gt=0, le=10)
    lr_decay: float = setting(
        1.0, "factor on the learning rate at every stair; 1 keeps it constant", group="Training", gt=0, le=1
    )
    lr_decay_steps: int = setting(1000, "training steps per stair", unit="steps", group="Training", ge=1)
    lr_decay_epochs: int = setting(
        0,
        "epochs over which the learning rate falls evenly by its factor, instead of in stairs; 0: stairs",
        unit="epochs",
        group="Training",
        ge=0,
    )
    validate_every: int = setting(5, "epochs between two validations", unit="epochs", group="Training", ge=1)
    patience: int = setting(
        0,
        "validations without a better main metric before training stops, whatever the selection; 0 never stops early",
        group="Training",
        ge=0,
    )
    snapshot_every: int = setting(
        10,
        "epochs between two snapshots of what the model learned; 0 keeps only the end",
        unit="epochs",
        group="Training",
        ge=0,
    )

    def learning_rate_at(self, step: int, epoch: int) -> float:
        """The learning rate after so many completed steps and epochs."""
        stairs = epoch / self.lr_decay_epochs if self.lr_decay_epochs else step // self.lr_decay_steps
        return self.learning_rate * float(self.lr_decay**stairs)


@dataclass(frozen=True)
class Variant:
    """A named change of the config, such as an ablation of the paper. `source` says where it is reported."""

    title: str
    patch: Patch
    source: str = ""


@dataclass(frozen=True)
class Parent:
    """The run that a system builds on: a system's key, and what is set differently from its preset."""

    system: str
    settings: Patch


@dataclass(frozen=True)
class System:
    """Something that can be trained.

    presets: name -> patch of the config's defaults; every system has `paper` and `small`.
    variants: name -> Variant, applied on top of a preset. search: setting -> the values that the paper tries, a grid.
    default_protocol: a name of core.protocol.PROTOCOLS.
    default_selection: the rule that chooses the epoch unless another is asked for; closed forms have none.
    needs_auxiliary: refuses data with the target behaviour alone. needs_features: refuses data without item features.
    parent: from a config to the run whose item embeddings it builds on, or None for a config that needs none.
    is_multi_task: learns to predict every behaviour and
    states the conflict between these tasks' gradients; the others learn the target alone.
    """

    key: str
    title: str
    paper: str
    summary: str
    family: Family
    config: type[SystemConfig]
    presets: Mapping[str, Patch]
    variants: Mapping[str, Variant] = field(default_factory=dict)
    search: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    default_protocol: str = "full"
    default_selection: Selection = "valid"
    needs_auxiliary: bool = False
    needs_features: bool = False
    parent: Callable[[Any], Parent | None] | None = None
    is_multi_task: bool = False

    @property
    def is_trained(self) -> bool:
        """False for closed-form systems, which are fitted once and have no epochs."""
        return issubclass(self.config, TrainingConfig)

    @property
    def task(self) -> Task:
        """What it learns: to rank items, or to embed labelled nodes."""
        return "nodes" if self.family == "heterogeneous" else "ranking"

    def lacks(self, behaviors: Sequence[str], modalities: Sequence[str], is_hetero: bool = False) -> str:
        """What data with these behaviours and modalities, with or without typed nodes, does not have and this system needs;
        empty if it can train on it."""
        if self.task == "nodes":
            return "" if is_hetero else "typed nodes with labels and metapaths"
        if not behaviors:
            return "interactions of users with items"
        if self.needs_auxiliary and len(behaviors) < 2:
            return "an auxiliary behaviour"
        if self.needs_features and not modalities:
            return "item features (of images, texts, ...)"
        return ""

    def resolve(
        self, preset: str, variant: str | None = None, overrides: Patch | None = None
    ) -> SystemConfig:
        """Config of `preset`, patched by `variant`, then by `overrides`. Raises ConfigError naming what does not fit."""
        if preset not in self.presets:
            raise ConfigError(
                f"{self.key} has no preset {preset!r}: expected one of {', '.join(self.presets)}"
            )
        if variant is not None and variant not in self.variants:
            known = ", ".join(self.variants) or "none; this system has no variants"
            raise ConfigError(f"{self.key} has no variant {variant!r}: expected one of {known}")
        patch = dict(self.presets[preset])
        patch |= self.variants[variant].patch if variant else {}
        patch |= overrides or {}
        return parse_config(self.config, patch)


def parse_config(kind: type[SystemConfig], values: Mapping[str, Any]) -> SystemConfig:
    """`values` as a config of type `kind`. Raises ConfigError with every problem and the settings that exist."""
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        problems = "; ".join(_problem(e) for e in error.errors())
        raise ConfigError(f"{problems}. Settings: {', '.join(kind.model_fields)}") from error


def _problem(error: Any) -> str:
    """One problem in words; the whole config is not repeated where several settings do not fit together."""
    if not error["loc"]:
        return str(error["msg"]).removeprefix("Value error, ")
    return f"{'.'.join(map(str, error['loc']))}: {error['msg']} (got {error['input']!r})"
