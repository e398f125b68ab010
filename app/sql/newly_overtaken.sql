-- One row per living product that was overtaken within the last year, the newest first, with the decisive jump nearest to that month.
select
    product_id, product.name, product.category, lifeline.overtaken_on, lifeline.s12, lifeline.s12_low, lifeline.s12_high,
    lifeline.n_at_risk, lifeline.as_of,
    arg_max(exposure.jump_id, exposure.exposed_on) as jump_id, arg_max(jump.provider, exposure.exposed_on) as provider,
    arg_max(jump.release, exposure.exposed_on) as release, arg_max(jump.source_url, exposure.exposed_on) as source_url
from lifeline
join product using (product_id)
left join exposure on exposure.product_id = lifeline.product_id and is_decisive and exposed_on < lifeline.overtaken_on + interval 1 month
left join jump using (jump_id)
where lifeline.overtaken_on > $as_of::date - interval 1 year
group by all
order by max(lifeline.overtaken_on) desc, max(lower(product.name))
limit 12;
