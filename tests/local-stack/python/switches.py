"""Regions that are switched off, as in a disaster: nobody answers there.

A request belongs to the Region that its signature names. One to a Region that is off is answered with status 503 and nothing
else, as a load balancer does that has nobody behind it. IAM belongs to no Region (IAM User Guide, "Resilience in IAM").
"""

import re
from urllib.parse import parse_qs

SCOPE = re.compile(r"Credential=[^/,\s]+/\d{8}/([^/]+)/([^/]+)/aws4_request")
GLOBAL = {"iam"}

off: set[str] = set()


def switch(region: str, available: bool) -> list[str]:
    """Switches a Region off or on; the Regions that are off."""
    (off.discard if available else off.add)(region)
    return sorted(off)


def is_off(headers: list[tuple[bytes, bytes]], query: bytes) -> bool:
    """Is the Region that a request is signed for off?"""
    if not off:
        return False
    signed = next((value.decode("latin-1") for name, value in headers if name.lower() == b"authorization"), "")
    presigned = parse_qs(query.decode("latin-1")).get("X-Amz-Credential", [""])[0]
    found = SCOPE.search(signed) or SCOPE.search(f"Credential={presigned}")
    return found is not None and found[1] in off and found[2] not in GLOBAL
