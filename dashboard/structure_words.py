"""What a run's hyperedges, attention and branches say in a sentence each. Pure, Markdown."""

from collections.abc import Mapping, Sequence

import pandas as pd

from dashboard import branches, histories, hyperedges, states, words
from dashboard.agreement import AGREE, IN_PART, NOT, Agreement
from dashboard.histories import Preference
from dashboard.information import extreme
from dashboard.relations import GROUP_TITLES

# Membership of this size in one hyperedge is told as belonging to it alone.
_CLEAR = 0.9
# Mean relative entropy from here on is told as close to even.
_EVEN = 0.9


def number(value: float) -> str:
    """Three decimals with a true minus sign."""
    return f"{value:.3f}".replace("-", "−")


def listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


_FOLLOW = {
    AGREE: "follow the items' categories",
    IN_PART: "follow the items' categories in part",
    NOT: "do not follow the items' categories",
}


def categories_in_short(found: Mapping[str, Agreement | None]) -> str:
    """How far hyperedges follow categories, modality by modality where they differ; empty where nothing is known."""
    known = {modality: about for modality, about in found.items() if about is not None}
    if not known:
        return ""
    best = max(known, key=lambda modality: known[modality].adjusted)
    verdicts = {about.verdict for about in known.values()}
    if len(verdicts) == 1:
        told = f"hyperedges :primary[{_FOLLOW[known[best].verdict]}]"
    else:
        each = [
            f"those of {listed([states.plain(m) for m, about in known.items() if about.verdict == verdict])} {said}"
            for verdict, said in _FOLLOW.items()
            if verdict in verdicts
        ]
        told = f"hyperedges differ: :primary[{', '.join(each)}]"
    about = known[best]
    which = f"{states.plain(best)}: " if len(known) > 1 else ""
    return f"{told} ({which}NMI {number(about.value)} of {number(about.most)} at best, {number(about.random)} at random)"


def modalities_in_short(found: Mapping[tuple[str, str, str], Agreement | None]) -> str:
    """How far the hyperedges of two modalities sort items alike; empty with one modality."""
    known = {pair: about for pair, about in found.items() if about is not None and pair[2] == "item"}
    if not known:
        return ""
    (one, other, _), about = max(known.items(), key=lambda entry: entry[1].adjusted)
    which = f"of {len(known)} pairs of modalities those most alike: " if len(known) > 1 else ""
    return (
        f"{which}hyperedges of {states.plain(one)} and {states.plain(other)} :primary[{about.verdict}] on items (NMI {number(about.value)} of "
        f"{number(about.most)} at best, {number(about.random)} at random)"
    )


def largest_in_short(sizes: pd.DataFrame) -> str:
    """The hyperedge that holds most users and items."""
    top = extreme(hyperedges.wide_table(sizes), "share")
    return (
        f"the largest hyperedge, :primary[{states.plain(str(top['modality']))} {top['hyperedge']}], holds "
        f"{words.percent(float(top['share']))} of users and items"
    )


def attention_in_short(about: Preference | None, relative: float) -> str:
    """Whom attention favours, otherwise how even it is. relative: the mean relative entropy."""
    if about is None or about.verdict == histories.NEITHER:
        near = (
            ":primary[close to even]"
            if relative >= _EVEN
            else f"{words.percent(relative)} as spread out as can be"
        )
        told = "; neither popular nor rare items are favoured" if about is not None else ""
        return f"attention over histories is {near} (relative entropy {number(relative)}{told})"
    return (
        f"attention :primary[{about.how}favours {about.verdict} items] ({about.head:.2f} times an even share for the head, {about.tail:.2f} for the "
        "tail)"
    )


def branches_in_short(table: pd.DataFrame, system: str) -> str:
    """The branch that adds most to users and to items."""
    users, items = (branches.ends(table, side) for side in ("user", "item"))
    first = f":primary[{branches.branch_title(users.most, system)}] adds most to users ({words.percent(users.most_share)})"
    if users.most == items.most:
        return f"the branch {first} and to items ({words.percent(items.most_share)})"
    second = (
        f":primary[{branches.branch_title(items.most, system)}] to items ({words.percent(items.most_share)})"
    )
    return f"the branch {first}, {second}"


def sentence(parts: Sequence[str], epoch: int | None) -> str:
    """The parts that are known as one sentence. epoch: of a snapshot."""
    text = "; ".join(filter(None, parts))
    if not text:
        return ""
    if epoch is not None:
        return f"At epoch {epoch}, {text}."
    return f"{text[:1].upper()}{text[1:]}."


