-- The tags in force: those of the tagger in use, less what analysts rejected, plus what they added.
create or replace view current_kind as
select document_id, coalesce(ruled.fields ->> 'event_kind', event_kind) as event_kind, kind_score as score,
    coalesce(ruled.fields ->> 'provider', provider) as provider,
    coalesce(try_cast(ruled.fields ->> 'magnitude' as integer), magnitude) as magnitude, tagger
from tagging
left join (select key, fields from ruling where relation = 'tag' and verdict = 'correct' and is_in_force) as ruled
    on ruled.key = document_id
where tagger = (select value from meta where key = 'tagger');

create or replace view current_tag as
with verdicts as (
    select split_part(key, ':', 1) as document_id, split_part(key, ':', 2) as capability, verdict
    from ruling where relation = 'tag' and is_in_force and contains(key, ':')
)
select document_id, capability, score, tagger, case verdict when 'confirm' then true end as is_confirmed, evidence
from tagging_label
left join verdicts using (document_id, capability)
where tagger = (select value from meta where key = 'tagger') and coalesce(verdict, '') <> 'reject'
union all
select document_id, capability, 1.0, 'ruling', true, null
from verdicts
where verdict = 'add'
  and not exists (
      from tagging_label as label
      where label.document_id = verdicts.document_id and label.capability = verdicts.capability
        and label.tagger = (select value from meta where key = 'tagger')
  );
