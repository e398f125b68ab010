-- Running sums that make any product's exposure at any month one subtraction: with C(t) = sum of p x step x 2^(m_j / half-life) over
-- jumps up to t, the exposure of a job launched at l is 2^(-t / half-life) x (C(t) - C(before l)). A viewer is a vendor that jumps
-- itself: its own jumps are left out of its sums; everybody else shares the viewer ''.
create or replace temp table viewer as
select '' as viewer
union
select distinct b.vendor_key from period as b where b.vendor_key <> '' and b.vendor_key in (select provider_key from jump_step);

create or replace temp table seen_jump as
select v.viewer, 'jump' as kind, s.capability, s.happened_on, s.m, s.p * s.step as w
from jump_step as s join viewer as v on v.viewer = '' or v.viewer <> s.provider_key
where not s.is_deprecation and s.step > 0
union all
select v.viewer, 'deprecation', d.capability, d.happened_on, d.m, d.p * d.step
from deprecated as d join viewer as v on v.viewer = '' or v.viewer <> d.provider_key
where d.step > 0;

create or replace temp table jump_sum as
with per_day as (
    select viewer, kind, capability, happened_on, any_value(m) as m, sum(w) as w
    from seen_jump group by viewer, kind, capability, happened_on
)
select viewer, kind, capability, happened_on, m,
    sum(w * pow(2, m / getvariable('half_life'))) over running as c,
    sum(w * pow(2, m / getvariable('born_in_half_life'))) over running as c_slow
from per_day
window running as (partition by viewer, kind, capability order by happened_on);

create or replace temp table jump_sum_month as
select viewer, kind, capability, month.m, last(c order by happened_on) as c
from (select viewer, kind, capability, m, c, happened_on, coalesce(lead(m) over (partition by viewer, kind, capability order by happened_on), getvariable('as_of_m') + 1) as until
      from jump_sum) as s, unnest(range(s.m::bigint, s.until::bigint)) as month(m)
group by all;
