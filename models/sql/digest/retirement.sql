-- One row per product and announced switch-off ahead of as_of that reaches something the product needs or sells on a rented model.
-- A notice that names no capability retires a model, hence frontier_quality. A vendor's own switch-off does not reach its own product.
with target as (
    select jump_id, capability from jump_capability where capability <> 'api_deprecation'
    union all
    select jump_id, 'frontier_quality' from jump_capability group by jump_id having bool_and(capability = 'api_deprecation')
)
select job.product_id, jump.jump_id, string_agg(distinct job.capability, ', ' order by job.capability) as capabilities,
    jump.happened_on, jump.provider, coalesce(nullif(jump.release, ''), jump.platform) as release, jump.summary, jump.source_url
from jump
join target using (jump_id)
join product_job as job using (capability)
join product using (product_id)
where jump.stage = 'retired' and jump.happened_on > $as_of::date and jump.happened_on <= $as_of::date + 90
  and coalesce(jump.known_on, $as_of::date) <= $as_of::date
  and (job.role = 'depends_on' or coalesce(product.coupling, 0) >= 2)
  and coalesce(product.outcome, 'alive') in ('alive', 'acquired_running')
  and lower(coalesce(product.vendor, '')) <> lower(coalesce(jump.provider, '-'))
group by all
