"""The planted items: categories, latent vectors, popularity, the tail, titles and feature modalities.

Shapes: I items, C = 12 categories, Z = 8 latent dims.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NUM_CATEGORIES = 12
NUM_LABELS = 4
LATENT = 8
CATEGORY_ZIPF = 0.8
POPULARITY_ZIPF = 0.9
TAIL_SHARE = 1 / 3
TAIL_FACTOR = 0.02
CENTRE_SCALE = 1.2
WITHIN_SCALE = 0.8
MISLEADING_SHARE = 0.1
TEXT_DIMS, IMAGE_DIMS, AUDIO_DIMS = 64, 64, 32
TEXT_NOISE, IMAGE_NOISE, AUDIO_NOISE = 0.5, 1.0, 0.7
NEAREST_TAIL = 4
# features and latent vectors are rounded to this grid, so that last-bit differences between platforms vanish
_GRID = 1024.0

CATEGORIES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("outdoor", ("Trail", "Summit", "Camp"), ("lamp", "stove", "tarp", "rope")),
    ("kitchen", ("Copper", "Oak", "Chef"), ("pan", "board", "knife", "bowl")),
    ("audio", ("Studio", "Echo", "Bass"), ("speaker", "headset", "mixer", "cable")),
    ("garden", ("Meadow", "Rose", "Cedar"), ("rake", "planter", "hose", "shears")),
    ("office", ("Desk", "Quill", "Paper"), ("tray", "stapler", "folder", "pen")),
    ("fitness", ("Sprint", "Core", "Flex"), ("mat", "band", "weight", "roller")),
    ("toys", ("Puzzle", "Robot", "Castle"), ("set", "blocks", "kit", "game")),
    ("pets", ("Paw", "Feather", "Fin"), ("bed", "leash", "feeder", "toy")),
    ("travel", ("Harbour", "Cabin", "Transit"), ("bag", "pillow", "lock", "case")),
    ("lighting", ("Glow", "Amber", "Dusk"), ("bulb", "strip", "shade", "candle")),
    ("crafts", ("Linen", "Clay", "Ink"), ("yarn", "brush", "stamp", "frame")),
    ("tools", ("Steel", "Torque", "Forge"), ("wrench", "drill", "clamp", "level")),
)


@dataclass(frozen=True, eq=False)
class Items:
    """All items. weight_I is the popularity weight, tail items included at a fraction of theirs.

    nearest_tail: [I, NEAREST_TAIL] the tail items closest to each item in latent space, itself excluded.
    """

    category: NDArray[np.int64]
    label: NDArray[np.int64]
    latent: NDArray[np.float64]
    centres: NDArray[np.float64]
    weight: NDArray[np.float64]
    is_tail: NDArray[np.bool_]
    is_misleading: NDArray[np.bool_]
    nearest_tail: NDArray[np.int64]
    titles: list[str]
    features: dict[str, NDArray[np.float32]]

    @property
    def category_names(self) -> list[str]:
        return [CATEGORIES[category][0] for category in self.category]


def draw_items(rng: np.random.Generator, num_items: int, *, audio: bool) -> Items:
    """Items with category sizes by Zipf; labels interleave the categories from large to small (category mod 4)."""
    category = rng.permutation(np.repeat(np.arange(NUM_CATEGORIES), category_sizes(num_items)))
    centres = CENTRE_SCALE * rng.standard_normal((NUM_CATEGORIES, LATENT))
    latent = rounded(centres[category] + WITHIN_SCALE * rng.standard_normal((num_items, LATENT)))
    rank = rng.permutation(num_items)
    is_tail = rank >= num_items - round(TAIL_SHARE * num_items)
    weight = 1.0 / (1.0 + rank) ** POPULARITY_ZIPF
    is_misleading = np.zeros(num_items, dtype=np.bool_)
    is_misleading[rng.permutation(num_items)[: round(MISLEADING_SHARE * num_items)]] = True
    shown = np.where(is_misleading[:, None], latent[rng.permutation(num_items)], latent)
    features = {
        "text": _seen(rng, latent, TEXT_DIMS, TEXT_NOISE),
        "image": _seen(rng, shown, IMAGE_DIMS, IMAGE_NOISE),
    }
    if audio:
        features["audio"] = _seen(rng, latent, AUDIO_DIMS, AUDIO_NOISE)
    return Items(
        category=category,
        label=category % NUM_LABELS,
        latent=latent,
        centres=centres,
        weight=np.where(is_tail, TAIL_FACTOR * weight, weight),
        is_tail=is_tail,
        is_misleading=is_misleading,
        nearest_tail=_nearest_tail(latent, is_tail),
        titles=_titles(category),
        features=features,
    )


def category_sizes(num_items: int) -> NDArray[np.int64]:
    """Items per category, largest first: Zipf shares rounded so that they add up."""
    share = 1.0 / np.arange(1, NUM_CATEGORIES + 1) ** CATEGORY_ZIPF
    exact = num_items * share / share.sum()
    sizes: NDArray[np.int64] = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - sizes), kind="stable")
    sizes[order[: num_items - sizes.sum()]] += 1
    return sizes


def rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """`values` on a grid of 1/1024, exact in float32 up to 2^13."""
    snapped: NDArray[np.float64] = np.round(values * _GRID) / _GRID
    return snapped


def _seen(
    rng: np.random.Generator, latent: NDArray[np.float64], dims: int, noise: float
) -> NDArray[np.float32]:
    """A noisy linear image of the latent vectors, [I, dims]."""
    image = rng.standard_normal((LATENT, dims)) / np.sqrt(LATENT)
    seen = latent @ image + noise * rng.standard_normal((len(latent), dims))
    return rounded(seen).astype(np.float32)


def _nearest_tail(latent: NDArray[np.float64], is_tail: NDArray[np.bool_]) -> NDArray[np.int64]:
    tail = np.flatnonzero(is_tail)
    nearest = np.empty((len(latent), NEAREST_TAIL), dtype=np.int64)
    for first in range(0, len(latent), 1_000):
        rows = np.arange(first, min(first + 1_000, len(latent)))
        square = (latent[tail] ** 2).sum(axis=1) - 2.0 * latent[rows] @ latent[tail].T
        square[rows[:, None] == tail] = np.inf
        # on the latent grid squared distances are multiples of 2^-20: rounding makes ties exact on every platform
        ranked = np.argsort(np.round(square * _GRID**2), axis=1, kind="stable")
        nearest[rows] = tail[ranked[:, :NEAREST_TAIL]]
    return nearest


def _titles(category: NDArray[np.int64]) -> list[str]:
    """Readable titles, numbered within adjective and noun: "Trail lamp 07"."""
    used: dict[str, int] = {}
    seen = np.zeros(NUM_CATEGORIES, dtype=np.int64)
    titles = []
    for kind in category.tolist():
        _, adjectives, nouns = CATEGORIES[kind]
        position = int(seen[kind])
        seen[kind] += 1
        stem = f"{adjectives[position % len(adjectives)]} {nouns[position // len(adjectives) % len(nouns)]}"
        used[stem] = used.get(stem, 0) + 1
        titles.append(f"{stem} {used[stem]:02d}")
    return titles
