-- One row per retirement of an API or model in the last 90 days or ahead, those that reach most products first.
with breaks as (
    select jump_id, count(distinct product_id) as n_products from exposure where capability = 'api_deprecation' or role = 'depends_on' group by all
), target as (
    select jump_id, capability from jump_capability where capability <> 'api_deprecation'
    union
    select jump_id, 'frontier_quality' from jump_capability group by jump_id having bool_and(capability = 'api_deprecation')
), ahead as (
    select jump_id, count(distinct product_id) as n_ahead
    from jump
    join target using (jump_id)
    join product_job using (capability)
    join product using (product_id)
    join lifeline using (product_id)
    where happened_on > $as_of::date and vendor is distinct from provider
    group by all
)
select jump_id, happened_on, provider, platform, release, summary, weight, coalesce(n_products, 0) as n_products, coalesce(n_ahead, 0) as n_ahead,
    source_url, date_diff('day', $as_of::date, happened_on) as days_ahead
from jump
left join breaks using (jump_id)
left join ahead using (jump_id)
where happened_on > $as_of::date - interval 90 day
  and exists (from jump_capability as label where label.jump_id = jump.jump_id and label.capability = 'api_deprecation')
order by n_products desc, n_ahead desc, happened_on desc;
