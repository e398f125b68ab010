-- One row per product with a lifeline, the shortest first.
select product.name, lifeline.*
from lifeline join product using (product_id)
where product_id in (select unnest($shown::varchar[])) and s12 is not null
order by s12, product_id
limit $n
