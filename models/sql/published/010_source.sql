create or replace view pub.source as
select source_id, title, kind, url, site, provider, lang, tier, product_id, every_hours, is_active and retired_at is null as is_active, health, health_since_at,
    last_fetch_at, last_success_at, coalesce(listed.n, 0) as n_documents, n_failures, last_error, moved_to
from main.source left join (select source_id, count(*)::integer as n from main.document_source group by all) as listed using (source_id);
comment on view pub.source is 'One row per source: where documents come from, with its health.';
comment on column pub.source.source_id is 'Key';
comment on column pub.source.title is 'Name for people';
comment on column pub.source.kind is 'feed, changelog, registry, sitemap, hackernews, archive, liveness, or auto: seen from the answer; releases, commits and npm are counted as signs of life only';
comment on column pub.source.url is 'Address that is fetched';
comment on column pub.source.site is 'Page for people';
comment on column pub.source.provider is 'Platform that publishes it, if one does';
comment on column pub.source.lang is 'en, zh or empty for mixed';
comment on column pub.source.tier is 'Standing as evidence: official, registry, press, discussion';
comment on column pub.source.product_id is 'Product whose signs of life it carries, if any';
comment on column pub.source.every_hours is 'Period of polling, hours';
comment on column pub.source.is_active is 'Whether it is polled; false also when the site said that it is gone for good (410)';
comment on column pub.source.health is 'fine, empty, stale, failing, blocked, moved, gone or not_a_feed; null before the first poll';
comment on column pub.source.health_since_at is 'Since when it has this health (UTC)';
comment on column pub.source.last_fetch_at is 'Last poll (UTC)';
comment on column pub.source.last_success_at is 'Last poll that brought an answer, changed or not (UTC)';
comment on column pub.source.n_documents is 'Documents that it listed';
comment on column pub.source.n_failures is 'Failures in a row';
comment on column pub.source.last_error is 'Last error in words; null when there was none';
comment on column pub.source.moved_to is 'Address that a permanent redirect gave';
