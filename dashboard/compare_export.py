"""A comparison as a table for a paper or a file: CSV with every number, Markdown and LaTeX as they are read. Pure."""

from collections.abc import Mapping, Sequence

import pandas as pd

from dashboard import words
from dashboard.compare_tables import BEST, PARTS, SECOND
from dashboard.results import metric_title

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "·": r"$\cdot$",
    "–": "--",
}


def csv(
    table: pd.DataFrame,
    titles: Mapping[str, str],
    caption: Mapping[str, str],
    parts: Mapping[str, str] = PARTS,
) -> str:
    """Every number of `table` (columns MEASURED), one per row, with titles of groups and parts and the columns of `caption`."""
    named = table.assign(system=table["group"].map(titles), part=table["part"].map(parts), **caption)
    first = ["system", "metric", "part", *caption]
    return named[[*first, *(c for c in named.columns if c not in first)]].to_csv(index=False)


def markdown(table: pd.DataFrame, titles: Mapping[str, str], caption: str) -> str:
    """A Markdown table: one row per group, one column per metric; best bold, second underlined."""
    metrics = list(dict.fromkeys(table["metric"]))
    lines = [
        "| system | seeds | " + " | ".join(map(metric_title, metrics)) + " |",
        "|---|--:|" + "--:|" * len(metrics),
    ]
    for group, cells in _rows(table):
        texts = [_marked(cells.get(metric), "**{}**", "<u>{}</u>", " ± ") for metric in metrics]
        seeds = max(int(row["seeds"]) for row in cells.values())
        title = titles[group].replace("|", r"\|")
        lines.append(f"| {title} | {seeds} | " + " | ".join(texts) + " |")
    return "\n".join([*lines, "", caption, ""])


def latex(table: pd.DataFrame, titles: Mapping[str, str], caption: str) -> str:
    """A booktabs table: best bold, second underlined, the protocol in the caption."""
    metrics = list(dict.fromkeys(table["metric"]))
    body = []
    for group, cells in _rows(table):
        texts = [
            _marked(cells.get(metric), r"\textbf{{{}}}", r"\underline{{{}}}", r" {\scriptsize $\pm$ ", "}")
            for metric in metrics
        ]
        body.append(f"{escaped(titles[group])} & " + " & ".join(texts) + r" \\")
    header = " & ".join(["", *(escaped(metric_title(metric)) for metric in metrics)]) + r" \\"
    return "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escaped(caption)}}}",
            rf"\begin{{tabular}}{{l{'r' * len(metrics)}}}",
            r"\toprule",
            header,
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def escaped(text: str) -> str:
    """`text` for LaTeX."""
    return "".join(_LATEX.get(sign, sign) for sign in text)


def _rows(table: pd.DataFrame) -> Sequence[tuple[str, dict[str, "pd.Series[float]"]]]:
    return [
        (str(group), {str(row["metric"]): row for _, row in part.iterrows()})
        for group, part in table.groupby("group", sort=False)
    ]


def _marked(
    row: "pd.Series[float] | None", best: str, second: str, plus_minus: str, closing: str = ""
) -> str:
    if row is None:
        return "–"
    mean = words.score(row["mean"])
    mean = (
        best.format(mean) if row["place"] == BEST else second.format(mean) if row["place"] == SECOND else mean
    )
    deviation = row["deviation"]
    return mean if deviation != deviation else f"{mean}{plus_minus}{words.score(deviation)}{closing}"
