"""A visitor without a browser: speaks Streamlit's own websocket protocol with a real server, opens pages, presses buttons."""

import time
from contextlib import ExitStack
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

GONE = (OSError, WebSocketException, TimeoutError)


class Visitor:
    """One browser tab. What the server sent since the last `open` or `press` is in `said`."""

    def __init__(self, url: str, timeout: float = 60.0) -> None:
        address = url.replace("http", "ws", 1) + "/_stcore/stream"
        self._kept = ExitStack()
        self._socket = self._kept.enter_context(
            connect(address, subprotocols=["streamlit"], max_size=None, open_timeout=timeout)
        )
        self._timeout = timeout
        self._state = BackMsg()
        self.said: list[ForwardMsg] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kept.close()

    def open(self, page: str, **params: str) -> None:
        """Visit `page` and wait until its script has ended."""
        self._state = BackMsg()
        state = self._state.rerun_script
        state.page_name, state.query_string = ("" if page == "home" else page), urlencode(params)
        self._rerun()

    def buttons(self) -> dict[str, str]:
        """label -> widget id of every button that was drawn and is not disabled."""
        drawn = (m.delta.new_element.button for m in self.said if m.delta.new_element.HasField("button"))
        return {button.label: button.id for button in drawn if not button.disabled}

    def press(self, label: str) -> bool:
        """Press the button `label`; False if there is none."""
        widget = self.buttons().get(label)
        if widget is None:
            return False
        states = self._state.rerun_script.widget_states
        states.widgets.add(id=widget, trigger_value=True)
        try:
            self._rerun()
        finally:
            del states.widgets[:]
        return True

    @property
    def titles(self) -> list[str]:
        return [
            m.delta.new_element.heading.body for m in self.said if m.delta.new_element.HasField("heading")
        ]

    @property
    def alerts(self) -> list[str]:
        """What error and warning boxes say."""
        drawn = (m.delta.new_element.alert for m in self.said if m.delta.new_element.HasField("alert"))
        return [" ".join(filter(None, (alert.title, alert.body))) for alert in drawn]

    @property
    def crashes(self) -> list[str]:
        """Exceptions on the screen."""
        shown = (m.delta.new_element for m in self.said if m.delta.new_element.HasField("exception"))
        return [f"{e.exception.type}: {e.exception.message}" for e in shown]

    def _rerun(self) -> None:
        self.said = []
        self._socket.send(self._state.SerializeToString())
        deadline = time.monotonic() + self._timeout
        while True:
            message = ForwardMsg.FromString(self._socket.recv(max(0.1, deadline - time.monotonic())))
            self.said.append(message)
            if message.HasField("script_finished"):
                if message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    continue
                return
