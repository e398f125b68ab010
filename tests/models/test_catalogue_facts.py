"""What the shipped catalogue promises: named facts are there, every fact has a source, and no two facts contradict each other."""

from __future__ import annotations

import csv
import re
from collections import Counter
from datetime import date

import pytest

from models import catalogue
from models.catalogue import SHIPPED

ENDED = {"shut_down", "acquired", "pivoted"}
SIGNAL_KINDS = {"feed", "changelog", "repository", "pypi", "npm"}
PROVIDER_KINDS = {"lab", "incumbent", "infrastructure", "app_layer", "framework", "media"}
README_ENDS = {"", "archived", "discontinued", "maintenance", "moved", "pivoted", "unmaintained"}

# Products and jumps that the essays behind the tracker name.
NAMED_PRODUCTS = (
    "chatpdf m365-copilot langchain guidance-lib hugging-face civitai autogpt babyagi jasper runway midjourney bard chatgpt-plugins gpt-store "
    "promptbase prompthero monica poe ernie-bot dreamstudio automatic1111-webui comfyui invokeai"
).split()
NAMED_JUMPS = {
    "openai-chatgpt-launch": "2022-11-30",
    "openai-chatgpt-gpt4": "2023-03-14",
    "openai-gpt4-vision-api": "2023-11-06",
    "openai-chatgpt-vision-voice": "2023-09-25",
    "openai-function-calling": "2023-06-13",
    "openai-completions-deprecation-announced": "2023-07-06",
    "openai-completions-models-retired": "2024-01-04",
    "openai-chatgpt-plugins-alpha": "2023-03-23",
    "openai-plugins-retired": "2024-04-09",
    "openai-gpts": "2023-11-06",
    "openai-gpt-store": "2024-01-10",
    "openai-chatgpt-pdf-upload": "2023-10-29",
    "microsoft-365-copilot-announced": "2023-03-16",
    "microsoft-365-copilot-ga": "2023-11-01",
    "meta-llama1": "2023-02-24",
    "meta-llama2": "2023-07-18",
    "yi-34b": "2023-11-02",
    "google-gemini-1-announced": "2023-12-06",
}


