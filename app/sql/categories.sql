-- One row per category of products, the largest first.
select category, count(*) as n from product where category <> '' group by all order by n desc, category;
