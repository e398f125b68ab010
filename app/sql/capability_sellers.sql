-- One row per product that sells or needs the capability, with its clocks.
select
    product_id, product.name, product.category, job.role, job.share, wrapper_tier, product.outcome, launched_on, ended_on,
    coalesce(lifeline.overtaken_on, spell.overtaken_on) as overtaken_on, p_overtaken_3, p_overtaken_6, p_overtaken_12,
        p_overtaken_12_low, p_overtaken_12_high, p_silent_6_low, p_silent_6_high,
    s3, s3_low, s3_high, s6, s6_low, s6_high, s12, s12_low, s12_high, p_silent_6, silent_since, lifeline_class, n_at_risk, lifeline.as_of,
    product.segment, homepage, product.source_url
from product_job as job
join product using (product_id)
left join lifeline using (product_id)
left join spell using (product_id)
where job.capability = $capability
order by job.role desc, lifeline.product_id is null, p_overtaken_12 desc nulls last, s12, lower(product.name);
