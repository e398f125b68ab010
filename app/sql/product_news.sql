-- One row per document of the product's own sources, newest first.
select document_id, coalesce(published_at, first_seen_at) as published_at, source.title as source, document.title, document.url
from document
join source using (source_id)
where source.product_id = $product_id
order by published_at desc
limit 30;
