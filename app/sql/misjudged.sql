-- One row per product that the method would have misjudged on a past day, by its worst day: the event came although it was given less
-- than 10 % (missed), or did not come although it was given the highest chances (spared).
with judged as (
    select *, abs(p - came::int) as error
    from hindcast
    where came is not null and clock = $clock and horizon_months = $horizon::integer
      and case $kind when 'missed' then came and p < 0.1 else not came end
), worst as (
    select * from judged
    qualify row_number() over (partition by product_id order by error desc, origin_on desc) = 1
)
select
    product_id, product.name, worst.clock, worst.origin_on, worst.horizon_months, p, p_low, p_high, came, came_on, product.outcome,
    product.ended_because, product.source_url, count(*) over () as n_found
from worst
join product using (product_id)
order by error desc, product_id
limit 40;
