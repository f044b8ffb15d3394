"""The catalog: every system that can be trained, by key. Nothing is found by string import."""

from core.catalog.base import System
from core.catalog.baselines import EASE, POPULARITY, SEEN_BEFORE
from core.catalog.cigf import CIGF
from core.catalog.lightgcn import LIGHTGCN, LIGHTGCN_M
from core.errors import ConfigError

CATALOG: dict[str, System] = {s.key: s for s in (CIGF, LIGHTGCN_M, LIGHTGCN, EASE, SEEN_BEFORE, POPULARITY)}


def system(key: str) -> System:
    """The catalog entry `key`. Raises ConfigError listing the keys that exist."""
    if key not in CATALOG:
        raise ConfigError(f"unknown system {key!r}: expected one of {', '.join(CATALOG)}")
    return CATALOG[key]
