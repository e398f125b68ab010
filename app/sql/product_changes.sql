-- One row per ruling or change of a published fact about the product, newest first.
select ruled_at as changed_at, 'ruling' as what, verdict as field, null as before, fields::varchar as after, why, ruled_by as who, is_in_force
from ruling
where relation in ('product', 'end') and (key = $product_id or starts_with(key, $product_id || ':'))
union all
select changed_at, relation, field, before, after, why, null, true
from change
where relation in ('product', 'lifeline', 'spell') and (key = $product_id or starts_with(key, $product_id || ':'))
order by changed_at desc
limit 100;
