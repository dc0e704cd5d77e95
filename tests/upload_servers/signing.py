"""Signs URLs as a control room does that keeps the keys of its storage to itself.

AWS Signature Version 2, by the query: s3rver checks those to the last bit, and of Version 4 only the form. For the unit
there is no difference: it sends a URL as it was given it.
"""

from __future__ import annotations

import base64
import hmac
import time
from dataclasses import dataclass
from urllib.parse import quote

LIFE_S = 3_600


@dataclass(frozen=True)
class Signer:
    """The keys of a storage, and where it is."""

    host: str
    access_key: str
    secret: str

    def url(self, method: str, path: str, content_type: str = "", **query: str) -> str:
        """A URL that may do this one thing for an hour."""
        expires = str(int(time.time()) + LIFE_S)
        resource = "&".join(f"{name}={value}" if value else name for name, value in sorted(query.items()))
        text = "\n".join([method, "", content_type, expires, f"{path}?{resource}" if resource else path])
        signature = base64.b64encode(hmac.digest(self.secret.encode(), text.encode(), "sha1")).decode()
        signed = {**query, "AWSAccessKeyId": self.access_key, "Expires": expires, "Signature": signature}
        said = "&".join(f"{name}={quote(value, safe='')}" if value else name for name, value in signed.items())
        return f"https://{self.host}{path}?{said}"
