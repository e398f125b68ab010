-- One row per living product whose chance of the next twelve months fell by a step of 5 % or more since the forecast before, the largest fall first.
with said as (
    select product_id, made_on, survival,
        row_number() over (partition by product_id order by made_on desc) as nth
    from forecast
    where horizon_months = 12
    qualify nth <= 2
)
select product_id, product.name, product.category, before.made_on as before_on, before.survival as s12_before, lifeline.s12,
    lifeline.s12_low, lifeline.s12_high, lifeline.n_at_risk, lifeline.as_of, before.survival - lifeline.s12 as fall, lifeline.main_jump_id,
    jump.provider, jump.release, product.source_url
from lifeline
join product using (product_id)
join said as before on before.product_id = lifeline.product_id and before.nth = 2
left join jump on jump.jump_id = lifeline.main_jump_id
where round(before.survival * 20) > round(lifeline.s12 * 20)
order by fall desc, lower(product.name)
limit 12;
