-- One row per product, or per product asked for, in order of name.
select product_id, name
from product
where len($ids::varchar[]) = 0 or list_contains($ids::varchar[], product_id)
order by lower(name), product_id;
