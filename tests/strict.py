"""What an answer must hold and must not hold whoever asked: headers, nothing inline, nothing kept by others."""

from __future__ import annotations

from django.http import HttpResponse

from licensing.web.links import REFERRER_POLICY
from tests.edge import Element, parse

#: Attributes that name what the browser fetches or opens.
LINKS = ("href", "src", "action", "formaction", "hx-get", "hx-post")


def unsafe(page: Element) -> list[str]:
    """What the policy would block, or what a stricter one would have to allow."""
    found = []
    for element in page:
        inline = (
            element.tag == "script" and "src" not in element.attrs and element.attrs.get("type") != "application/json"
        )
        if inline or element.tag == "style":
            found.append(f"<{element.tag}>")
        found += [f"{element.tag} {name}" for name in element.attrs if name == "style" or name.startswith("on")]
        found += [element.attrs[name] for name in LINKS if not _own(element.attrs.get(name, ""))]
    return found


def _own(target: str) -> bool:
    """The portal's, or its calendar, which a calendar program opens."""
    target = target.removeprefix("webcal://127.0.0.1:8000")
    return "//" not in target.partition("?")[0] and ":" not in target.partition("/")[0]


def faults(response: HttpResponse) -> list[str]:
    """What is wrong with an answer."""
    headers = response.headers
    wanted = {
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }
    if headers.get("Referrer-Policy") == REFERRER_POLICY:  # stricter: not even the portal is told
        del wanted["Referrer-Policy"]
    faults = [name for name, value in wanted.items() if headers.get(name) != value]
    policy = headers.get("Content-Security-Policy", "")
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";")) if policy else {}
    if directives.get("default-src") != "'self'" or "unsafe" in policy or "*" in policy:
        faults.append(f"policy: {policy}")
    if directives.get("frame-ancestors") != "'none'" or directives.get("object-src") != "'none'":
        faults.append(f"policy: {policy}")
    return faults + (unsafe(parse(response)) if "html" in headers.get("Content-Type", "") else [])
