"""The files that make containers: they hold together, hold no secret, and say what the program really has."""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import subprocess
import tomllib

import pytest

from app.cli import COMMANDS
from models import settings
from tests.deploy.compose import DEPLOY, FILE, OURS, ROOT, environment, read, services

OIDC = re.compile(r"LIFELINE_OIDC_(METADATA_URL|CLIENT_ID|CLIENT_SECRET|REDIRECT_URI|COOKIE_SECRET)")


def instructions():
    """The Dockerfile's instructions, continued lines joined."""
    text = re.sub(r"\\\n\s*", " ", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"))
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in lines]


def test_the_compose_file_is_one_that_compose_takes():
    """Compose itself reads it, with the example's values and with the GPU's overlay; without values it says which is missing."""
    tool = shutil.which("docker-compose")
    if not tool:
        pytest.skip("docker-compose is not installed")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LIFELINE_", "COMPOSE_"))}
    files = ["-f", str(FILE), "-f", str(DEPLOY / "compose.cuda.yaml")]
    for some in (files[:2], files):
        command = [tool, *some, "--env-file", str(DEPLOY / "example.env"), "config", "--quiet"]
        assert subprocess.run(command, env=clean, capture_output=True, text=True, check=False).stderr == ""
    done = subprocess.run([tool, *files, "config", "--quiet"], env=clean, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "LIFELINE_" in done.stderr


def test_every_service_restarts_and_is_watched():
    """Each service has a restart policy; each has a health check of its own, or the image's with an address that answers."""
    for name, service in services().items():
        assert service["restart"] in ("unless-stopped", "on-failure"), name
        watched = "test" in service.get("healthcheck", {}) or "HEALTH_URL" in environment(service)
        assert watched or service["healthcheck"] == {"disable": True}, name
        waits = service.get("depends_on", {}).values()
        assert all(wait["condition"] in ("service_healthy", "service_completed_successfully") for wait in waits)


def test_no_secret_stands_in_an_environment():
    """Whatever is secret comes by file, from deploy/secrets/, which git and the image leave out; every file used is declared."""
    found = read()
    for name, service in found["services"].items():
        for variable, value in environment(service).items():
            if re.search("PASSWORD|SECRET|AUTH_STRING|NOTIFY", variable):
                assert variable.endswith("_FILE"), variable
                assert value.removeprefix("/run/secrets/") in service["secrets"], (name, variable)
    assert {secret["file"] for secret in found["secrets"].values()} == {f"./secrets/{name}" for name in found["secrets"]}
    assert "deploy/secrets/" in (ROOT / ".gitignore").read_text().split()
    assert not is_sent("deploy/secrets/postgres_password")


def test_only_the_proxy_is_reached_from_outside():
    """The pages of server and watch are for this machine; database and desk publish no port, and the database's network leads nowhere."""
    found = read()
    ports = {name: service["ports"] for name, service in found["services"].items() if "ports" in service}
    assert ports == {"server": ["127.0.0.1:4200:4200"], "watch": ["127.0.0.1:9109:9109"], "proxy": ["80:80", "443:443"]}
    assert found["networks"]["inside"] == {"internal": True}
    assert found["services"]["postgres"]["networks"] == ["inside"]


def test_our_containers_have_no_rights_and_one_writes_the_home():
    """No capabilities, a read-only root; the desk reads the home and writes only where people decide."""
    found = services()
    for name in OURS:
        assert (found[name]["read_only"], found[name]["cap_drop"]) == (True, ["ALL"])
    desk = dict(volume.split(":", 1) for volume in found["ui"]["volumes"])
    assert desk.pop("home") == "/var/lib/lifeline:ro"
    assert sorted(desk) == ["catalogue", "rulings", "watchlists"]
    assert set(found["worker"]["volumes"]) >= {f"{name}:{place}" for name, place in desk.items()}


def test_every_variable_is_a_setting():
    """Names of variables are those of the program and of Prefect, so that none is silently ignored."""
    from prefect.settings import Settings
    from prefect.settings.base import PrefectBaseSettings

    def names(model: type[PrefectBaseSettings]) -> set[str]:
        found = set()
        for field in model.model_fields.values():
            alias = field.validation_alias
            found |= {str(choice).upper() for choice in getattr(alias, "choices", [alias]) if isinstance(choice, str)}
            if isinstance(field.annotation, type) and issubclass(field.annotation, PrefectBaseSettings):
                prefix = field.annotation.model_config.get("env_prefix", "").upper()
                found |= {prefix + name.upper() for name in field.annotation.model_fields} | names(field.annotation)
        return found

    known = names(Settings) | {"PREFECT_" + name.upper() for name in Settings.model_fields}
    for service in map(services().get, OURS):
        for variable in environment(service):
            bare = variable.removesuffix("_FILE")
            if bare.startswith("PREFECT_"):
                assert bare in known, variable
            elif bare.startswith("LIFELINE_") and not OIDC.fullmatch(bare):
                assert bare.removeprefix("LIFELINE_").lower() in settings.KNOWN, variable


def is_sent(path: str) -> bool:
    """Whether .dockerignore lets a path go to the engine; the last pattern that fits decides."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        if line and not line.startswith("#") and (fnmatch.fnmatch(path, pattern) or path.startswith(f"{pattern}/")):
            sent = line.startswith("!")
    return sent


def test_the_image_is_built_from_what_is_there():
    """Every path that is copied exists and is sent to the engine; everything that the package needs is copied."""
    sources = []
    for name, words in instructions():
        if name == "COPY" and "--from" not in words:
            sources += [word for word in words.split()[:-1] if not word.startswith("--")]
    for source in sources:
        assert (ROOT / source).exists(), source
        assert is_sent(source if (ROOT / source).is_file() else f"{source}/__init__.py"), source
    package = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shipped = package["tool"]["setuptools"]["data-files"]["share/lifeline"]
    assert set(sources) >= {*shipped, "models", "flows", "app", "pyproject.toml", "constraints.txt", package["project"]["readme"]}
    assert not is_sent("tests/conftest.py")
    assert not is_sent(".env")


def test_the_image_runs_without_rights():
    """An account of its own, a health check, both variants, and no secret baked in."""
    steps = instructions()
    assert [words for name, words in steps if name == "USER"] == ["lifeline"]
    assert [name for name, _ in steps].count("HEALTHCHECK") == 1
    build = " ".join(words for name, words in steps if name in ("RUN", "ARG"))
    assert all(part in build for part in ("VARIANT=cpu", "cpu)", "cuda)", "--uid 10001"))
    baked = [words for name, words in steps if name in ("ENV", "ARG") and re.search("PASSWORD|SECRET|TOKEN|AUTH", words)]
    assert baked == []


def test_the_commands_are_there():
    """What containers run is a command of the program, or one of Prefect's own that takes these options."""
    for name in OURS:
        program, *words = services()[name]["command"]
        assert program in ("lifeline", "prefect")
        if program == "lifeline":
            assert words[0] in COMMANDS
    assert os.access(DEPLOY / "entrypoint.sh", os.X_OK)
    assert os.access(DEPLOY / "make_secrets.sh", os.X_OK)


def test_the_entry_point_takes_values_from_files(tmp_path):
    """`PREFECT_X_FILE` becomes `PREFECT_X`; our own settings keep their file; one that cannot be read stops the container in words."""
    (tmp_path / "secret").write_text("a word with $signs and 'quotes'\n")
    told = {"PATH": os.environ["PATH"], "PREFECT_X_FILE": str(tmp_path / "secret"), "LIFELINE_Y_FILE": "/there"}
    shown = ["sh", "-c", 'printf "%s|%s|%s" "$PREFECT_X" "${PREFECT_X_FILE-none}" "$LIFELINE_Y_FILE"']
    done = subprocess.run([DEPLOY / "entrypoint.sh", *shown], env=told, capture_output=True, text=True, check=True)
    assert done.stdout == "a word with $signs and 'quotes'|none|/there"
    told["PREFECT_X_FILE"] = str(tmp_path / "gone")
    done = subprocess.run([DEPLOY / "entrypoint.sh", *shown], env=told, capture_output=True, text=True, check=False)
    assert (done.returncode, "cannot be read" in done.stderr) == (2, True)


def test_secrets_are_made_once(tmp_path):
    """Missing files are made, readable to the containers in a folder closed to others; what is there stays as it is."""
    shutil.copy(DEPLOY / "make_secrets.sh", tmp_path)
    for _ in range(2):
        subprocess.run([tmp_path / "make_secrets.sh"], check=True, capture_output=True)
        made = {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()}
        assert set(made) == set(read()["secrets"])
        assert len(made["postgres_password"]) == 64
        kept = made["postgres_password"]
    assert made["postgres_password"] == kept
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


def test_the_proxy_takes_its_file():
    """Caddy itself validates it."""
    if not shutil.which("caddy"):
        pytest.skip("caddy is not installed")
    command = ["caddy", "validate", "--config", str(DEPLOY / "Caddyfile"), "--adapter", "caddyfile"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "program"), [("lifeline-server", "prefect"), ("lifeline-worker", "prefect"), ("lifeline-watch", "lifeline")]
)
def test_the_units_are_ones_that_systemd_takes(tmp_path, name, program):
    """Systemd itself finds nothing to say about them; they run what the package puts beside the program, and restart it."""
    text = (DEPLOY / f"{name}.service").read_text()
    programs = {word for word in text.split() if word.startswith("/opt/lifeline/bin/")}
    assert programs == {f"/opt/lifeline/bin/{program}"}
    assert "Restart=always" in text
    for variable in re.findall(r"^Environment=(\w+)=", text, re.MULTILINE):
        assert not re.search("PASSWORD|AUTH_STRING|CONNECTION_URL", variable) or variable.endswith("_FILE")
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / f"{name}.service"
    unit.write_text(text.replace("/opt/lifeline/share/lifeline", str(DEPLOY)))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if name in line] == []
