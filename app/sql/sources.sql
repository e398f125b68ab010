-- One row per source, those in trouble first.
select
    source_id, title, kind, tier, provider, lang, health, health_since_at, last_fetch_at, last_success_at, n_documents, n_failures,
    last_error, every_hours, url, site, moved_to, is_active,
    (select max(coalesce(published_at, first_seen_at)) from document where document.source_id = source.source_id) as newest_at
from source
where (len($kinds::varchar[]) = 0 or list_contains($kinds::varchar[], kind))
  and (len($healths::varchar[]) = 0 or list_contains($healths::varchar[], coalesce(health, 'never')))
  and ($q = '' or contains(lower(concat_ws(' ', title, provider, url)), lower($q)))
  and ($all or is_active)
order by
    case health when 'failing' then 0 when 'blocked' then 1 when 'not_a_feed' then 2 when 'gone' then 3 when 'moved' then 4
        when 'stale' then 5 when 'empty' then 6 when 'fine' then 8 else 7 end,
    n_failures desc, lower(title);
