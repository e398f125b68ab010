-- One row per product and decisive jump that became known within the window before as_of.
select exposure.product_id, jump_id, string_agg(distinct exposure.capability, ', ' order by exposure.capability) as capabilities,
    jump.happened_on, jump.known_on, jump.provider, coalesce(nullif(jump.release, ''), jump.platform) as release, jump.summary, jump.source_url
from exposure join jump using (jump_id)
where exposure.is_decisive and exposure.role = 'sells' and jump.known_on > $as_of::date - $window_days::integer
  and jump.happened_on > $as_of::date - 3 * $window_days::integer
group by all
