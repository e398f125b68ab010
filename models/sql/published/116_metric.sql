create or replace view pub.metric as
with documented as (
    select jump_id, bool_or(source.tier = 'official') as has_official, min(document.published_at)::date as published_on
    from main.jump_document join main.document using (document_id) left join main.source using (source_id) group by all
),
latency as (
    select greatest(0, datediff('day', published_on, known_on)) as days from main.jump join documented using (jump_id) where published_on is not null
),
ruled as (
    select split_part(key, ':', 1) as document_id, split_part(key, ':', 2) as capability, verdict
    from main.ruling where relation = 'tag' and is_in_force and contains(key, ':')
),
agreement as (
    select ruled.verdict,
        exists (
            from main.tagging_label as label
            where label.document_id = ruled.document_id and label.capability = ruled.capability
              and label.tagger = (select value from main.meta where key = 'tagger')
        ) as is_tagged
    from ruled
)
select 'jumps' as metric, count(*)::double as value, null::integer as n from main.jump
union all select 'jumps_detected', count(*) filter (origin = 'detected'), count(*)::integer from main.jump
union all select 'share_official', avg(has_official::integer), count(*)::integer from documented
union all select 'latency_days_median', median(days), count(*)::integer from latency
union all select 'latency_days_p90', quantile_cont(days, 0.9), count(*)::integer from latency
union all select 'proposals_open', count(*) filter (status = 'open'), count(*)::integer from main.proposal
union all select 'proposal_days_waiting_max', max(datediff('day', proposed_on, getvariable('as_of')::date)) filter (status = 'open'), null from main.proposal
union all select 'rulings_in_force', count(*) filter (is_in_force), count(*)::integer from main.ruling
union all select 'tag_agreement', avg((is_tagged = (verdict in ('confirm', 'add')))::integer), count(*)::integer from agreement
union all select 'jumps_confirmed_of_ruled', avg((verdict = 'confirm')::integer), count(*)::integer
    from main.ruling where relation = 'jump' and is_in_force and verdict in ('confirm', 'reject');
comment on view pub.metric is 'One row per figure about how well detection works.';
comment on column pub.metric.metric is 'jumps, jumps_detected, share_official, latency_days_median, latency_days_p90, proposals_open, proposal_days_waiting_max, rulings_in_force, tag_agreement (share of ruled tags on which tagger and analyst agree), jumps_confirmed_of_ruled';
comment on column pub.metric.value is 'Its value; null where nothing was there to count';
comment on column pub.metric.n is 'How many it rests on';
