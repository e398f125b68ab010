create or replace view pub.taxonomy_term as
select id, kind, segment, name_en, name_zh, definition, excludes
from main.capability_term;
comment on view pub.taxonomy_term is 'One row per label of any kind.';
comment on column pub.taxonomy_term.id is 'Label';
comment on column pub.taxonomy_term.kind is 'capability, event_kind, wrapper_tier or outcome';
comment on column pub.taxonomy_term.segment is 'Segment of a capability';
comment on column pub.taxonomy_term.name_en is 'English name';
comment on column pub.taxonomy_term.name_zh is 'Chinese name';
comment on column pub.taxonomy_term.definition is 'What it is';
comment on column pub.taxonomy_term.excludes is 'What it is not';
