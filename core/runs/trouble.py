"""How the supervisor survives a full disk or a damaged folder: say it once, slow down, try again."""

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import RelScopeError

log = logging.getLogger("relscope.supervisor")

LONGEST_DELAY = 5.0
_REPEAT_AFTER = 300.0


class Trouble:
    """What went wrong in this round; it is forgotten when a round goes well."""

    def __init__(self) -> None:
        self.current = ""
        self._bad_rounds = 0
        self._is_bad = False
        self._said: dict[str, float] = {}

    def begin_round(self) -> None:
        self._bad_rounds = self._bad_rounds + 1 if self._is_bad else 0
        self._is_bad = False
        self.current = ""

    def delay(self, poll: float) -> float:
        """Seconds until the next round: `poll`, doubled after every round in which the system refused something."""
        rounds = self._bad_rounds + 1 if self._is_bad else 0
        return max(poll, min(LONGEST_DELAY, poll * 2.0 ** min(rounds, 20)))

    @contextmanager
    def guard(self, what: str) -> Iterator[None]:
        """Go on after what the system, the index or a damaged file can cause inside the block."""
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            self._is_bad = True
            self._note(f"cannot {what}: {error}; trying again")
        except (RelScopeError, ValueError, OverflowError, RecursionError) as error:
            self._note(f"cannot {what}: {error}")

    def say(self, text: str) -> None:
        """A line in the log."""
        log.info("%s", text)

    def _note(self, text: str) -> None:
        self.current = text
        now = time.monotonic()
        self._said = {t: when for t, when in self._said.items() if now - when < _REPEAT_AFTER}
        if text not in self._said:
            self._said[text] = now
            log.warning("%s", text)
