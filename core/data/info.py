"""`dataset.json` as a value: what a stored data set is, where it came from and what was repaired."""

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.errors import DataError

Kind = Literal["multi_behavior", "multimodal", "hetero"]
Split = Literal["train", "valid", "test"]
SPLITS: tuple[Split, ...] = ("train", "valid", "test")

LONGEST_LABEL = 60
MAX_BEHAVIORS = 50
_LABEL = re.compile(rf"[a-z0-9_]{{1,{LONGEST_LABEL}}}")


class DatasetInfo(BaseModel):
    """The description stored beside a data set's files.

    `content_hash` covers what a model can see (never the name, the notes or `truth/`), so two data sets with one
    hash train identically.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: tuple[Kind, ...] = Field(min_length=1)
    source: str = Field(description="folder, file or generator the content came from")
    behaviors: tuple[str, ...] = Field(
        default=(), description="funnel order, target last; empty without interactions"
    )
    target: str | None = Field(
        default=None, description="the behaviour to recommend; the last of `behaviors`"
    )
    modalities: tuple[str, ...] = ()
    num_users: int = Field(ge=0)
    num_items: int = Field(ge=0)
    nodes: dict[str, int] = Field(default={}, description="nodes per type of the heterogeneous view")
    target_type: str | None = Field(default=None, description="the node type whose classes are learned")
    content_hash: str = Field(pattern="^[0-9a-f]{64}$")
    importer: str
    importer_version: int = Field(ge=1)
    split_rule: str
    notes: tuple[str, ...] = Field(default=(), description="what was repaired or removed, with counts")
    planted: bool = Field(default=False, description="generated, with its truth kept in truth/")
    created: str = Field(description="ISO 8601, UTC")

    @model_validator(mode="after")
    def _target_closes_the_funnel(self) -> "DatasetInfo":
        if self.target != (self.behaviors[-1] if self.behaviors else None):
            raise ValueError(
                f"target {self.target!r} is not the last of the behaviors {list(self.behaviors)}"
            )
        return self


def checked_label(label: str, what: str) -> str:
    """`label` unchanged if it can name a type, relation, behaviour or modality. Raises DataError otherwise."""
    if not _LABEL.fullmatch(label):
        raise DataError(
            f"{what} {label[:80]!r} is not allowed: expected 1 to {LONGEST_LABEL} lower-case letters, digits and '_'; "
            "rename it"
        )
    return label
