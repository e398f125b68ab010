-- One row per watched product and capability that it sells or needs: the largest jump that reached it, and how many did.
select
    product.product_id, product.name, job.capability, job.role, coalesce(max(exposure.weight), 0) as weight,
    count(distinct exposure.jump_id) as n_jumps, coalesce(bool_or(exposure.is_decisive), false) as is_decisive, max(exposure.exposed_on) as newest_on
from product
join product_job as job using (product_id)
left join exposure on exposure.product_id = job.product_id and exposure.capability = job.capability and exposure.role = job.role
where list_contains($ids::varchar[], product.product_id)
group by all
order by max(lower(product.name)), job.capability;
