"""Each test begins without a plugin."""

from collections.abc import Iterator

import pytest

from holdfast import _exports


@pytest.fixture(autouse=True)
def no_plugin() -> Iterator[None]:
    _exports.reset()
    yield
    _exports.reset()
