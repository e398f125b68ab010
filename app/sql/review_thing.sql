-- One row: what the review page says of one thing of its queue.
select 'jump' as relation, jump_id as key, coalesce(provider || ' · ', '') || coalesce(nullif(release, ''), jump_id) as title, summary as detail
from jump
where $relation = 'jump' and jump_id = $key
union all by name
select 'tag' as relation, $key as key, title, evidence as detail
from tag
join document using (document_id)
where $relation = 'tag' and document_id || ':' || capability = $key
union all by name
select 'proposal' as relation, proposal_id as key, subject || ' · ' || kind as title, reason as detail
from proposal
where $relation = 'proposal' and proposal_id = $key;
