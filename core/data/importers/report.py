"""What an import holds after repair: counts per behaviour and split or of a graph, the rule of the split, and notes."""

from dataclasses import dataclass

from core.data.graph_summary import GraphSummary, summary_lines
from core.data.importers.graphs import summarised
from core.data.info import SPLITS
from core.data.writing import DatasetContent


@dataclass(frozen=True)
class ImportReport:
    """Sizes and repairs of one source. behaviors: funnel order, target last; pairs: behaviour -> split -> rows.

    graph: where the source is a heterogeneous graph.
    """

    layout: str
    users: int
    items: int
    behaviors: tuple[str, ...]
    pairs: dict[str, dict[str, int]]
    split_rule: str
    notes: tuple[str, ...]
    graph: GraphSummary | None = None

    def lines(self) -> list[str]:
        """The report as text, a table of rows per behaviour and split in its middle."""
        width = max((len(name) for name in self.behaviors), default=0)
        how = f"layout {self.layout}; split: {self.split_rule}"
        told = [f"{self.users:,} users, {self.items:,} items; {how}"]
        if self.graph is not None:
            nodes = f"{sum(self.graph.nodes.values()):,} nodes of {len(self.graph.nodes)} types"
            told = [f"{nodes}, target type {self.graph.target}; {how}", *summary_lines(self.graph)]
        for name in self.behaviors:
            counts = "".join(f"{count:>14,} {part}" for part, count in self.pairs[name].items())
            told.append(f"  {name:{width}}{counts}")
        return [*told, *(f"  - {note}" for note in self.notes)]


def report_of(layout: str, content: DatasetContent) -> ImportReport:
    """The report on a content that is ready to be written."""
    rows = content.interactions
    counts = rows.groupby(["behavior", "split"], observed=True).size()
    pairs: dict[str, dict[str, int]] = {
        behavior: {
            str(part): int(counts[behavior, part]) for part in SPLITS if (behavior, part) in counts.index
        }
        for behavior in content.behaviors
    }
    told = content.provenance
    return ImportReport(
        layout,
        len(content.users),
        len(content.items),
        content.behaviors,
        pairs,
        told.split_rule,
        told.notes,
        summarised(content.hetero) if content.hetero is not None else None,
    )
