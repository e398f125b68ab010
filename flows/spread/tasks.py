"""What workers do, as Prefect tasks: their arguments are paths and small plain values, their results ids, and neither is stored."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows.spread import work

tag_shard = task(name="tag-shard", cache_policy=NO_CACHE, persist_result=False)(work.tag_shard)
fetch_shard = task(name="fetch-shard", cache_policy=NO_CACHE, persist_result=False)(work.fetch_shard)
