create or replace view pub.posterior as
select part, value
from main.posterior;
comment on view pub.posterior is 'One row per part of the last fit: what a what-if stands on.';
comment on column pub.posterior.part is 'terms, draws, paths, donors or constants';
comment on column pub.posterior.value is 'Content, as JSON';
