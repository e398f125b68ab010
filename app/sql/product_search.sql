-- One row per product whose name holds the words looked for, in order of name; 200 at most.
select product_id, name from product where contains(lower(name), lower($q)) order by lower(name), product_id limit 200;
