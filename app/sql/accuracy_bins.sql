-- One row per horizon and tenth of the chance of an end that was said: what came of forecasts that are due, from the log of forecasts.
-- The band of what was seen is 90 %, Wilson's.
with due as (
    select
        forecast.horizon_months, 1 - forecast.survival as said,
        (spell.ended and spell.exited_on <= made_on + to_months(horizon_months))::int as has_ended
    from forecast
    join spell using (product_id)
    where made_on + to_months(horizon_months) <= (select max(as_of) from run)
      and (spell.ended or spell.exited_on >= made_on + to_months(horizon_months))
), bins as (
    select horizon_months, ntile(5) over (partition by horizon_months order by said) as bin, said, has_ended from due
), summed as (
    select horizon_months, bin, avg(said) as said, avg(has_ended) as seen, count(*) as n, sum(has_ended) as n_ended from bins group by all
)
select
    horizon_months, bin, said, seen, n, n_ended,
    greatest((seen + 1.353 / n - 1.645 * sqrt(seen * (1 - seen) / n + 0.6765 / (n * n))) / (1 + 2.706 / n), 0) as low,
    least((seen + 1.353 / n + 1.645 * sqrt(seen * (1 - seen) / n + 0.6765 / (n * n))) / (1 + 2.706 / n), 1) as high
from summed
order by horizon_months, bin;
