"""The noise study: what random auxiliary pairs cost each system, and whether HGIB's defences lower that cost.

Source: HGIB (RecSys 2025), Sections 4.3 and 4.4: edge refinement and compression are said to keep noise out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.catalog.systems import system
from core.data.info import DatasetInfo
from core.errors import ConfigError
from core.protocol import FitOn, Selection
from core.recipe import Recipe, make_recipe

SHARES = (0.0, 0.1, 0.2, 0.4)
SEEDS = (0, 1, 2)
PROTOCOL = "full"


@dataclass(frozen=True)
class Contestant:
    """One line of the study. missing: the part that it lacks of HGIB, in a word; empty for what is no ablation."""

    key: str
    title: str
    system: str
    variant: str | None = None
    missing: str = ""


WHOLE = Contestant("hgib", "HGIB", "hgib")
CONTESTANTS = (
    WHOLE,
    Contestant(
        "without_gre", "HGIB without edge refinement", "hgib", "without_gre", missing="edge refinement"
    ),
    Contestant("without_comp", "HGIB without compression", "hgib", "without_comp", missing="compression"),
    Contestant("lightgcn_m", "LightGCN_M", "lightgcn_m"),
)


def noise_study(
    info: DatasetInfo,
    *,
    shares: Sequence[float] = SHARES,
    seeds: Sequence[int] = SEEDS,
    preset: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    protocol: str | None = None,
    fit_on: FitOn = "train",
    selection: Selection | None = None,
    device: str = "auto",
) -> tuple[Recipe, ...]:
    """One recipe per seed, share and contestant, in this order: after the first seed every question has an answer.

    preset: `small` on planted data, else `paper`; a system without it takes `paper`. overrides: settings, for every
    contestant whose system has them, but never for what a variant is about. protocol: the same for all, `full` by default.
    Raises ConfigError for shares or seeds that make no study, settings that no system has, or data without auxiliary
    behaviours.
    """
    if len(info.behaviors) < 2:
        raise ConfigError(
            f"data set {info.name!r} has no auxiliary behaviour that noise could be added to; pick data with several"
        )
    return planned(
        info.name,
        info.content_hash,
        shares=shares,
        seeds=seeds,
        preset=preset or ("small" if info.planted else "paper"),
        overrides=overrides,
        protocol=protocol,
        fit_on=fit_on,
        selection=selection,
        device=device,
    )


def planned(
    dataset: str,
    dataset_hash: str,
    *,
    preset: str,
    shares: Sequence[float] = SHARES,
    seeds: Sequence[int] = SEEDS,
    overrides: Mapping[str, Any] | None = None,
    protocol: str | None = None,
    fit_on: FitOn = "train",
    selection: Selection | None = None,
    device: str = "auto",
) -> tuple[Recipe, ...]:
    """`noise_study` for data that need not be there any more. Raises ConfigError."""
    _check(shares, seeds)
    asked = dict(overrides or {})
    _check_settings(asked)
    return tuple(
        make_recipe(
            dataset,
            dataset_hash,
            one.system,
            preset=_preset(one, preset),
            variant=one.variant,
            overrides=_overrides(one, asked),
            protocol=protocol or PROTOCOL,
            fit_on=fit_on,
            selection=selection,
            seed=seed,
            device=device,
            auxiliary_noise=share,
        )
        for seed in seeds
        for share in shares
        for one in CONTESTANTS
    )


def contestant(recipe: Recipe) -> Contestant:
    """Which line of the study `recipe`, one of its own, belongs to."""
    return next(one for one in CONTESTANTS if (one.system, one.variant) == (recipe.system, recipe.variant))


def in_words(recipe: Recipe) -> str:
    """`HGIB without compression, 20 % noise, seed 1`."""
    return f"{contestant(recipe).title}, {percent(recipe.auxiliary_noise)} noise, seed {recipe.seed}"


def percent(share: float) -> str:
    """A share of random pairs: `20 %`."""
    return f"{100 * share:.4g} %"


def _check(shares: Sequence[float], seeds: Sequence[int]) -> None:
    if 0 not in shares:
        raise ConfigError("every share of noise is compared with none: add 0 to the shares")
    if len(set(shares)) < 2:
        raise ConfigError("a study needs a share of noise beside 0, such as 0.2")
    for name, values in (("share", shares), ("seed", seeds)):
        repeated = next((value for value in values if list(values).count(value) > 1), None)
        if repeated is not None:
            raise ConfigError(f"{name} {repeated} is given twice; write each {name} once")


def _preset(one: Contestant, preset: str) -> str:
    """`preset`, or `paper` where another system than HGIB has no preset of that data, such as paper-jdata."""
    return preset if preset in system(one.system).presets or one.system == WHOLE.system else "paper"


def _overrides(one: Contestant, asked: Mapping[str, Any]) -> dict[str, Any]:
    entry = system(one.system)
    own = entry.variants[one.variant].patch if one.variant else {}
    return {
        name: value for name, value in asked.items() if name in entry.config.model_fields and name not in own
    }


def _check_settings(asked: Mapping[str, Any]) -> None:
    fields = [system(key).config.model_fields for key in dict.fromkeys(one.system for one in CONTESTANTS)]
    unknown = [name for name in asked if not any(name in known for known in fields)]
    if unknown:
        shared = ", ".join(name for name in fields[0] if all(name in known for known in fields))
        raise ConfigError(f"no system of the study has a setting {unknown[0]!r}; all of them have: {shared}")
