-- One row per ended product that resembles the given jobs, segment and tier, the most alike first; the product itself left out.
with ended as (
    select product.*, list(job.capability order by job.capability) as sells
    from product
    join product_job as job on job.product_id = product.product_id and job.role = 'sells'
    where product.outcome in ('shut_down', 'acquired', 'pivoted') and product.product_id <> $product_id
    group by all
)
select
    ended.product_id, ended.name, ended.outcome, ended.launched_on, ended.ended_on, spell.overtaken_on, spell.age_months,
    list_intersect(ended.sells, $sells::varchar[]) as shared_jobs,
    round(len(list_intersect(ended.sells, $sells::varchar[])) / len(list_distinct(ended.sells || $sells::varchar[])), 2) as overlap,
    ended.segment is not distinct from $segment as is_same_segment, ended.wrapper_tier, ended.ended_because, ended.source_url
from ended
left join spell on spell.product_id = ended.product_id
where len(list_intersect(ended.sells, $sells::varchar[])) > 0
order by overlap desc, is_same_segment desc, abs(ended.wrapper_tier - $tier::integer) nulls last, ended.ended_on desc nulls last
limit 8;
