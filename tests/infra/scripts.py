"""The scripts of the folder `install`, which is no package: they run before anything is installed."""

import importlib.util
import sys
from types import ModuleType

from tests.conftest import CHECKOUT

FOLDER = CHECKOUT / "install"


def script(name: str) -> ModuleType:
    """A file of the folder `install`."""
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))  # they import each other so
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
