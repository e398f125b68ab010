-- One row per provider: its first preview and first general availability of the capability, and how many jumps it made since.
select
    jump.provider, min(happened_on) filter (stage = 'ga') as available_on,
    case when available_on is null or min(happened_on) filter (stage = 'preview') < available_on
        then min(happened_on) filter (stage = 'preview') end as preview_on,
    count(*) as n_jumps, max(weight) as weight, max(happened_on) as newest_on, arg_max(jump_id, happened_on) as newest_jump_id,
    arg_max(release, happened_on) as newest_release, arg_min(source_url, happened_on) filter (stage = 'ga') as source_url
from jump
join jump_capability using (jump_id)
where capability = $capability and provider <> ''
group by all
order by coalesce(available_on, preview_on) nulls last, jump.provider;
