"""Signing in: a real round trip through an OIDC provider in a real browser, and who is let in, from where."""

from __future__ import annotations

import shutil
import socket

import pytest

from app import signin
from app.commands import ui
from models import rulings, settings
from models.errors import SettingsError, UsageError
from tests.app import oidc
from tests.app.test_browser import Visitor

GIVEN = {
    "LIFELINE_OIDC_METADATA_URL": "https://id.example.org/.well-known/openid-configuration",
    "LIFELINE_OIDC_CLIENT_ID": "desk",
    "LIFELINE_OIDC_CLIENT_SECRET": "s",
    "LIFELINE_OIDC_REDIRECT_URI": "https://desk.example.org/oauth2callback",
    "LIFELINE_OIDC_COOKIE_SECRET": "c",
}


@pytest.fixture(scope="module")
def asked_to_sign_in(_published, tmp_path_factory):
    """A desk that asks people to sign in at a provider of our own, configured by the environment alone; only example.org is on the list."""
    home = tmp_path_factory.mktemp("signin") / "home"
    shutil.copytree(_published, home, ignore=shutil.ignore_patterns("work.*"))
    with socket.socket() as probe:
        probe.bind((ui.HOST, 0))
        port = probe.getsockname()[1]
    desk = f"http://localhost:{port}"
    with oidc.provider() as provider, pytest.MonkeyPatch.context() as patch:
        environment = {
            "METADATA_URL": f"{provider.address}/.well-known/openid-configuration",
            "CLIENT_ID": oidc.CLIENT_ID,
            "CLIENT_SECRET": oidc.CLIENT_SECRET,
            "REDIRECT_URI": f"{desk}/oauth2callback",
            "COOKIE_SECRET": "a-long-secret-for-cookies-of-this-test-only",
        }
        for name, value in environment.items():
            patch.setenv(signin.PREFIX + name, value)
        patch.setenv("LIFELINE_SIGN_IN_ALLOWED", "@example.org")
        child = ui.launch(home, port)
        try:
            ui.wait_until_ready(child, port, timeout_s=120)
            yield desk, home, provider, child.pid
        finally:
            ui.stop(child)


@pytest.mark.browser
def test_a_ruling_carries_the_name_of_who_signed_in(chromium, asked_to_sign_in):
    """Nothing is shown before; the provider is asked with PKCE; afterwards one key makes a ruling by that address; signing out ends it."""
    desk, home, provider, pid = asked_to_sign_in
    provider.person = {"email": "ana@example.org", "email_verified": True, "name": "Ana"}
    visitor = Visitor(chromium, desk)
    visitor.open("/review")
    assert visitor.page.get_by_text("This desk asks you to sign in first.").count() == 1
    assert visitor.page.locator("h1").count() == 0
    visitor.page.get_by_role("button", name="Sign in").click()
    visitor.page.get_by_text("Signed in as ana@example.org").wait_for(timeout=30_000)
    assert "/token" in provider.asked
    visitor.open("/review")
    visitor.page.locator("h1").click()
    visitor.page.keyboard.press("y")
    visitor.page.get_by_text("Decisions: 1").wait_for(timeout=30_000)
    assert [one.ruled_by for one in rulings.read(home / "rulings")[0]] == ["ana@example.org"]
    visitor.page.get_by_role("button", name="Sign out").click()
    visitor.page.get_by_text("This desk asks you to sign in first.").wait_for(timeout=30_000)
    visitor.context.close()
    with open(f"/proc/{pid}/cmdline", encoding="utf-8") as words:
        assert oidc.CLIENT_SECRET not in words.read()


@pytest.mark.browser
def test_whom_the_provider_knows_and_the_list_does_not_sees_nothing(chromium, asked_to_sign_in):
    """A stranger with an account at the provider is told so, and gets no page."""
    desk, _, provider, _ = asked_to_sign_in
    provider.person = {"email": "eve@elsewhere.test", "email_verified": True}
    visitor = Visitor(chromium, desk)
    visitor.open("/")
    visitor.page.get_by_role("button", name="Sign in").click()
    visitor.page.get_by_text("who is not on the list").wait_for(timeout=30_000)
    assert visitor.page.locator("h1").count() == 0
    assert visitor.count("stMetric") == 0
    visitor.context.close()


def test_secrets_come_from_the_environment_or_a_file(tmp_path):
    """All five variables or none; the file of the home counts, too; a file that is no TOML is said to be none."""
    assert signin.from_environment({}) == {}
    assert signin.from_environment(GIVEN)["auth"]["client_secret"] == "s"
    with pytest.raises(SettingsError, match="LIFELINE_OIDC_COOKIE_SECRET is not set"):
        signin.from_environment({**GIVEN, "LIFELINE_OIDC_COOKIE_SECRET": ""})
    (tmp_path / "secret").write_text("from a file\n", encoding="utf-8")
    by_file = {**GIVEN, "LIFELINE_OIDC_CLIENT_SECRET": "", "LIFELINE_OIDC_CLIENT_SECRET_FILE": str(tmp_path / "secret")}
    assert signin.from_environment(by_file)["auth"]["client_secret"] == "from a file"
    assert not signin.is_configured(tmp_path, {})
    file = tmp_path / ".streamlit" / "secrets.toml"
    file.parent.mkdir()
    file.write_text('[auth]\nclient_id = "x"\n', encoding="utf-8")
    assert signin.is_configured(tmp_path, {})
    file.write_text("[auth", encoding="utf-8")
    with pytest.raises(SettingsError, match="is not valid TOML"):
        signin.is_configured(tmp_path, {})


@pytest.mark.parametrize(
    ("address", "env", "is_refused"),
    [
        ("127.0.0.1", {}, False),
        ("::1", {}, False),
        ("localhost", {}, False),
        ("0.0.0.0", {}, True),
        ("::", {}, True),
        ("192.0.2.7", {}, True),
        ("desk.example.org", {}, True),
        ("0.0.0.0", GIVEN, False),
        ("0.0.0.0", {"LIFELINE_OPEN_DESK": "1"}, False),
    ],
)
def test_no_network_sees_the_desk_without_sign_in(home, address, env, is_refused):
    """Beyond loopback the desk is refused, unless people sign in or the operator says that something else keeps strangers out."""
    found = settings.load({"LIFELINE_HOME": str(home), **env})
    if is_refused:
        with pytest.raises(UsageError, match="no sign-in is configured"):
            ui.check_address(found, address, env)
    else:
        ui.check_address(found, address, env)


@pytest.mark.parametrize(
    ("claims", "allowed", "is_let_in"),
    [
        ({"email": "a@x.org"}, "", True),
        ({"email": "A@X.org"}, "a@x.org", True),
        ({"email": "a@x.org"}, "@x.org, b@y.org", True),
        ({"email": "a@evil-x.org"}, "@x.org", False),
        ({"email": "a@x.org.evil.test"}, "@x.org", False),
        ({"email": "a@x.org", "email_verified": False}, "@x.org", False),
        ({"name": "a@x.org"}, "@x.org", False),
    ],
)
def test_the_list_says_who_may_enter(claims, allowed, is_let_in):
    """Whole addresses and whole domains; an address that is not verified, or none, is nobody's."""
    assert signin.may_enter(claims, allowed) is is_let_in
