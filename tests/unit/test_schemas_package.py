"""`schemas` as a distribution of its own: built without a network, used without anything of the worker."""

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from schemas import CONTRACT_VERSION

ROOT = Path(__file__).parents[2]
WORKER = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Import names of what the worker needs and the contract must not.
FOREIGN = {re.split(r"[\[<>=!;~ ]", each)[0].replace("-", "_") for each in WORKER["dependencies"]} - {"pydantic"}

USE = """
import importlib.abc, json, sys

class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"{name} is blocked")

BLOCKED = set(json.loads(sys.argv[2]))
sys.meta_path.insert(0, Blocker())
sys.path.insert(0, sys.argv[1])
import schemas
from schemas.events import Invoice, InvoiceRequest
from schemas.outcomes import OUTCOME
from schemas.dead_letters import read_headers
from schemas.produce import InvoiceEvent, inline

invoice = Invoice(claimType="Invoice", creditorId=10759, invoiceNo="20001", debtorName="John Doe",
                  invoiceDate="2025-04-01", dueDate="2026-01-01", originalAmount=2500, currencyCode="NOK")
request = InvoiceRequest(invoice=invoice, attachments=[inline(b"%PDF", "a.pdf")])
message = InvoiceEvent(request, source="/erp/oslo").to_message(partitions=12)
from importlib.resources import files
schema = json.loads(files("schemas").joinpath("json", "invoice-requested.v1.json").read_text(encoding="utf-8"))
example = files("schemas").joinpath("examples", "outcome.scheduled.json").read_bytes()
print(json.dumps({
    "file": schemas.__file__,
    "key": message.key.decode(),
    "partition": message.partition,
    "schema": schema["$id"],
    "outcome": OUTCOME.validate_json(example).outcome,
    "loaded": sorted(BLOCKED & {name.partition(".")[0] for name in sys.modules}),
}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT / "schemas", check=True, capture_output=True)
    [built] = folder.glob("*.whl")
    return built


def test_it_holds_the_package_and_its_files(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    parts = [p.relative_to(ROOT) for p in (ROOT / "schemas").rglob("*") if p.suffix in {".py", ".json", ".typed"}]
    assert {part.as_posix() for part in parts} <= names
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"schemas"}


def test_it_says_what_it_is_and_needs_pydantic_only(wheel):
    archive = zipfile.ZipFile(wheel)
    folder = f"kravia_invoice_schemas-{CONTRACT_VERSION}.dist-info"
    about = message_from_bytes(archive.read(f"{folder}/METADATA"))
    assert (about["Name"], about["Version"]) == ("kravia-invoice-schemas", CONTRACT_VERSION)
    always = [need for need in about.get_all("Requires-Dist") if "extra ==" not in need]
    assert [re.split("[<>=]", need)[0] for need in always] == ["pydantic"]
    assert archive.read(f"{folder}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()


def test_it_needs_the_pydantic_that_is_tested():
    alone = tomllib.loads((ROOT / "schemas" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(alone["dependencies"]) <= set(WORKER["dependencies"])
    assert alone["requires-python"] == WORKER["requires-python"]


def test_an_event_is_written_without_anything_of_the_worker(wheel, tmp_path):
    assert {"aiohttp", "aiokafka", "prometheus_client", "pydantic_settings", "structlog"} <= FOREIGN
    zipfile.ZipFile(wheel).extractall(tmp_path)
    blocked = json.dumps(sorted(FOREIGN | {"worker"}))
    command = [sys.executable, "-I", "-c", USE, str(tmp_path), blocked]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert Path(said.pop("file")).is_relative_to(tmp_path)
    assert said == {
        "key": "10759/Invoice/20001",
        "partition": 11,
        "schema": "urn:kravia:invoice-worker:invoice-requested.v1.json",
        "outcome": "scheduled",
        "loaded": [],
    }


def test_the_readmes_example_runs(tmp_path, monkeypatch):
    readme = (ROOT / "schemas" / "README.md").read_text(encoding="utf-8")
    [example] = re.findall("```python\n(.*?)```", readme, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "invoice-20003.pdf").write_bytes(b"%PDF")
    scope = {}
    exec(example, scope)  # noqa: S102 -- the repository's own text
    assert scope["message"].key == b"10759/Invoice/20003"
