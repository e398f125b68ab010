create or replace view pub.spell as
select product_id, entered_on, exited_on, ended, outcome, age_months, overtaken_on, weight
from main.spell;
comment on view pub.spell is 'One row per product: its time under observation.';
comment on column pub.spell.product_id is 'Product';
comment on column pub.spell.entered_on is 'Observed from: launch, or the day its list was dated';
comment on column pub.spell.exited_on is 'End, last seen alive, or as_of';
comment on column pub.spell.ended is 'Whether it ended';
comment on column pub.spell.outcome is 'Manner of the end';
comment on column pub.spell.age_months is 'Age at exit, months';
comment on column pub.spell.overtaken_on is 'First month in which decisive jumps of other vendors cover half of what it sells';
comment on column pub.spell.weight is 'Weight in the fit';
