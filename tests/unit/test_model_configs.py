"""The model's configurations (docs/spec/configs.txt) are complete; TLC itself runs in `make model`."""

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

SPEC = Path(__file__).parents[2] / "docs" / "spec"
FREE = {"Witness", "JournalFirst", "JournalWhen"}
"""Not safeguards: a setting, and two orders that the model shows to be free."""
WORLD = {"Requests", "MaxOwner", "MaxTry", "MaxReplay", "AllowNot", "Blind", "OffsetsMove"}


@pytest.fixture
def configs(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SPEC))
    return importlib.import_module("configs")


def test_every_safeguard_of_the_worker_has_a_configuration_that_breaks_without_it(configs):
    base = (SPEC / "InvoiceWorker.base.cfg").read_text()
    constants = set(re.findall(r"(?m)^  (\w+) (?:=|<-)", base))
    broken = {
        name
        for config in configs.CONFIGS
        if config.module == "MCInvoiceWorker" and config.expect != "ok"
        for name in config.changes
    }
    assert constants - WORLD - FREE <= broken


def test_names_are_unique_and_every_configuration_fits_its_module(configs):
    names = [config.name for config in configs.CONFIGS]
    assert len(set(names)) == len(names)
    for config in configs.CONFIGS:
        text = config.text()
        for name in config.changes:
            assert re.search(rf"(?m)^  {name} (=|<-) ", text), (config.name, name)


def test_ci_runs_the_worker_as_built_and_teeth_of_every_module(configs):
    small = [config for config in configs.CONFIGS if config.small]
    assert any(config.name.startswith("worker-") for config in small)
    modules = {config.module for config in configs.CONFIGS}
    assert {config.module for config in small if config.expect != "ok"} == modules


def test_an_unknown_constant_is_refused_by_name(configs):
    config = configs.Config("g", "Timing", "x", "ok", {"Nonsense": "1"}, "", False)
    with pytest.raises(ValueError, match="Timing has no constant Nonsense"):
        config.text()
