-- One row per ended product that resembles this one, the most alike first: shared jobs, then segment and tier.
with this as (
    select product_id, segment, wrapper_tier, (select list(capability) from product_job as job where job.product_id = $product_id and role = 'sells') as sells
    from product
    where product_id = $product_id
), ended as (
    select product.*, list(job.capability order by job.capability) as sells
    from product
    join product_job as job on job.product_id = product.product_id and job.role = 'sells'
    where product.outcome in ('shut_down', 'acquired', 'pivoted') and product.product_id <> $product_id
    group by all
)
select
    ended.product_id, ended.name, ended.outcome, ended.launched_on, ended.ended_on, spell.overtaken_on, spell.age_months,
    list_intersect(ended.sells, this.sells) as shared_jobs,
    len(list_intersect(ended.sells, this.sells)) / len(list_distinct(ended.sells || this.sells)) as overlap,
    ended.segment is not distinct from this.segment as is_same_segment, ended.wrapper_tier, ended.ended_because, ended.source_url
from ended, this
left join spell on spell.product_id = ended.product_id
where len(list_intersect(ended.sells, this.sells)) > 0
order by overlap desc, is_same_segment desc, abs(ended.wrapper_tier - this.wrapper_tier) nulls last, ended.ended_on desc nulls last
limit 8;
