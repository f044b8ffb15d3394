"""Warming: what pages import is loaded before the server listens, and the app file serves both of its purposes."""

import socket
import subprocess
import sys

from dashboard.navigation import ROOT
from dashboard.warming import answer_at_once, imported_names

SERVED = """
import sys
sys.path.insert(0, "dashboard")
import app
print("scipy" in sys.modules, end=" ")
loaded = {"pandas", "pyarrow", "dashboard.readers", "dashboard.panels.relations_view"} & set(sys.modules)
print(type(app.app).__module__.startswith("streamlit"), len(loaded), "torch" in sys.modules)
"""


def test_the_pages_imports_are_found() -> None:
    found = set(imported_names())
    assert ("dashboard", "readers") in found
    assert ("dashboard.panels.run_list", "pick_run") in found
    assert all(module.startswith(("core", "dashboard")) for module, _ in found)


def test_importing_the_app_as_a_server_loads_the_pages_modules_and_draws_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SERVED], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.split() == ["False", "True", "4", "False"], done.stderr


def test_connections_to_a_listening_socket_send_small_packets_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answer_at_once()
        with socket.create_connection(listener.getsockname()) as client:
            accepted, _ = listener.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
            assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0
