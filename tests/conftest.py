"""What every test may ask for."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of development recordings, or skip where it is absent."""
    root = Path(__file__).parents[1]
    folder = Path(os.environ.get("SNNCOMPARE_SHARED", root.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"development recordings are not here ({folder}); they are not part of the repository")
    return folder
