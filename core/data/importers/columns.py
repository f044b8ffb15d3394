"""Which column of a table is the user, the item, the behaviour, the time: told by the user, or detected."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.errors import DataError

Samples = Sequence[Sequence[str]]


@dataclass(frozen=True)
class ColumnMap:
    """Names of the columns to read; without `behavior` every row is the target, without `time` none has one."""

    user: str
    item: str
    behavior: str | None = None
    time: str | None = None

    @property
    def roles(self) -> dict[str, str]:
        """Role -> column name, for the roles that are mapped."""
        pairs = (("user", self.user), ("item", self.item), ("behavior", self.behavior), ("time", self.time))
        return {role: name for role, name in pairs if name is not None}


ROLES = ("user", "item", "behavior", "time")
_NAMES = {
    "user": "user uid userid usr visitor visitorid customer customerid client clientid member memberid buyer buyerid "
    "reviewer reviewerid account accountid person personid shopper shopperid learner learnerid student studentid",
    "item": "item itemid iid product productid prod prodid sku skuid goods goodsid article articleid movie movieid "
    "book bookid isbn song songid track trackid artist artistid video videoid business businessid asin parentasin "
    "news newsid recipe recipeid game gameid course courseid poi poiid venue venueid",
    "behavior": "behavior behaviour behaviortype behaviourtype event eventtype eventname action actiontype actionname "
    "type interaction interactiontype activity activitytype feedback feedbacktype relation",
    "time": "time timestamp ts date datetime eventtime eventtimestamp eventdate unixtime unixreviewtime createdat "
    "created reviewtime visittime when",
}
_WORDS = {role: frozenset(names.split()) for role, names in _NAMES.items()}
# columns that are none of the four, so that they cannot be taken for the missing one
_OTHER_NAMES = (
    "rating score stars price amount quantity qty count weight label category categoryid categorycode cat catid brand "
    "brandid seller sellerid merchant merchantid title name description text review summary session sessionid "
    "usersession transaction transactionid order orderid age agerange gender sex city country zip zipcode genre "
    "genres year split xlabel index id rowid property value"
)
_BEHAVIOR_VALUES = (
    "view views pageview pv click clicks cart addtocart tocart basket fav favorite favourite favorites wishlist "
    "collect like buy bought purchase purchased order transaction transactions share follow play rate tip"
)
_OTHERS, _BEHAVIORS = frozenset(_OTHER_NAMES.split()), frozenset(_BEHAVIOR_VALUES.split())
_RATINGS = ("rating", "score", "stars", "overall")
_SECONDS = (946_684_800, 4_102_444_800)  # the years 2000 to 2100
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?")


def parse_map(typed: str | Sequence[str]) -> ColumnMap:
    """The mapping typed as `user=COL,item=COL,behavior=COL,time=COL`, or as one ROLE=COL each where a name holds a comma.

    Raises DataError naming what is wrong.
    """
    expected = (
        "expected user=COL,item=COL and optionally behavior=COL,time=COL; repeat it with one ROLE=COL each where a "
        "name holds a comma"
    )
    told = [typed] if isinstance(typed, str) else list(typed)
    parts = [(part, part.partition("=")[2]) for part in told]
    if len(told) == 1:
        parts = [(part, part.partition("=")[2].strip()) for part in told[0].split(",")]
    shown = " ".join(told)
    found: dict[str, str] = {}
    for part, column in parts:
        role = part.partition("=")[0].strip().replace("behaviour", "behavior")
        if not column.strip() or role not in ROLES or role in found:
            raise DataError(f"--map {shown!r}: cannot read {part!r}; {expected}")
        found[role] = column
    if "user" not in found or "item" not in found:
        raise DataError(
            f"--map {shown!r}: names no {'item' if 'user' in found else 'user'} column; {expected}"
        )
    return ColumnMap(**found)


def checked_map(name: str, columns: Sequence[str], mapping: ColumnMap) -> ColumnMap:
    """`mapping` unchanged if each of its columns is there once. Raises DataError with the columns of table `name`."""
    roles = mapping.roles
    for role, column in roles.items():
        if columns.count(column) != 1:
            came = "has no column" if column not in columns else "has several columns"
            raise DataError(
                f"{name}: {came} {column!r} for the {role}; its columns are: {listed(columns)}; correct --map"
            )
    if len(set(roles.values())) < len(roles):
        told = ", ".join(f"{role} = {column}" for role, column in roles.items())
        raise DataError(f"{name}: one column is mapped twice ({told}); name a column of its own for each")
    return mapping


def detected_map(name: str, columns: Sequence[str], samples: Samples) -> tuple[ColumnMap, str]:
    """The mapping that names and content make clear, and how it was found in words.

    samples: column -> texts of the first rows. Raises DataError with the list of columns where a choice is open.
    """
    if any(_is_number(column) for column in columns):
        raise DataError(
            f"{name}: the first row ({listed(columns)}) looks like data, not like names of columns; add a first row "
            "with the names, or, if these are the names, say which is which with --map"
        )
    words = [_plain(column) for column in columns]
    found: dict[str, int] = {}
    for role in ROLES:
        fitting = [position for position, word in enumerate(words) if _is_role(word, role)]
        if len(fitting) > 1:
            raise _unclear(name, columns, role, [columns[position] for position in fitting])
        if fitting:
            found[role] = fitting[0]
    by_content = _by_content(words, samples, found)
    found |= by_content
    for role in ("user", "item"):
        if role not in found:
            raise _unclear(name, columns, role, [])
    mapping = checked_map(name, columns, ColumnMap(**{role: columns[found[role]] for role in found}))
    told = ", ".join(
        f"{role} = {column}{' (by its content)' if role in by_content else ''}"
        for role, column in mapping.roles.items()
    )
    return mapping, f"columns detected: {told}"


def clear_columns(columns: Sequence[str], samples: Samples) -> dict[str, str]:
    """Role -> column, for the roles that names or content make clear by themselves; a start where no mapping is clear."""
    words = [_plain(column) for column in columns]
    fitting = {role: [place for place, word in enumerate(words) if _is_role(word, role)] for role in ROLES}
    found = {role: places[0] for role, places in fitting.items() if len(places) == 1}
    content = _by_content(words, samples, found)
    return {role: columns[place] for role, place in (content | found).items() if not fitting[role][1:]}


def unread_note(columns: Sequence[str], mapping: ColumnMap) -> str:
    """Names the columns that no role reads, and says of ratings that they do not decide; empty if all are read."""
    unread = [column for column in columns if column not in mapping.roles.values() and column.strip()]
    if not unread:
        return ""
    rated = [column for column in unread if _plain(column).endswith(_RATINGS)]
    note = f"not read: {listed(unread)}"
    if rated and mapping.behavior is None:
        note += f"; low values of {rated[0].partition(':')[0]} count as interactions too: filter the file if they should not"
    return note


def listed(columns: Sequence[str]) -> str:
    """The names of columns for a message, long lists cut."""
    shown = [column[:40] or "(no name)" for column in columns[:30]]
    return ", ".join(shown) + (f", and {len(columns) - 30} more" if len(columns) > 30 else "")


def _by_content(words: Sequence[str], samples: Samples, found: dict[str, int]) -> dict[str, int]:
    """Behaviour and time, where exactly one column without a telling name can be it.

    Users and items are never guessed: any column of numbers would do, and a wrong one trains without a word.
    """
    chosen: dict[str, int] = {}

    def only(fits: Callable[[Sequence[str]], bool]) -> list[int]:
        taken = {*found.values(), *chosen.values()}
        return [
            position
            for position, word in enumerate(words)
            if position not in taken
            and word not in _OTHERS
            and any(samples[position])
            and fits(samples[position])
        ]

    for role, fits in (("behavior", _are_behaviors), ("time", _are_times)):
        fitting = only(fits) if role not in found else []
        if len(fitting) == 1:
            chosen[role] = fitting[0]
    return chosen


def _are_behaviors(values: Sequence[str]) -> bool:
    return {_plain(value) for value in values if value.strip()} <= _BEHAVIORS


def _are_times(values: Sequence[str]) -> bool:
    stated = [value.strip() for value in values if value.strip()]
    if all(_DATE.fullmatch(value) for value in stated):
        return True
    if not all(re.fullmatch(r"[0-9]{10}|[0-9]{13}", value) for value in stated):
        return False
    return all(_SECONDS[0] <= int(value[:10]) < _SECONDS[1] for value in stated)


def _is_role(word: str, role: str) -> bool:
    return word in _WORDS[role]


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.split(":")[0].lower())


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"\s*-?[0-9]+(\.[0-9]+)?\s*", text))


def _unclear(name: str, columns: Sequence[str], role: str, fitting: Sequence[str]) -> DataError:
    came = (
        f"several columns may be the {role} ({listed(fitting)})"
        if fitting
        else f"no column is clearly the {role}"
    )
    return DataError(
        f"{name}: {came}; its columns are: {listed(columns)}; "
        "say which is which with --map user=COL,item=COL,behavior=COL,time=COL"
    )
