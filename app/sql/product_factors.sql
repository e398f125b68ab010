-- One row per cause of lost months, the largest first.
select factor, jump_id, lost_months, factor.as_of, jump.happened_on, jump.provider, jump.release, jump.summary, jump.source_url
from lifeline_factor as factor
left join jump using (jump_id)
where product_id = $product_id
order by abs(lost_months) desc, factor, jump_id;
