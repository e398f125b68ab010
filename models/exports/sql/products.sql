-- One row per product, in the columns of products.csv.
with jobs as (
    select product_id, string_agg(capability, ';' order by capability) filter (where role = 'sells') as sells,
        string_agg(capability, ';' order by capability) filter (where role = 'depends_on') as depends_on
    from product_job group by product_id
), kept as (
    select product_id, string_agg(moat, ';' order by moat) as moats from product_moat group by product_id
)
select product_id, name, vendor, homepage, category, launched_on, launched_precision, outcome, ended_on, ended_precision,
    last_alive_on, gone_by, cohort, cohort_seen_on, sells, depends_on, segment, wrapper_tier, coupling, moats, ended_because,
    source_url_launch, source_url as source_url_status, verified, note
from product left join jobs using (product_id) left join kept using (product_id)
where not coalesce(is_private, false) or $include_private
order by product_id
