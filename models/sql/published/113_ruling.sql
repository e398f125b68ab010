create or replace view pub.ruling as
select ruling_id, ruled_at, ruled_by, verdict, relation, key, fields, why, is_in_force
from main.ruling;
comment on view pub.ruling is 'One row per decision of an analyst.';
comment on column pub.ruling.ruling_id is 'Key';
comment on column pub.ruling.ruled_at is 'When (UTC)';
comment on column pub.ruling.ruled_by is 'Who';
comment on column pub.ruling.verdict is 'confirm, reject, correct, merge, split, add or undo';
comment on column pub.ruling.relation is 'What it is about: tag, jump, product, end';
comment on column pub.ruling.key is 'Key of the row';
comment on column pub.ruling.fields is 'Values given, as JSON';
comment on column pub.ruling.why is 'Reason in words';
comment on column pub.ruling.is_in_force is 'False when a later ruling took its place';
