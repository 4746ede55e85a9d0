"""The wheel, for the tests of this folder."""

from tests.wheel.wheels import built, installed

__all__ = ["built", "installed"]
