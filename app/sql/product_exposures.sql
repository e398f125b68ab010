-- One row per jump and capability that reached the product, newest first.
select
    exposed_on, capability, role, exposure.weight, is_decisive, jump_id, jump.provider, jump.platform, jump.release, jump.stage,
    jump.reach, jump.magnitude, jump.summary, jump.confidence, jump.origin, jump.is_confirmed, jump.n_documents, jump.source_url
from exposure
join jump using (jump_id)
where product_id = $product_id
order by exposed_on desc, exposure.weight desc, jump_id, capability;
