"""Training in steps over the whole graph, one per epoch, each repeatable bit for bit from its seed."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from core.models.base import Trainable


@dataclass(frozen=True)
class GraphStep:
    """One step over the whole graph; everything random in it follows from the seed `noise`."""

    noise: int

    def generator(self, device: torch.device) -> torch.Generator:
        """Gives the step's noise from its beginning."""
        return torch.Generator(device).manual_seed(self.noise)


class WholeGraph(Trainable[GraphStep]):
    """Mixed into models that see the whole graph in every step."""

    def batches(self, generator: torch.Generator) -> Iterator[GraphStep]:
        noise = torch.randint(2**62, (), generator=generator, device=generator.device)
        yield GraphStep(int(noise))
