"""Addresses without what may be secret in them."""

import os
import re
from urllib.parse import parse_qsl, unquote, urlsplit


def scrub(text: str, uri: str | os.PathLike[str] | None = None) -> str:
    """Removes from ``text`` what may be secret: user, password and query of any address, and those of ``uri``."""
    for secret in _secrets(uri) if uri is not None else ():
        text = text.replace(secret, "***")
    text = re.sub(r"(?<=://)[^/?#\s]*@", "", text)
    text = re.sub(r"(?<=://)[^/:@\s]+:(?!\d+(?:/|$))\S*@", "", text)  # a password with an unquoted slash
    return re.sub(r"(://[^\s?#'\"]*)[?#][^\s'\"]*", r"\1", text)


def _secrets(uri: str | os.PathLike[str]) -> list[str]:
    text = os.fspath(uri)
    if "://" not in text:
        return []
    parts = urlsplit(text)
    found = [parts.netloc.rpartition("@")[0], parts.password or "", parts.query, parts.fragment]
    found += [value for _, value in parse_qsl(parts.query)]
    found += [unquote(secret) for secret in found]
    return sorted({secret for secret in found if len(secret) > 3}, key=len, reverse=True)
