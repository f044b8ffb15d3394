"""A recipe: one complete, validated, serialisable description of a run."""

import shlex
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from core.catalog.base import SystemConfig, parse_config
from core.catalog.systems import CATALOG, system
from core.errors import ConfigError, RunError
from core.files import read_json
from core.protocol import FitOn, Protocol, Selection, parse_protocol

_DOES = {"ranking": "ranks items", "nodes": "classifies nodes"}
DEVICE_PATTERN = r"auto|cpu|cuda|cuda:\d{1,3}"


class Recipe(BaseModel):
    """Data + system + config + protocol + seed.

    `config` holds every setting, resolved; preset and variant say where it came from. `dataset_hash` pins the data's
    content at submission. `auxiliary_noise`: random pairs added to every auxiliary behaviour in training, as a share of
    its own pairs, drawn by `seed` (core/data/noise.py). Raises ConfigError (through `make_recipe`) where parts do not fit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    dataset_hash: str
    system: str
    preset: str
    variant: str | None = None
    config: dict[str, Any]
    protocol: Protocol
    fit_on: FitOn = "train"
    selection: Selection = "valid"
    seed: int = Field(default=0, ge=0, lt=2**31)
    device: str = Field(default="auto", pattern=f"^({DEVICE_PATTERN})$")
    auxiliary_noise: float = Field(default=0.0, ge=0, le=1, allow_inf_nan=False)

    @field_validator("auxiliary_noise")
    @classmethod
    def _six_digits(cls, share: float) -> float:
        """What an address and a command line can carry."""
        return round(share, 6)

    @model_validator(mode="after")
    def _protocol_fits_the_task(self) -> "Recipe":
        if self.system not in CATALOG:
            return self
        entry = CATALOG[self.system]
        if entry.task != self.protocol.task:
            raise ValueError(
                f"{entry.title} {_DOES[entry.task]}, and {self.protocol.name} is for what {_DOES[self.protocol.task]}: "
                f"choose protocol {entry.default_protocol}"
            )
        if entry.task == "nodes" and (self.fit_on != "train" or self.auxiliary_noise):
            raise ValueError(f"{entry.title} trains on a graph: choose fit_on train and no auxiliary noise")
        if entry.task == "nodes" and self.selection == "test_as_published":
            raise ValueError("an epoch is not chosen on the labels of test nodes: choose loss, valid or last")
        if self.selection == "loss" and entry.task != "nodes":
            raise ValueError(
                "the lowest training loss chooses epochs of models that learn without labels: choose valid or last"
            )
        return self

    @model_validator(mode="after")
    def _selection_needs_held_out_data(self) -> "Recipe":
        if self.fit_on == "train+valid" and self.selection == "valid":
            raise ValueError(
                "fit_on train+valid leaves no validation data: choose selection last (or test_as_published)"
            )
        return self

    def system_config(self) -> SystemConfig:
        """The typed config of this recipe's system."""
        return parse_config(system(self.system).config, self.config)

    def changes(self) -> dict[str, tuple[Any, Any]]:
        """Settings that differ from the preset: name -> (preset's value, this recipe's value)."""
        preset = system(self.system).resolve(self.preset).model_dump()
        return {k: (preset.get(k), v) for k, v in self.config.items() if preset.get(k) != v}

    def command(self) -> str:
        """The shell command that repeats this run."""
        parts = ["python", "-m", "core", "train", self.system, self.dataset, "--preset", self.preset]
        parts += ["--variant", self.variant] if self.variant else []
        named = system(self.system).resolve(self.preset, self.variant).model_dump()
        for key, value in self.config.items():
            if named.get(key) != value:
                parts += ["--set", f"{key}={value}"]
        parts += ["--seed", str(self.seed), "--device", self.device, "--protocol", self.protocol.key]
        parts += ["--fit-on", self.fit_on, "--selection", self.selection]
        parts += ["--auxiliary-noise", f"{self.auxiliary_noise!r}"] if self.auxiliary_noise else []
        return shlex.join(parts)


def make_recipe(
    dataset: str,
    dataset_hash: str,
    system_key: str,
    *,
    planted: bool = False,
    preset: str | None = None,
    variant: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    protocol: str | None = None,
    fit_on: FitOn = "train",
    selection: Selection | None = None,
    seed: int = 0,
    device: str = "auto",
    auxiliary_noise: float = 0.0,
) -> Recipe:
    """A recipe with the defaults filled in: preset `small` on planted data, else `paper`; the system's own protocol;
    selection on validation data, or the last epoch where validation pairs are trained on. Raises ConfigError."""
    entry = system(system_key)
    chosen = preset or ("small" if planted else "paper")
    config = entry.resolve(chosen, variant, overrides)
    standard = entry.default_selection if fit_on == "train" and entry.is_trained else "last"
    rule = selection or standard
    try:
        return Recipe(
            dataset=dataset,
            dataset_hash=dataset_hash,
            system=system_key,
            preset=chosen,
            variant=variant,
            config=config.model_dump(),
            protocol=parse_protocol(protocol or entry.default_protocol),
            fit_on=fit_on,
            selection=rule,
            seed=seed,
            device=device,
            auxiliary_noise=auxiliary_noise,
        )
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'recipe'}: {e['msg']}" for e in error.errors()
        )
        raise ConfigError(problems) from error


def parent_recipe(recipe: Recipe) -> Recipe | None:
    """The recipe of the run that `recipe` builds on, or None. Same data, protocol, pairs and seed; the same preset, where the
    parent's system has it. An epoch is never chosen on test pairs for a parent."""
    entry = system(recipe.system)
    parent = entry.parent(recipe.system_config()) if entry.parent else None
    if parent is None:
        return None
    chosen = (
        "valid" if recipe.selection == "test_as_published" and recipe.fit_on == "train" else recipe.selection
    )
    return make_recipe(
        recipe.dataset,
        recipe.dataset_hash,
        parent.system,
        preset=recipe.preset if recipe.preset in system(parent.system).presets else "paper",
        overrides=parent.settings,
        protocol=recipe.protocol.key,
        fit_on=recipe.fit_on,
        selection="last" if chosen == "test_as_published" else chosen,
        seed=recipe.seed,
        device=recipe.device,
        auxiliary_noise=recipe.auxiliary_noise,
    )


def varied(recipe: Recipe, variant: str | None, dropped: Collection[str]) -> Recipe:
    """`recipe` as `variant`, which settles the settings `dropped`, and nothing else changed. Raises ConfigError where its
    preset or the variant has left the catalog."""
    return make_recipe(
        recipe.dataset,
        recipe.dataset_hash,
        recipe.system,
        preset=recipe.preset,
        variant=variant,
        overrides={name: value for name, value in recipe.config.items() if name not in dropped},
        protocol=recipe.protocol.key,
        fit_on=recipe.fit_on,
        selection=recipe.selection,
        seed=recipe.seed,
        device=recipe.device,
        auxiliary_noise=recipe.auxiliary_noise,
    )


def load_recipe(path: Path) -> Recipe:
    """The recipe stored in a run folder. Raises RunError where it is missing or damaged."""
    try:
        recipe = Recipe.model_validate(read_json(path))
    except FileNotFoundError as error:
        raise RunError(
            f"{path.parent.name}: there is no recipe.json; the run folder is incomplete, delete it"
        ) from error
    except (ValueError, OSError) as error:
        raise RunError(
            f"{path}: the recipe cannot be read ({error}); clone the run from another one"
        ) from error
    if recipe.system not in CATALOG:
        raise RunError(f"{path}: system {recipe.system!r} is not in this version's catalog")
    return recipe