def sizes_sentence(sizes: pd.DataFrame) -> str:
    """The largest and the smallest hyperedge."""
    wide = hyperedges.wide_table(sizes)
    top, low = extreme(wide, "share"), extreme(wide, "share", least=True)
    ends = [
        f"*{states.plain(str(end['modality']))} {end['hyperedge']}* ({words.percent(float(end['share']))} of all users and items)"
        for end in (top, low)
    ]
    return f"The largest hyperedge is {ends[0]}, the smallest {ends[1]}."


def sharpness_sentence(sharpness: pd.DataFrame) -> str:
    """How clearly users and items belong to one hyperedge."""
    said = []
    for side, part in sharpness.groupby("side", sort=False):
        each = [
            f"{words.percent(r['largest'])} (*{states.plain(r['modality'])}*)"
            for r in part.to_dict("records")
        ]
        said.append(f"{listed(each)} for {GROUP_TITLES[str(side)]}")
    clear = float(sharpness["largest"].min()) >= _CLEAR
    how = "Nearly everybody belongs to one hyperedge alone" if clear else "Memberships are shared"
    even = words.percent(float(sharpness["even"].iloc[0]))
    return f"{how}: the largest share of a node is on average {', '.join(said)}; an even one is {even}."


def agreement_sentence(modality: str, about: Agreement | None) -> str:
    """One modality's verdict on `hyperedges align with categories`."""
    if about is None:
        return f"*{states.plain(modality)}*: all items share one hyperedge or one category, so nothing can be compared."
    return (
        f"*{states.plain(modality)}*: NMI {number(about.value)} over {about.size:,} items, {number(about.random)} where hyperedges of these "
        f"sizes are dealt out at random (highest of {about.permutations}: {number(about.highest)}), {number(about.most)} at best; "
        f"{words.percent(max(about.adjusted, 0.0))} of the way."
    )


def history_sentence(table: pd.DataFrame, length: int, *, is_whole: bool) -> str:
    """What one user attends to. table: most attended first."""
    top = table.iloc[0]
    even = f"an even share of {words.count(length, 'interaction')} is {words.percent(1 / length)}"
    text = (
        f"**Most attended: {states.plain(words.cut(str(top['name'])))}**, {words.percent(float(top['mean']))} or {float(top['relative']):.2f} times an "
        f"even share; {even}."
    )
    if is_whole and len(table) > 1:
        low = table.iloc[-1]
        text += f" Least attended: {states.plain(words.cut(str(low['name'])))}, {words.percent(float(low['mean']))}."
    return text


def entropy_sentence(relative: float, table: pd.DataFrame) -> str:
    """How even attention is, and whether that depends on the length of the history."""
    text = f"**On average attention is {evenness(relative)} as spread out as can be** (100 %: all interactions alike)."
    known = table[table["low"].notna()]
    if len(known) < 2:
        return text
    first, last = known.iloc[0], known.iloc[-1]
    ends = f"from {evenness(first['mean'])} (histories of {first['title']}) to {evenness(last['mean'])} ({last['title']})"
    if last["low"] > first["high"]:
        return f"{text} The longest histories are more even than the shortest: {ends}."
    if last["high"] < first["low"]:
        return f"{text} The longest histories are more focused than the shortest: {ends}."
    return f"{text} Length does not clearly matter: {ends}; the intervals overlap."


def evenness(share: float) -> str:
    """A relative entropy in percent; two decimals near 100 %, where attention differs least."""
    return f"{100 * share:.2f} %" if share >= 0.99 else words.percent(share)


def branches_sentence(table: pd.DataFrame, system: str) -> str:
    """The largest and the smallest branch of each side."""
    said = []
    for side in ("user", "item"):
        about = branches.ends(table, side)
        most, least = (branches.branch_title(branch, system) for branch in (about.most, about.least))
        said.append(
            f"of {GROUP_TITLES[side]}, *{states.plain(most)}* adds most ({signed(about.most_share)}), *{states.plain(least)}* least "
            f"({signed(about.least_share)})"
        )
    return f"To the embedding {'; '.join(said)}."


def signed(part: float) -> str:
    """A percentage that may lie below zero, with a true minus sign; as many decimals as a small one needs."""
    size = abs(100 * part)
    text = f"{size:.1f}" if size >= 0.95 or not size else f"{size:.2f}"
    return f"{'−' if part < 0 and float(text) else ''}{text} %"
