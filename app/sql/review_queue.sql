-- One row per thing that waits for a decision: how sure the detectors and the tagger are, and how many lifelines hang on it. Not in order.
with hanging as (
    select jump_id, sum(weight) as n_lifelines
    from (select jump_id, product_id, least(1, sum(weight)) as weight from exposure group by all)
    group by all
), of_document as (
    select document_id, max(n_lifelines) as n_lifelines
    from jump_document join hanging using (jump_id)
    group by all
)
select
    case when kind = 'end' then 'end' else 'proposal' end as kind, 'proposal' as relation, proposal_id as key,
    0.5 as chance, null::double as kind_chance, 1.0 as n_lifelines, proposed_on as since
from proposal
where status = 'open'
union all by name
select
    'jump' as kind, 'jump' as relation, jump_id as key,
    confidence as chance, null::double as kind_chance, coalesce(n_lifelines, 0) as n_lifelines, known_on as since
from jump
left join hanging using (jump_id)
where not coalesce(is_confirmed, false) and origin in ('detected', 'registry')
union all by name
select
    'tag' as kind, 'tag' as relation, document_id || ':' || capability as key,
    tag.score as chance, document_kind.score as kind_chance, coalesce(n_lifelines, 0) as n_lifelines, first_seen_at::date as since
from tag
join document using (document_id)
left join document_kind using (document_id)
left join of_document using (document_id)
where tag.is_confirmed is null;
