-- One row per month in which a product ended, and month 0: product-limit survival of products selling the capability since the first
-- decisive jump in it that reached them. Months are whole; the band is 90 %, on the log-log scale.
with hit as (
    select product_id, min(exposed_on) as hit_on
    from exposure
    where capability = $capability and role = 'sells' and is_decisive
    group by all
), followed as (
    select product_id, greatest(date_diff('month', hit_on, exited_on), 0) as months, ended
    from hit
    join spell using (product_id)
    where exited_on >= hit_on and entered_on <= exited_on
), by_month as (
    select months, count(*) filter (ended) as n_ended, count(*) as n_left from followed group by all
), at_risk as (
    select months, n_ended, sum(n_left) over (order by months desc) as n_at_risk from by_month
), steps as (
    select
        months, n_ended, n_at_risk,
        exp(sum(ln(greatest(1 - n_ended / n_at_risk, 1e-9))) over (order by months)) as survival,
        sum(case when n_at_risk > n_ended then n_ended / (n_at_risk * (n_at_risk - n_ended)) else 0 end) over (order by months) as spread
    from at_risk
)
select 0 as months, 0 as n_ended, (select count(*) from followed) as n_at_risk, 1.0 as survival, 1.0 as low, 1.0 as high
where exists (from followed)
union all
select months, n_ended, n_at_risk, survival,
    case when survival < 1 then survival ** exp(1.645 * sqrt(spread) / -ln(survival)) else 1.0 end,
    case when survival < 1 then survival ** exp(-1.645 * sqrt(spread) / -ln(survival)) else 1.0 end
from steps
where n_at_risk >= 5 and months > 0
order by months;
