create or replace view pub.change as
select changed_at, relation, key, field, before, after, why
from main.change;
comment on view pub.change is 'One row per change of a published fact.';
comment on column pub.change.changed_at is 'When (UTC)';
comment on column pub.change.relation is 'Relation';
comment on column pub.change.key is 'Key of the row';
comment on column pub.change.field is 'Column';
comment on column pub.change.before is 'Old value';
comment on column pub.change.after is 'New value';
comment on column pub.change.why is 'Run, ruling or conflict that made it';
