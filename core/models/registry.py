"""From catalog keys to model classes. Nothing is found by string import."""

from collections.abc import Callable
from typing import Any

import torch

from core.catalog.base import SystemConfig
from core.catalog.systems import system
from core.data.nodes import NodeData
from core.data.ranking import RankingData
from core.errors import ConfigError, DataError
from core.models.base import Ranker
from core.models.cascading_rank import CascadingRank
from core.models.cigf import CIGF
from core.models.counting import Popularity, SeenBefore
from core.models.crgcn import CRGCN
from core.models.ease import EASE
from core.models.egra import EGRA
from core.models.freedom import FREEDOM
from core.models.han import HAN
from core.models.heco import HeCo
from core.models.hgcvae import HGCVAE
from core.models.hgib import HGIB
from core.models.hgmae import HGMAE
from core.models.itemknn import ItemKNN
from core.models.lgmrec import LGMRec
from core.models.lightgcn import LightGCN
from core.models.mbgcn import MBGCN
from core.models.mbgmn import MBGMN
from core.models.metapath_mean import MetapathMean
from core.models.mf import MF
from core.models.mgcn import MGCN
from core.models.mule import MuLe
from core.models.ngcf import NGCF
from core.models.node_features import NodeFeatures
from core.models.nodes import NodeModel
from core.models.srgformer import SRGFormer
from core.models.vbpr import VBPR
from core.models.vgae import VGAE

MODELS: dict[str, Callable[[Any, RankingData, torch.device], Ranker]] = {
    "cigf": CIGF,
    "hgib": HGIB,
    "mule": MuLe,
    "crgcn": CRGCN,
    "mbgmn": MBGMN,
    "mbgcn": MBGCN,
    "lightgcn_m": LightGCN,
    "ngcf_m": NGCF,
    "cascading_rank": CascadingRank,
    "egra": EGRA,
    "srgformer": SRGFormer,
    "mgcn": MGCN,
    "freedom": FREEDOM,
    "lgmrec": LGMRec,
    "vbpr": VBPR,
    "lightgcn": LightGCN,
    "ngcf": NGCF,
    "mf": MF,
    "ease": EASE,
    "itemknn": ItemKNN,
    "seen_before": SeenBefore,
    "popularity": Popularity,
}

NODE_MODELS: dict[str, Callable[[Any, NodeData, torch.device], NodeModel]] = {
    "hgcvae": HGCVAE,
    "hgmae": HGMAE,
    "heco": HeCo,
    "han": HAN,
    "vgae": VGAE,
    "metapath_mean": MetapathMean,
    "node_features": NodeFeatures,
}


def build(key: str, config: SystemConfig, data: RankingData, device: torch.device) -> Ranker:
    """The untrained model of a catalog key. Raises DataError if it needs behaviours or features that `data` lacks."""
    entry = system(key)
    if not isinstance(config, entry.config):
        raise ConfigError(f"{key} takes a {entry.config.__name__}, got a {type(config).__name__}")
    if missing := entry.lacks(data.behaviors, tuple(data.features)):
        raise DataError(
            f"{entry.title} needs {missing}, and {data.name} has none (behaviours: {', '.join(data.behaviors)}; features: "
            f"{', '.join(data.features) or 'none'}); use LightGCN, EASE or Popularity, or import data that has it"
        )
    return MODELS[key](config, data, device)


def build_nodes(key: str, config: SystemConfig, data: NodeData, device: torch.device) -> NodeModel:
    """The untrained model of a catalog key that embeds nodes."""
    entry = system(key)
    if not isinstance(config, entry.config):
        raise ConfigError(f"{key} takes a {entry.config.__name__}, got a {type(config).__name__}")
    return NODE_MODELS[key](config, data, device)
