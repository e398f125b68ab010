-- One row per retirement of an API or model that lies within the last or the next year, with the products it may break.
with breaks as (
    select jump_id, count(distinct product_id) as n_products from exposure where capability = 'api_deprecation' or role = 'depends_on' group by all
)
select jump_id, happened_on, provider, platform, release, summary, coalesce(n_products, 0) as n_products, source_url,
    date_diff('day', $as_of::date, happened_on) as days_ahead
from jump
left join breaks using (jump_id)
where happened_on > $as_of::date - interval 90 day
  and exists (from jump_capability as label where label.jump_id = jump.jump_id and label.capability = 'api_deprecation')
order by n_products desc, happened_on desc;
