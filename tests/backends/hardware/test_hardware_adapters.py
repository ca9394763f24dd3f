import subprocess
import sys
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from snncompare.backends.hardware import registry
from snncompare.backends.hardware.adapter import Availability, HardwareAdapter
from snncompare.backends.hardware.brainscales2 import BrainScaleS2
from snncompare.backends.hardware.registry import adapter_named, adapters, connect, is_importable
from snncompare.cli import main
from snncompare.errors import InputError, MissingDependencyError, UnsupportedError


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A package called hxtorch that must never be imported without being asked."""
    (tmp_path / "hxtorch").mkdir()
    (tmp_path / "hxtorch" / "__init__.py").write_text("raise SystemExit('imported unasked')\n")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_a_library_is_found_without_importing_it(library):
    assert is_importable("hxtorch")
    assert "hxtorch" not in sys.modules
    assert not is_importable("hxtorch_of_nobody")
    with pytest.raises(SystemExit):  # control: importing it would be seen
        __import__("hxtorch")


def test_the_chip_is_there_if_library_and_connection_are(library):
    connected = {"QUIGGELDY_IP": "10.0.0.1", "QUIGGELDY_PORT": "50001"}
    assert BrainScaleS2(environment=connected).available()
    assert BrainScaleS2(environment={"SLURM_FPGA_IPS": "10.0.0.2"}).available()
    alone = BrainScaleS2(environment={"QUIGGELDY_IP": "10.0.0.1"}).available()  # control: half a connection is none
    assert not alone
    assert "QUIGGELDY_IP and QUIGGELDY_PORT or SLURM_FPGA_IPS" in alone.reason
    assert "setup_hardware_client" in BrainScaleS2(environment={"JUPYTERHUB_USER": "somebody"}).available().reason
    assert "hxtorch" not in sys.modules


def test_without_the_library_no_connection_helps():
    found = BrainScaleS2(environment={"SLURM_FPGA_IPS": "10.0.0.2"}).available()
    assert not found
    assert "'hxtorch' is not installed" in found.reason


def test_no_hardware_is_one_clear_error_with_what_to_do_instead():
    with pytest.raises(
        UnsupportedError, match=r"no neuromorphic hardware.*brainscales2.*hxtorch.*backend='analog'"
    ) as found:
        connect()
    assert "\n" not in str(found.value)


def test_an_adapter_that_is_there_is_connected(library, monkeypatch):
    monkeypatch.setenv("SLURM_FPGA_IPS", "10.0.0.2")
    assert connect().name == "brainscales2"


def test_an_unknown_adapter_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'brainscales2'"):
        adapter_named("brainscales")


def test_an_availability_says_why():
    with pytest.raises(InputError, match="says why"):
        Availability(True, " ")


class Chip(HardwareAdapter):
    name = "chip"

    def available(self):
        return Availability(True, "it is here")

    def limits(self):
        raise NotImplementedError

    def run(self, network, realisation, inputs, *, duration, record=None):
        raise NotImplementedError


def offered(monkeypatch, value):
    point = EntryPoint("chip", value, registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == registry.GROUP else [])


def test_adapters_of_other_packages_are_listed_unimported_and_loaded_when_asked(monkeypatch, capsys):
    offered(monkeypatch, "a_vendor_of_chips:Adapter")
    assert list(adapters()) == ["brainscales2", "chip"]
    assert main(["hardware", "list"]) == 0
    assert "chip: of another package" in capsys.readouterr().out
    with pytest.raises(MissingDependencyError, match="'chip' needs 'a_vendor_of_chips'"):
        adapter_named("chip")
    vendor = SimpleNamespace(Adapter=Chip, Other=dict, Broken=lambda: 1 / 0)
    monkeypatch.setitem(sys.modules, "a_vendor_of_chips", vendor)
    assert connect("chip").name == "chip"
    assert main(["hardware", "check", "chip"]) == 0
    assert capsys.readouterr().out == "chip: ready; it is here\n"
    with pytest.raises(UnsupportedError, match="no neuromorphic hardware"):  # strangers are never tried unasked
        connect()
    for value, said in (("Other", "is no HardwareAdapter but dict"), ("Broken", "ZeroDivisionError")):
        offered(monkeypatch, f"a_vendor_of_chips:{value}")
        with pytest.raises(UnsupportedError, match=said):
            adapter_named("chip")


def test_the_verbs_list_and_check_say_it_in_a_line(capsys, tmp_path):
    assert main(["hardware", "list", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("brainscales2: not here; the library 'hxtorch' is not installed")
    assert '"ready": false' in (tmp_path / "hardware.json").read_text()
    assert main(["hardware", "check"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert main(["hardware", "chekc"]) == 2
    assert "did you mean 'check'" in capsys.readouterr().err


def test_listing_hardware_imports_no_simulator_and_no_vendor():
    code = (
        "import sys; from snncompare.cli import main; main(['hardware', 'list']);"
        "print([m for m in ('torch', 'brian2', 'samna', 'hxtorch') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "[]"
