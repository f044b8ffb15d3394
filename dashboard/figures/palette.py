"""Which colour stands for which behaviour, modality and run: the same on every page, safe for colour-blind readers.

The eight colours are Okabe and Ito's (2008). Colour is never the only sign: behaviours also keep one line dash and
one marker.
"""

from collections.abc import Sequence

ORANGE, SKY, GREEN, YELLOW = "#E69F00", "#56B4E9", "#009E73", "#F0E442"
BLUE, VERMILLION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#8C8C8C"

BEHAVIORS = {
    "view": SKY,
    "favorite": PURPLE,
    "favourite": PURPLE,
    "fav": PURPLE,
    "cart": ORANGE,
    "buy": GREEN,
    "interaction": BLUE,
}
MODALITIES = {"text": GREEN, "image": PURPLE, "visual": PURPLE, "audio": ORANGE}
SERIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, GREY, YELLOW)
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
MARKERS = ("circle", "square", "diamond", "triangle-up", "x", "cross", "star", "hexagon")
_UNKNOWN_BEHAVIOR = (VERMILLION, BLUE, YELLOW, GREY)

SEQUENTIAL = "Viridis"
_NEGATIVE, _POSITIVE = ("#7F3B08", "#C8700A", "#F2B25C"), ("#7FBADB", "#2C7FB8", "#08426E")


def behavior_color(behavior: str) -> str:
    """The colour of a behaviour; names outside the table get one that depends on the name alone."""
    return BEHAVIORS.get(behavior, _UNKNOWN_BEHAVIOR[sum(behavior.encode()) % len(_UNKNOWN_BEHAVIOR)])


def behavior_position(behavior: str) -> int:
    """Index into DASHES and MARKERS, fixed per behaviour like its colour."""
    known = ("buy", "view", "cart", "favorite", "favourite", "fav")
    place = known.index(behavior) if behavior in known else sum(behavior.encode())
    return min(place, 3) if behavior in known else place % len(DASHES)


def modality_look(modality: str, place: int) -> tuple[str, str, str]:
    """Colour, dash and marker of a modality, the `place`-th of a run: the colour depends on the name alone."""
    colour = MODALITIES.get(modality, _UNKNOWN_BEHAVIOR[sum(modality.encode()) % len(_UNKNOWN_BEHAVIOR)])
    return colour, DASHES[place % len(DASHES)], MARKERS[place % len(MARKERS)]


def side_look(side: str) -> tuple[str, str, str]:
    """Colour, dash and marker of users and of items."""
    return (BLUE, "solid", "circle") if side == "user" else (VERMILLION, "dash", "square")


def run_colors(run_ids: Sequence[str]) -> dict[str, str]:
    """One colour per run of a comparison, in the order they were picked."""
    return {run_id: SERIES[place % len(SERIES)] for place, run_id in enumerate(run_ids)}


def diverging(dark: bool) -> list[tuple[float, str]]:
    """Orange (negative) to blue (positive) through the page's own surface, so that zero recedes."""
    centre = "#2A323C" if dark else "#F4F4F2"
    colours = (*_NEGATIVE, centre, *_POSITIVE)
    if dark:
        colours = ("#C8781F", "#9A5410", "#5E3711", centre, "#1D4F75", "#2470A6", "#3489C4")
    return [(place / 6, colour) for place, colour in enumerate(colours)]


def ink(share: float, dark: bool) -> str:
    """The text colour that reads on `diverging(dark)` at `share` of its reach."""
    return "#FFFFFF" if dark or abs(share) > 0.5 else "#1D2530"
