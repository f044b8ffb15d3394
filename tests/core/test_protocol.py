"""Protocols as values."""

import pytest
from pydantic import ValidationError

from core.errors import ConfigError
from core.protocol import PROTOCOLS, SELECTION_TITLES, Protocol, parse_protocol

TEXTS = [
    "full",
    "sampled99",
    "full:mask_valid=false",
    "mmrec",
    "sampled99:num_negatives=50",
    "sampled99:candidate_seed=7",
    "sampled99:num_negatives=50,candidate_seed=7",
]


@pytest.mark.parametrize("text", TEXTS)
def test_keys_parse_back(text: str):
    protocol = parse_protocol(text)
    assert protocol.key == text
    assert parse_protocol(protocol.key) == protocol
    assert Protocol.model_validate_json(protocol.model_dump_json()) == protocol


def test_protocols_that_do_not_compare_have_different_keys():
    assert len({parse_protocol(text).key for text in TEXTS}) == len(TEXTS)


def test_options_that_are_the_defaults_do_not_change_the_key():
    assert parse_protocol("full:mask_valid=true").key == "full"
    assert parse_protocol("sampled99:num_negatives=99,candidate_seed=2023") == PROTOCOLS["sampled99"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("half", "unknown protocol 'half': expected one of full, sampled99"),
        ("", "unknown protocol"),
        ("full:mask_valid", "cannot read 'mask_valid'"),
        ("full:mask_valid=maybe", "mask_valid=maybe"),
        ("full:ks=5", "cannot read 'ks=5'"),
        ("mmrec:mask_valid=true", "cannot read 'mask_valid=true'; options of mmrec: none"),
        ("sampled99:num_negatives=0", "num_negatives=0"),
        ("sampled99:num_negatives=many", "num_negatives=many"),
        ("sampled99:candidate_seed=-1", "candidate_seed=-1"),
    ],
)
def test_what_cannot_be_parsed_is_named(text: str, message: str):
    with pytest.raises(ConfigError, match=message):
        parse_protocol(text)


@pytest.mark.parametrize("ks", [(), (5, 3), (5, 5), (0, 5)])
def test_cut_offs_must_rise_from_one(ks: tuple[int, ...]):
    with pytest.raises(ValidationError, match="rising order"):
        Protocol(name="full", ks=ks)


def test_main_metric():
    assert PROTOCOLS["full"].main_metric == PROTOCOLS["sampled99"].main_metric == "ndcg@10"
    assert Protocol(name="full", ks=(3, 7)).main_metric == "ndcg@3"
    assert PROTOCOLS["mmrec"].main_metric == "recall@20"
    assert Protocol(name="mmrec", ks=(3, 7)).main_metric == "recall@7"


def test_protocols_are_frozen_and_closed():
    with pytest.raises(ValidationError):
        PROTOCOLS["full"].mask_valid = False
    with pytest.raises(ValidationError):
        Protocol.model_validate({"name": "full", "nonsense": 1})


def test_choosing_epochs_on_test_data_is_called_optimistic():
    assert "optimistic" in SELECTION_TITLES["test_as_published"]
