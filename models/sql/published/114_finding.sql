create or replace view pub.finding as
select key, value
from main.finding;
comment on view pub.finding is 'One row per statement that holds for the whole run.';
comment on column pub.finding.key is 'Name';
comment on column pub.finding.value is 'Value, as JSON';
