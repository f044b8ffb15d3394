"""A pytest plugin that counts the cases which Hypothesis generates, also those of tests nested in other tests."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis.internal import observability

PREFIX = "generated cases: "
_seen: Counter[str] = Counter()


def _count(observation: Any) -> None:
    if observation.type == "test_case":
        _seen[observation.status] += 1


def pytest_configure(config: pytest.Config) -> None:
    observability.OBSERVABILITY_COLLECT_COVERAGE = False  # tracing every line makes a case six times as slow
    observability.add_observability_callback(_count)


def pytest_unconfigure(config: pytest.Config) -> None:
    observability.remove_observability_callback(_count)
    print(f"\n{PREFIX}{json.dumps(_seen)}")
