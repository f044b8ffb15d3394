"""Modules and parameters by names that come from data: torch's own containers refuse names like `type` or `items`."""

from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from typing import Generic, TypeVar

from torch import nn

Part = TypeVar("Part", bound=nn.Module | nn.Parameter)


class ByName(nn.Module, Generic[Part]):
    """Modules, or parameters, in the order given; in checkpoints `image` is called `of_image`."""

    def __init__(self, parts: Mapping[str, Part]) -> None:
        super().__init__()
        self.names = tuple(parts)
        for name, part in parts.items():
            setattr(self, f"of_{name}", part)

    def __getitem__(self, name: str) -> Part:
        part: Part = getattr(self, f"of_{name}")
        return part

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def values(self) -> ValuesView[Part]:
        """The parts."""
        return {name: self[name] for name in self.names}.values()

    def items(self) -> ItemsView[str, Part]:
        """Names and parts."""
        return {name: self[name] for name in self.names}.items()
