-- Exposure of every row of person_period and of every product on as_of, by job, from the running sums.
create or replace temp table job_start as
select j.product_id, j.capability, j.role, j.share, v.viewer, coalesce(b.c, 0.0) as c_before,
    coalesce(b.c_slow, 0.0) * pow(2, -(12 * (year(j.launch_on) - 2021) + month(j.launch_on) - 1) / getvariable('born_in_half_life')) as born_in
from (select *, case when vendor_key in (select viewer from viewer) then vendor_key else '' end as viewer from job_period) as j
join viewer as v using (viewer)
asof left join (select * from jump_sum where kind = 'jump') as b
  on b.viewer = j.viewer and b.capability = j.capability and j.launch_on > b.happened_on;

create or replace temp table retire_start as
select j.product_id, j.capability, j.share, j.viewer, coalesce(b.c, 0.0) as c_before
from (select product_id, capability, max(share) as share, any_value(launch_on) as launch_on,
          any_value(case when vendor_key in (select viewer from viewer) then vendor_key else '' end) as viewer
      from job_period where not is_guess group by product_id, capability) as j
asof left join (select * from jump_sum where kind = 'deprecation') as b
  on b.viewer = j.viewer and b.capability = j.capability and j.launch_on > b.happened_on;

create or replace temp table wanted_row as
select row_number() over (order by product_id, m) - 1 as row_id, product_id, m from person_period;

-- Grain: row and sold capability.
create or replace temp table sold_exposure as
select r.row_id, j.capability, greatest(0, j.share * pow(2, -r.m / getvariable('half_life')) * (s.c - j.c_before)) as x
from wanted_row as r
join job_start as j using (product_id)
join jump_sum_month as s on s.kind = 'jump' and s.viewer = j.viewer and s.capability = j.capability and s.m = r.m
where j.role = 'sells' and s.c > j.c_before;

-- Grain: row; help reaches what is needed and not sold.
create or replace temp table other_exposure as
with help as (
    select r.row_id, sum(j.share * pow(2, -r.m / getvariable('half_life')) * (s.c - j.c_before)) as x
    from wanted_row as r
    join job_start as j using (product_id)
    join jump_sum_month as s on s.kind = 'jump' and s.viewer = j.viewer and s.capability = j.capability and s.m = r.m
    where j.role = 'depends_on' and s.c > j.c_before
      and not exists (select 1 from job_start as k where k.product_id = j.product_id and k.capability = j.capability and k.role = 'sells')
    group by r.row_id
), retired as (
    select r.row_id, sum(j.share * pow(2, -r.m / getvariable('half_life')) * (s.c - j.c_before)) as x
    from wanted_row as r
    join retire_start as j using (product_id)
    join jump_sum_month as s on s.kind = 'deprecation' and s.viewer = j.viewer and s.capability = j.capability and s.m = r.m
    where s.c > j.c_before
    group by r.row_id
)
select coalesce(h.row_id, d.row_id) as row_id, coalesce(h.x, 0.0) as help, coalesce(d.x, 0.0) as retired
from help as h full join retired as d using (row_id);

-- Grain: product that sells something already common at its launch.
create or replace temp table born_in as
select product_id, sum(share * born_in) as x from job_start where role = 'sells' group by product_id;

-- Grain: product not known to have ended and sold capability: its exposure in the month of as_of.
create or replace temp table job_now as
select j.product_id, j.capability, j.share, greatest(0, j.share * pow(2, -getvariable('as_of_m') / getvariable('half_life')) * (coalesce(s.c, 0.0) - j.c_before)) as x
from job_start as j
join period as b using (product_id)
left join jump_sum_month as s on s.kind = 'jump' and s.viewer = j.viewer and s.capability = j.capability and s.m = getvariable('as_of_m')
where j.role = 'sells' and not b.is_ended;

-- Grain: product not known to have ended: help and deprecations in the month of as_of.
create or replace temp table now_exposure as
with help as (
    select j.product_id, sum(greatest(0, j.share * pow(2, -getvariable('as_of_m') / getvariable('half_life')) * (s.c - j.c_before))) as x
    from job_start as j
    join jump_sum_month as s on s.kind = 'jump' and s.viewer = j.viewer and s.capability = j.capability and s.m = getvariable('as_of_m')
    where j.role = 'depends_on'
      and not exists (select 1 from job_start as k where k.product_id = j.product_id and k.capability = j.capability and k.role = 'sells')
    group by j.product_id
), retired as (
    select j.product_id, sum(greatest(0, j.share * pow(2, -getvariable('as_of_m') / getvariable('half_life')) * (s.c - j.c_before))) as x
    from retire_start as j
    join jump_sum_month as s on s.kind = 'deprecation' and s.viewer = j.viewer and s.capability = j.capability and s.m = getvariable('as_of_m')
    group by j.product_id
)
select b.product_id, coalesce(h.x, 0.0) as help, coalesce(r.x, 0.0) as retired
from period as b left join help as h using (product_id) left join retired as r using (product_id)
where not b.is_ended;