def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of a shipped file as they stand, all text."""
    with (SHIPPED / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle, strict=True))


def is_web_address(text: str) -> bool:
    return text.startswith(("http://", "https://")) and not set(text) & set(' "<>')


@pytest.fixture(scope="module")
def shipped():
    """The shipped catalogue, through the same door as any other file."""
    return catalogue.load()


@pytest.mark.parametrize("product_id", NAMED_PRODUCTS)
def test_a_product_of_the_essays_is_there(shipped, product_id):
    """Every product that the essays name can be looked up, with what it sells."""
    (row,) = [row for row in shipped.products if row["product_id"] == product_id]
    assert row["sells"]
    assert row["launched_on"]


@pytest.mark.parametrize(("jump_id", "day"), NAMED_JUMPS.items())
def test_a_jump_of_the_essays_is_there(shipped, jump_id, day):
    """Every jump that the essays name stands in the catalogue on its day."""
    (row,) = [row for row in shipped.jumps if row["jump_id"] == jump_id]
    assert row["date"] == date.fromisoformat(day)


def test_every_jump_has_a_source_and_a_sentence(shipped):
    """A jump without an address or without a summary would be a claim without evidence."""
    bare = [row["jump_id"] for row in shipped.jumps if not row["summary"] or not is_web_address(row["source_url"] or "")]
    assert bare == []


def test_every_product_has_a_source(shipped):
    """Each product carries the address of its launch or of its fate, and nothing that is no address."""
    for row in shipped.products:
        links = [row[name] for name in ("source_url_launch", "source_url_status") if row[name]]
        assert links, row["product_id"]
        assert all(map(is_web_address, links)), row["product_id"]


def test_an_end_is_dated_or_bounded_never_both(shipped):
    """An ended product has its date, or the day it was seen gone; a living one has neither."""
    for row in shipped.products:
        known = [name for name in ("ended_on", "gone_by") if row[name]]
        assert len(known) == (1 if row["outcome"] in ENDED else 0), row["product_id"]
        if row["gone_by"] and row["last_alive_on"]:
            assert row["last_alive_on"] <= row["gone_by"], row["product_id"]


def test_alive_means_seen_alive(shipped):
    """No product counts as alive without the day on which it was last seen; a fate nobody looked at stays empty."""
    unseen = [row["product_id"] for row in shipped.products if row["outcome"] == "alive" and not row["last_alive_on"]]
    assert unseen == []


def test_nothing_stands_twice(shipped):
    """One name is one product; one thing of one provider on one surface and day is one jump."""
    names = Counter(row["name"].casefold() for row in shipped.products)
    things = Counter((row["provider"], row["platform"], row["model_or_feature"], row["date"]) for row in shipped.jumps)
    assert [name for name, n in (names + things).items() if n > 1] == []


def test_a_retirement_says_so(shipped):
    """What breaks callers carries api_deprecation; only the end of a feature inside an app may go without."""
    silent = [row for row in shipped.jumps if row["stage"] == "retired" and "api_deprecation" not in row["capabilities"]]
    assert {row["reach"] for row in silent} <= {"consumer", "suite", "device"}


def test_providers_cover_jumps_and_sources(shipped):
    """Each provider of a jump or source is known by its canonical name."""
    known = {row["provider"] for row in rows_of("providers.csv")}
    used = {row["provider"] for row in [*shipped.jumps, *shipped.sources] if row["provider"]}
    assert used - known == set()


def test_no_name_or_site_belongs_to_two_providers():
    """A name or host leads to one provider; hosts are bare, kinds come from a closed set."""
    names, hosts = Counter(), Counter()
    for row in rows_of("providers.csv"):
        assert row["kind"] in PROVIDER_KINDS, row["provider"]
        lists = {name: [part for part in row[name].split(";") if part] for name in ("aliases", "site_hosts")}
        names.update({name.casefold() for name in [row["provider"], row["name_zh"], *lists["aliases"]] if name})
        hosts.update(lists["site_hosts"])
        assert not any("/" in host or host != host.lower() or host.startswith("www.") for host in lists["site_hosts"]), row[
            "provider"
        ]
    assert [name for name, n in names.items() if n > 1] == []
    assert [host for host, n in hosts.items() if n > 1] == []


def test_there_are_sources_enough_in_both_languages(shipped):
    """At least 60 live sources ship, of every kind that the tracker reads, English and Chinese, each address once."""
    live = [row for row in shipped.sources if row["is_active"]]
    assert len(live) >= 60
    assert {"feed", "changelog", "registry", "hackernews"} <= {row["kind"] for row in live}
    assert Counter(row["lang"] for row in live)["zh"] >= 15
    assert max(Counter(row["url"] for row in shipped.sources).values()) == 1


def test_a_check_of_a_source_is_never_claimed_without_saying_how(shipped):
    """`checked` is stored or unchecked; what was seen comes with a note on where."""
    for row in shipped.sources:
        assert row["checked"] in ("stored", "unchecked"), row["source_id"]
        assert row["checked"] == "unchecked" or row["checked_note"], row["source_id"]


def test_signs_of_life_belong_to_products(shipped):
    """Each sign of life names a product of the catalogue, a kind and an address, once."""
    signals = rows_of("signals.csv")
    assert len(signals) >= 120
    assert {row["product_id"] for row in signals} <= {row["product_id"] for row in shipped.products}
    assert {row["kind"] for row in signals} <= SIGNAL_KINDS
    assert all(is_web_address(row["url"]) for row in signals)
    assert max(Counter((row["product_id"], row["url"]) for row in signals).values()) == 1


def test_activity_stays_within_what_could_be_seen():
    """Months of commits lie between the first commit and the day of the snapshot; a repository stands once."""
    rows = rows_of("oss_activity.csv")
    assert max(Counter(row["repo"].casefold() for row in rows).values()) == 1
    for row in rows:
        months = [part.split(":")[0] for part in row["monthly"].split(";") if part]
        assert months == sorted(set(months)), row["product_id"]
        assert all(row["first_commit_on"][:7] <= month <= row["snapshot_on"][:7] for month in months), row["product_id"]
        assert row["readme_end"] in README_ENDS, row["product_id"]


# bought by a provider later, made by two, or by a namesake: what the provider does is not their own
NOT_THEIR_OWN = {"superhuman", "fig-terminal", "modyfi", "supermaven", "clipdrop", "doubao-qwen-agent-builder", "magic-studio"}


def test_no_vendor_hides_a_provider():
    """A provider's jumps do not overtake its own product, so a vendor that is one is called by one of its names."""
    from models.survival.tables import provider_aliases

    names = {row["name"] for row in provider_aliases()}
    vendors = {row["product_id"]: (row["vendor"] or "").lower() for row in catalogue.load().products}
    hidden = {
        key
        for key, vendor in vendors.items()
        if vendor not in names and any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", vendor) for name in names)
    }
    assert hidden == NOT_THEIR_OWN
