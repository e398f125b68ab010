-- One row per jump that passes the filters, newest first, with its capabilities and how many products it reached.
with labels as (
    select jump_id, list(capability order by share desc, capability) as capabilities from jump_capability group by all
), reached as (
    select jump_id, count(distinct product_id) as n_products, count(distinct product_id) filter (is_decisive and role = 'sells') as n_decisive
    from exposure
    group by all
)
select
    jump_id, happened_on, date_precision, known_on, provider, platform, release, capabilities, stage, reach, magnitude, weight,
    summary, confidence, origin, n_documents, is_confirmed, coalesce(n_products, 0) as n_products,
    coalesce(n_decisive, 0) as n_decisive, source_url
from jump
left join labels using (jump_id)
left join reached using (jump_id)
where ($since::date is null or happened_on > $since::date)
  and ($until::date is null or happened_on <= $until::date)
  and (len($capabilities::varchar[]) = 0 or list_has_any(capabilities, $capabilities::varchar[]))
  and (len($providers::varchar[]) = 0 or list_contains($providers::varchar[], provider))
  and (len($stages::varchar[]) = 0 or list_contains($stages::varchar[], stage))
  and (len($origins::varchar[]) = 0 or list_contains($origins::varchar[], origin))
  and ($q = '' or contains(lower(concat_ws(' ', release, platform, provider, summary)), lower($q)))
  and (not $is_heavy or coalesce(weight, 0) >= 0.9 or n_decisive > 0)
order by happened_on desc, weight desc nulls last, jump_id;
