-- One row per living product of another vendor that sells or needs what a jump ahead will bring or retire; one that retires a model and
-- names nothing else is taken to be needed by whoever needs the best model.
with target as (
    select capability from jump_capability where jump_id = $jump_id and capability <> 'api_deprecation'
    union
    select 'frontier_quality' from jump_capability where jump_id = $jump_id group by all having bool_and(capability = 'api_deprecation')
)
select
    product_id, product.name, product.category, max(product_job.role) as role,
    list(distinct product_job.capability order by product_job.capability) as capabilities, lifeline.overtaken_on,
    lifeline.lifeline_class, product.source_url
from target
join product_job using (capability)
join product using (product_id)
join lifeline using (product_id)
where vendor is distinct from (select provider from jump where jump_id = $jump_id)
group by product_id, product.name, product.category, lifeline.overtaken_on, lifeline.lifeline_class, product.source_url
order by lower(product.name);
