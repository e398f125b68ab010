-- One row per source, in the columns of sources.csv.
select source_id, title, kind, url, site, provider, lang, every_hours, is_active, tier, source.product_id
from source left join product on product.product_id = source.product_id
where not coalesce(product.is_private, false) or $include_private
order by source_id
