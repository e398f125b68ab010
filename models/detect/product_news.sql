-- Grain: document known on $as_of whose event kind is about a product, with its best source.
with kinds as (
    select document_id, event_kind, coalesce(kind_score, 0) as score, provider, products
    from tagging
    where tagger = (select value from meta where key = 'tagger')
      and event_kind in ('product_shutdown', 'product_acquired', 'product_pivot', 'product_launch')
),
listed as (
    select document_id, arg_min(source_id, (coalesce(source.tier, 'press') <> 'official', source_id)) as source_id,
        arg_min(coalesce(source.tier, 'press'), (coalesce(source.tier, 'press') <> 'official', source_id)) as tier
    from document_source left join source using (source_id)
    where document_id in (select document_id from kinds)
    group by all
)
select document_id, coalesce(url, '') as url, coalesce(title, '') as title, coalesce(text[:800], '') as text, coalesce(listed.source_id, '') as source_id,
    coalesce(listed.tier, 'press') as tier, least(coalesce(published_at, first_seen_at), first_seen_at)::date as dated_on,
    coalesce(current_kind.event_kind, kinds.event_kind) as event_kind, kinds.score, coalesce(kinds.products[1], kinds.provider, '') as product
from kinds
join document using (document_id)
left join listed using (document_id)
left join current_kind using (document_id)
where first_seen_at < $as_of::date + interval 1 day
order by document_id
