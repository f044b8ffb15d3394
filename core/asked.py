"""From what was typed after `train` or `submit` to a recipe."""

import argparse
from typing import Any

from core.arguments import Arguments
from core.catalog.systems import CATALOG, system
from core.errors import ConfigError
from core.home import Home
from core.recipe import Recipe, make_recipe


def is_described(args: Arguments, parser: argparse.ArgumentParser) -> bool:
    """True if any argument of `train`, which `parser` knows, describes a recipe."""
    plain = parser.parse_args(["train"])
    return any(
        getattr(args, name) != value
        for name, value in vars(plain).items()
        if name not in ("home", "resume", "act")
    )


def recipe_of(home: Home, args: Arguments) -> Recipe:
    """The recipe that was typed. Raises ConfigError where parts do not fit, DataError where the data set does not."""
    from core.data.dataset import open_dataset
    from core.data.fitting import refuse_unfit

    if not (args.system and args.dataset):
        raise ConfigError(
            f"expected a system and a data set; systems: {', '.join(CATALOG)}; `python -m core datasets` lists data"
        )
    info = open_dataset(home, args.dataset).info
    refuse_unfit(info, system(args.system))
    if args.auxiliary_noise:
        from core.data.noise import check_auxiliary  # loads scipy

        check_auxiliary(info.name, info.behaviors)
    return make_recipe(
        info.name,
        info.content_hash,
        args.system,
        planted=info.planted,
        preset=args.preset,
        variant=args.variant,
        overrides=overrides_of(args),
        protocol=args.protocol,
        fit_on=args.fit_on,
        selection=args.selection,
        seed=args.seed,
        device=args.device,
        auxiliary_noise=args.auxiliary_noise,
    )


def overrides_of(args: Arguments) -> dict[str, Any]:
    """The settings that were typed. Raises ConfigError for a word without `=`."""
    stray = [text for text in args.set if "=" not in text]
    if stray:
        raise ConfigError(f"cannot read --set {stray[0]}: it takes key=value, e.g. --set num_layers=3")
    overrides: dict[str, Any] = dict(text.split("=", 1) for text in args.set)
    return overrides if args.epochs is None else overrides | {"epochs": args.epochs}
