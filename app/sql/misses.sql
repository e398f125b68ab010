-- One row per forecast that turned out worst: products that ended although they were given the best chances.
select
    product_id, product.name, made_on, horizon_months, survival, low, high, spell.exited_on as ended_on, product.outcome, product.ended_because,
    product.source_url, method_version
from forecast
join spell using (product_id)
join product using (product_id)
where spell.ended and spell.exited_on > made_on and spell.exited_on <= made_on + to_months(horizon_months)
order by survival desc, made_on desc
limit 30;
