"""The catalog: every system that can be trained, by key. Nothing is found by string import."""

from core.catalog.base import System
from core.catalog.baselines import CASCADING_RANK, EASE, ITEM_KNN, POPULARITY, SEEN_BEFORE
from core.catalog.cigf import CIGF
from core.catalog.crgcn import CRGCN
from core.catalog.egra import EGRA
from core.catalog.freedom import FREEDOM
from core.catalog.han import HAN
from core.catalog.heco import HECO
from core.catalog.hgcvae import HGCVAE
from core.catalog.hgib import HGIB
from core.catalog.hgmae import HGMAE
from core.catalog.hypergraph import LGMREC, SRGFORMER
from core.catalog.lightgcn import LIGHTGCN, LIGHTGCN_M
from core.catalog.mbgcn import MBGCN
from core.catalog.mbgmn import MBGMN
from core.catalog.mf import MF
from core.catalog.mgcn import MGCN
from core.catalog.mule import MULE
from core.catalog.ngcf import NGCF, NGCF_M
from core.catalog.node_baselines import METAPATH_MEAN, NODE_FEATURES
from core.catalog.vbpr import VBPR
from core.catalog.vgae import VGAE
from core.errors import ConfigError

_SYSTEMS = (
    CIGF,
    HGIB,
    MULE,
    CRGCN,
    MBGMN,
    MBGCN,
    LIGHTGCN_M,
    NGCF_M,
    CASCADING_RANK,
    EGRA,
    SRGFORMER,
    MGCN,
    FREEDOM,
    LGMREC,
    VBPR,
    HGCVAE,
    HGMAE,
    HECO,
    HAN,
    VGAE,
    METAPATH_MEAN,
    NODE_FEATURES,
    LIGHTGCN,
    NGCF,
    MF,
    EASE,
    ITEM_KNN,
    SEEN_BEFORE,
    POPULARITY,
)
CATALOG: dict[str, System] = {s.key: s for s in _SYSTEMS}


def system(key: str) -> System:
    """The catalog entry `key`. Raises ConfigError listing the keys that exist."""
    if key not in CATALOG:
        raise ConfigError(f"unknown system {key!r}: expected one of {', '.join(CATALOG)}")
    return CATALOG[key]
