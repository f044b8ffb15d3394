"""A heterogeneous graph in numbers: what a report on an import says, and what a page shows of one."""

from pydantic import BaseModel, ConfigDict

_MOST_CELLS = 20


class GraphSummary(BaseModel):
    """Sizes of one graph. edges: relation, as `paper-written_by-author`, -> edges. classes: name -> labelled nodes.

    settings: labels per class -> part -> nodes. metapaths: name -> pairs of target nodes, self-loops included.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: str
    nodes: dict[str, int]
    edges: dict[str, int]
    classes: dict[str, int]
    unlabelled: int
    settings: dict[str, dict[str, int]]
    metapaths: dict[str, int]


def summary_lines(graph: GraphSummary) -> list[str]:
    """The numbers as an indented table in text."""
    rows = {
        "nodes": [f"{count:,} {kind}" for kind, count in graph.nodes.items()],
        "edges": [f"{count:,} {key}" for key, count in graph.edges.items()],
        "classes": [f"{count:,} in {name}" for name, count in graph.classes.items()]
        + ([f"{graph.unlabelled:,} without a label"] if graph.unlabelled else []),
        "metapaths": [f"{count:,} {name}" for name, count in graph.metapaths.items()],
    }
    rows |= {
        f"{number} labels": [f"{count:,} {part}" for part, count in parts.items()]
        for number, parts in graph.settings.items()
    }
    width = max(map(len, rows))
    return [
        f"  {name:{width}}  {', '.join(cells[:_MOST_CELLS])}{_more(cells)}" for name, cells in rows.items()
    ]


def _more(cells: list[str]) -> str:
    return f" and {len(cells) - _MOST_CELLS:,} more" if len(cells) > _MOST_CELLS else ""
