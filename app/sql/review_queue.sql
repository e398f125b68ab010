-- One row per thing that waits for a decision, what matters most first: proposals, heavy jumps nobody confirmed, tags near their threshold.
with reached as (
    select jump_id, count(distinct product_id) as n from exposure group by all
), jumps as (
    select
        'jump' as relation, jump_id as key, coalesce(provider || ' · ', '') || coalesce(nullif(release, ''), jump_id) as title,
        10 * coalesce(weight, 0.1) * ln(2 + coalesce(reached.n, 0)) * (1.2 - coalesce(confidence, 0.5)) as matters, known_on as since,
        summary as detail, confidence as score
    from jump
    left join reached using (jump_id)
    where not coalesce(is_confirmed, false) and origin in ('detected', 'registry')
), tags as (
    select
        'tag' as relation, document_id || ':' || capability as key, title, 2 * (1 - score) as matters,
        first_seen_at::date as since, evidence as detail, score
    from tag
    join document using (document_id)
    where is_confirmed is null
    order by score
    limit 300
), proposals as (
    select
        case when kind = 'end' then 'end' else 'proposal' end as kind, proposal_id as key, subject || ' · ' || kind as title, 20.0 as matters,
        proposed_on as since, reason as detail, null::double as score
    from proposal
    where status = 'open'
)
select * from (
    select kind, 'proposal' as relation, * exclude (kind) from proposals
    union all by name
    select 'jump' as kind, * from jumps
    union all by name
    select 'tag' as kind, * from tags
)
where len($kinds::varchar[]) = 0 or list_contains($kinds::varchar[], kind)
order by matters desc, since desc, key
limit 500;
