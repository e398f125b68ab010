-- One row per jump, as the feed and the weekly brief tell it: with a source, its capabilities and how many products it reached.
select jump_id, happened_on, coalesce(known_on, happened_on) as known_on, provider, platform, release, stage, reach, magnitude, weight,
    summary,
    coalesce(source_url, (
        select url from jump_document join document using (document_id)
        where jump_document.jump_id = jump.jump_id order by is_canonical desc nulls last, first_seen_at limit 1
    )) as source_url,
    (select list(capability order by share desc, capability) from jump_capability as c where c.jump_id = jump.jump_id) as capabilities,
    (select count(distinct product_id) from exposure join product using (product_id)
     where exposure.jump_id = jump.jump_id and not coalesce(is_private, false)) as n_products,
    (select count(distinct product_id) from exposure join product using (product_id)
     where exposure.jump_id = jump.jump_id and is_decisive and not coalesce(is_private, false)) as n_decisive
from jump
