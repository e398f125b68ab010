-- One row per fifth of the chance that the method would have said on past days, by clock and horizon: what came. Ends count with the
-- weight that the fit gives their product, because some are known only for having ended. The band of what was seen is 90 %, Wilson's,
-- for as many cases as the weights are worth, as if every product and day stood alone.
with bins as (
    select p, came::int as came, if(clock = 'ended', greatest(coalesce(spell.weight, 1), 1e-6), 1.0) as w,
        ntile(5) over (order by p, product_id, origin_on) as bin
    from hindcast
    join spell using (product_id)
    where came is not null and clock = $clock and horizon_months = $horizon::integer
), summed as (
    select bin, sum(w * p) / sum(w) as said, sum(w * came) / sum(w) as seen, count(*) as n, sum(came) as n_ended,
        sum(w) ** 2 / sum(w ** 2) as worth
    from bins
    group by all
)
select
    $horizon::integer as horizon_months, bin, said, seen, n, n_ended, worth,
    greatest((seen + 1.353 / worth - 1.645 * sqrt(seen * (1 - seen) / worth + 0.6765 / (worth * worth))) / (1 + 2.706 / worth), 0) as low,
    least((seen + 1.353 / worth + 1.645 * sqrt(seen * (1 - seen) / worth + 0.6765 / (worth * worth))) / (1 + 2.706 / worth), 1) as high
from summed
order by bin;
