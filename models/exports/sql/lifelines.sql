-- One row per product alive on as_of, its name first, so that the file can be read alone.
select product.name, lifeline.*
from lifeline join product using (product_id)
where not coalesce(is_private, false) or $include_private
order by s12, product_id
