"""What of a command's arguments may be written down: an address signed beforehand is a key for whoever reads it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECRET_IN_URL: Final = re.compile(r"(?<=//)[^/?#]*@|[?#].*", re.DOTALL)
"""User name and password, query and fragment."""
_URLS: Final = frozenset({"url", "completeUrl", "confirmUrl"})


def without_secrets(args: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as they may be written down."""
    plain = dict(args)
    if "headers" in plain:
        plain["headers"] = dict.fromkeys(plain["headers"], "...")
    for name in _URLS & plain.keys():
        plain[name] = _without_key(plain[name])
    if "partUrls" in plain:
        plain["partUrls"] = [_without_key(url) for url in plain["partUrls"]]
    return plain


def _without_key(url: str) -> str:
    return _SECRET_IN_URL.sub("", url)[:512]
