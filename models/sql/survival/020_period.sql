-- Grain: one row per product that was launched by as_of, with its time under observation as it could be known on as_of.
-- A launch known to its month or year stands at the middle, never after the first day it was seen. An end counts once
-- ended_known_on has come; it lies in [end_from, end_to] (one day, a month, a year, or last seen alive to first seen gone).
-- Who was last seen alive earlier is followed to that day only.
create or replace temp table period as
with dated as (
    select p.*,
        p.outcome in ('shut_down', 'acquired', 'pivoted') and p.ended_known_on <= getvariable('as_of') as is_ended,
        least(
            case p.launched_precision
                when 'year' then make_date(year(p.launched_on), 7, 1)
                when 'month' then make_date(year(p.launched_on), month(p.launched_on), 15)
                else p.launched_on
            end,
            coalesce(case when p.launched_precision in ('year', 'month')
                     then least(p.cohort_seen_on, p.last_alive_on, case when is_ended then coalesce(p.ended_on, p.gone_by) end) end, date '9999-01-01')
        ) as launch_guess,
        coalesce(a.provider_key, lower(trim(p.vendor)), '') as vendor_key,
        p.cohort is not null and not list_has_all(getvariable('cohorts_by_fate'), string_split(p.cohort, ';')) as is_cohort
    from product as p left join provider_alias as a on a.name = lower(trim(p.vendor))
), bounded as (
    select *,
        greatest(coalesce(launch_guess, cohort_seen_on), launched_on) as launch_on,
        greatest(coalesce(launch_guess, cohort_seen_on), launched_on, case when is_cohort then cohort_seen_on end, getvariable('catalogue_start')) as entered_on,
        case when not is_ended then null
             when ended_on is null then coalesce(last_alive_on, launch_guess)
             when ended_precision = 'year' then greatest(make_date(year(ended_on), 1, 1), coalesce(last_alive_on, launch_guess, make_date(year(ended_on), 1, 1)))
             else ended_on end as end_from,
        case when not is_ended then null
             when ended_on is null then gone_by
             when ended_precision = 'year' then make_date(year(ended_on), 12, 31)
             else ended_on end as end_to
    from dated
)
select product_id, vendor_key, segment, wrapper_tier, coupling, outcome, is_cohort, is_private, launched_on is not null as has_launch,
    launch_on, entered_on, is_ended, end_from, greatest(end_from, end_to) as end_to, last_alive_on,
    case when is_ended then greatest(end_from, end_to)
         else least(getvariable('as_of'), coalesce(last_alive_on, getvariable('as_of'))) end as exited_on,
    outcome is not null and not (outcome in ('shut_down', 'acquired', 'pivoted') and ended_known_on is null) as is_fate_known
from bounded
where launch_on <= getvariable('as_of');
