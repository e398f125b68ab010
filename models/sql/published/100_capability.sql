create or replace view pub.capability as
select id, segment, name_en, name_zh, definition, excludes
from main.capability_term where kind = 'capability';
comment on view pub.capability is 'One row per capability label.';
comment on column pub.capability.id is 'Label';
comment on column pub.capability.segment is 'eye, brain, hand, make, terms or platform';
comment on column pub.capability.name_en is 'English name';
comment on column pub.capability.name_zh is 'Chinese name';
comment on column pub.capability.definition is 'What it is';
comment on column pub.capability.excludes is 'What it is not';
