"""The same documents give the same texts, whatever they are run in."""

from __future__ import annotations

import pytest
from hosts import HOSTS


@pytest.mark.adapters
@pytest.mark.parametrize("host", HOSTS)
def test_every_host_gives_the_texts_of_clean_many(host, rows, expected):
    assert HOSTS[host](rows) == expected
