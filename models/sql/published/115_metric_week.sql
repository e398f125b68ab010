create or replace view pub.metric_week as
with facts as (
    select jump.jump_id, date_trunc('week', jump.happened_on)::date as week, jump.provider, jump.origin, jump.is_confirmed,
        coalesce(labels.labels, ['']) as labels,
        coalesce(documents.has_official, false) as has_official,
        case when documents.published_on is not null then greatest(0, datediff('day', documents.published_on, jump.known_on)) end as latency_days
    from main.jump
    left join (select jump_id, list(capability) as labels from main.jump_capability group by all) as labels using (jump_id)
    left join (
        select jump_document.jump_id, bool_or(source.tier = 'official') as has_official, min(document.published_at)::date as published_on
        from main.jump_document join main.document using (document_id) left join main.source using (source_id) group by all
    ) as documents using (jump_id)
)
select week, provider, label as capability, count(*)::integer as n_jumps,
    count(*) filter (origin = 'detected')::integer as n_detected, count(*) filter (is_confirmed)::integer as n_confirmed,
    count(*) filter (has_official)::integer as n_official, median(latency_days) as latency_days
from (select * exclude labels, unnest(labels) as label from facts)
group by all;
comment on view pub.metric_week is 'One row per week, provider and capability: how many jumps, how soon and how well they were seen. A jump counts once for each of its capabilities.';
comment on column pub.metric_week.week is 'Monday of the week in which the jumps took effect';
comment on column pub.metric_week.provider is 'Who jumps';
comment on column pub.metric_week.capability is 'Capability label; empty for a jump without one';
comment on column pub.metric_week.n_jumps is 'Jumps';
comment on column pub.metric_week.n_detected is 'Jumps known from documents alone';
comment on column pub.metric_week.n_confirmed is 'Jumps that a person checked';
comment on column pub.metric_week.n_official is 'Jumps with a document of an official source';
comment on column pub.metric_week.latency_days is 'Median days from the first publication to the day it was known here; null without documents';
