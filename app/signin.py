"""Who may sit at the desk: sign-in through an OIDC provider, from the environment or a file; nothing of it on a command line.

The environment comes first: five variables `LIFELINE_OIDC_…`, or `…_FILE` for files that hold them. Otherwise it is
Streamlit that reads `[auth]` in `.streamlit/secrets.toml` of the home.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from models import settings
from models.errors import SettingsError

PREFIX = "LIFELINE_OIDC_"
# variable -> key of Streamlit's section [auth]
VARIABLES = {
    "METADATA_URL": "server_metadata_url",
    "CLIENT_ID": "client_id",
    "CLIENT_SECRET": "client_secret",
    "REDIRECT_URI": "redirect_uri",
    "COOKIE_SECRET": "cookie_secret",
}


def from_environment(env: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Secrets for Streamlit made from the environment; empty when it holds none of the variables.

    Raises
    ------
    SettingsError
        when it holds some and not all, naming the first that is missing.

    """
    given = {name: settings.from_environment(env, f"oidc_{name.lower()}")[1].strip() for name in VARIABLES}
    if not any(given.values()):
        return {}
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise SettingsError(f"{PREFIX}{missing[0]} is not set; sign-in needs {', '.join(PREFIX + name for name in VARIABLES)}")
    return {"auth": {VARIABLES[name]: value for name, value in given.items()}}


def is_configured(home: Path, env: Mapping[str, str]) -> bool:
    """Whether the desk of this home asks people to sign in.

    Raises
    ------
    SettingsError
        for a half-set environment, or a secrets file that cannot be read.

    """
    if from_environment(env):
        return True
    file = home / ".streamlit" / "secrets.toml"
    if not file.is_file():
        return False
    try:
        return "auth" in tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not valid TOML; mend it or move it away") from error


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches a server that listens there; anything that is no plain address counts as open."""
    if address == "localhost":
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def name_of(claims: Mapping[str, Any]) -> str:
    """What rulings call a signed-in person: the address, else the name, else the provider's id."""
    return str(next((claims[key] for key in ("email", "name", "sub") if claims.get(key)), "signed in"))


def may_enter(claims: Mapping[str, Any], allowed: str) -> bool:
    """Whether somebody whom the provider let in is on the list of addresses and @domains; an empty list lets everybody in.

    An address that the provider says is not verified is nobody's.
    """
    wanted = [one.lower() for one in allowed.replace(",", " ").split()]
    if not wanted:
        return True
    address = str(claims.get("email") or "").lower()
    if not address or str(claims.get("email_verified", True)).lower() == "false":
        return False
    return address in wanted or "@" + address.rpartition("@")[2] in wanted
