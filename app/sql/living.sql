-- One row per living product, in order of name.
select product_id, product.name from lifeline join product using (product_id) order by lower(product.name), product_id;
