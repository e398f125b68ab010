-- One row: one product with its lifeline, spell, jobs and moats. What is replaced by itself tells a file of an older version, which lacks it.
select
    product.*, spell.entered_on, spell.exited_on, spell.ended, spell.age_months, spell.overtaken_on as overtaken_before,
    lifeline.* exclude (product_id) replace (lost_months_low as lost_months_low),
    (select list(capability order by share desc, capability) from product_job as job where job.product_id = $product_id and role = 'sells') as sells,
    (select list(capability order by share desc, capability) from product_job as job where job.product_id = $product_id and role = 'depends_on') as depends_on,
    (select list(moat order by moat) from product_moat as moat where moat.product_id = $product_id) as moats
from product
left join spell using (product_id)
left join lifeline using (product_id)
where product.product_id = $product_id;
