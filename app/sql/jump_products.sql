-- One row per product that the jump reached, the hardest hit first.
select
    product_id, product.name, product.category, exposure.role,
    list(exposure.capability order by exposure.capability) as capabilities, max(exposure.weight) as weight,
    bool_or(exposure.is_decisive) as is_decisive, product.outcome, product.ended_on, spell.overtaken_on, lifeline.lifeline_class,
    product.source_url
from exposure
join product using (product_id)
left join spell using (product_id)
left join lifeline using (product_id)
where jump_id = $jump_id
group by all
order by bool_or(exposure.is_decisive) desc, max(exposure.weight) desc, max(lower(product.name));
