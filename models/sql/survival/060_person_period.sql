-- Grain: one row per product and calendar month in which it was at risk. `n_risk` is the part of the month under observation times
-- the chance that an end inside [end_from, end_to] has not come yet; `n_event` the chance that it came in this month.
create or replace temp table person_period as
with span as (
    select product_id, launch_on, entered_on, is_ended, end_from, end_to, exited_on,
        12 * (year(entered_on) - 2021) + month(entered_on) - 1 as entered_m,
        12 * (year(exited_on) - 2021) + month(exited_on) - 1 as exited_m,
        12 * (year(launch_on) - 2021) + month(launch_on) - 1 as launched_m,
        12 * (year(end_from) - 2021) + month(end_from) - 1 as end_from_m,
        12 * (year(end_to) - 2021) + month(end_to) - 1 as end_to_m
    from period
    where is_fate_known and exited_on >= entered_on and (not is_ended or end_to >= entered_on)
), month_row as (
    select s.*, month.m, make_date(2021 + floor(month.m / 12)::integer, (month.m % 12 + 12) % 12 + 1, 1) as month_on
    from span as s, unnest(range(entered_m::bigint, exited_m::bigint + 1)) as month(m)
), counted as (
    select *,
        date_diff('day', greatest(month_on, entered_on), least(month_on + interval 1 month, exited_on + 1)::date)
            / date_diff('day', month_on, (month_on + interval 1 month)::date)::double as lived,
        case when is_ended and m between greatest(end_from_m, entered_m) and end_to_m
             then 1.0 / (end_to_m - greatest(end_from_m, entered_m) + 1) else 0.0 end as n_event
    from month_row
)
select product_id, m, (m - launched_m)::integer as age_months, n_event, is_ended and n_event between 1e-12 and 1 - 1e-9 as is_spread,
    case when not is_ended then lived
         when n_event > 0 then greatest(n_event, (1 - (m - greatest(end_from_m, entered_m)) * n_event) * least(1.0, lived))
         else lived end as n_risk
from counted
order by product_id, m;
