"""An upload server, and a unit that may send to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes.authority import Authority
from tests.uplink.media.upload_server import Site, upload_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


from tests.uplink.media.desk import HOSTS, Desk


@pytest.fixture(scope="package")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def site(authority: Authority) -> Iterator[Site]:
    with upload_server(authority.issue_server()) as site:
        yield site


@pytest.fixture
def desk(authority: Authority, site: Site, tmp_path: Path) -> Desk:
    return Desk(tmp_path, ca_file=authority.ca_file, hosts=(*HOSTS, site.place))
