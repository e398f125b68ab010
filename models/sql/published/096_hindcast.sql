create or replace view pub.hindcast as
with said as (
    select *, origin_on + to_months(horizon_months) as until_on from main.hindcast
)
select
    product_id, clock, origin_on, horizon_months, p, p_low, p_high,
    case
        when until_on > (select max(as_of) from main.lifeline) then null
        when clock = 'overtaken' then coalesce(spell.overtaken_on > origin_on and spell.overtaken_on <= until_on, false)
        when spell.ended and spell.exited_on <= origin_on then null
        when spell.ended then spell.exited_on <= until_on
        when spell.exited_on >= until_on then false
    end as came,
    case when clock = 'overtaken' then spell.overtaken_on when spell.ended then spell.exited_on end as came_on
from said
join main.spell using (product_id);
comment on view pub.hindcast is 'One row per product, clock, past day and horizon: what the method would have said then, knowing only what could be known, and what came.';
comment on column pub.hindcast.product_id is 'Product';
comment on column pub.hindcast.clock is 'ended or overtaken';
comment on column pub.hindcast.origin_on is 'Day the method stood on';
comment on column pub.hindcast.horizon_months is '3, 6 or 12';
comment on column pub.hindcast.p is 'Chance of the event within the horizon';
comment on column pub.hindcast.p_low is 'Lower end of its 90 % interval; null where none is drawn';
comment on column pub.hindcast.p_high is 'Upper end of its 90 % interval';
comment on column pub.hindcast.came is 'Whether the event came within the horizon; null when that is not known (yet)';
comment on column pub.hindcast.came_on is 'Day of the event, within the horizon or later; null when it has not come';
