-- Grain: document known on $as_of that may report a jump (or what happened to a product), with its best source and the tags in force.
with listed as (
    select document_id, source_id, coalesce(source.tier, 'press') as tier, source.provider,
        case coalesce(source.tier, 'press') when 'official' then 0 when 'registry' then 1 when 'press' then 2 else 3 end as rank
    from document_source left join source using (source_id)
    where document_source.first_seen_at < $as_of::date + interval 1 day
),
best as (
    select document_id, arg_min(source_id, (rank, source_id)) as source_id, arg_min(tier, (rank, source_id)) as tier,
        arg_min(provider, (rank, source_id)) as provider
    from listed group by all
),
tags as (
    select document_id, kind_scores, scores, provider, magnitude, event_kind
    from tagging where tagger = (select value from meta where key = 'tagger')
),
-- sources that stamp everything with the first or the last day of a month know no days
coarse as (
    select source_id from document where published_at is not null group by all
    having count(*) >= 4 and (bool_and(day(published_at) = 1) or bool_and(published_at::date = last_day(published_at::date)))
),
ruled as (
    select case when contains(key, ':') then split_part(key, ':', 1) else key end as document_id,
        string_agg(concat_ws(' ', key, verdict, fields), ';' order by ruled_at, ruling_id) as rulings
    from ruling where relation = 'tag' and is_in_force group by all
)
select document.document_id, document.url, document.title, document.text[:1200] as text, document.lang,
    document.published_at::date as published_on, document.first_seen_at::date as first_seen_on, best.tier, best.source_id,
    best.provider as source_provider, tags.kind_scores::varchar as kind_scores, tags.scores::varchar as scores, tags.provider,
    tags.magnitude, document.facts::varchar as facts,
    document.source_id not in (from coarse) as is_day_known, ruled.rulings
from document
left join best using (document_id)
left join tags using (document_id)
left join ruled on ruled.document_id = document.document_id
where document.first_seen_at < $as_of::date + interval 1 day
  and (
      document.facts is not null or ruled.document_id is not null
      or coalesce((tags.kind_scores ->> 'capability_jump')::double, 0) + coalesce((tags.kind_scores ->> 'product_shutdown')::double, 0) >= 0.08
  )
