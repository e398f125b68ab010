-- One row per capability and provider: the first jump that made it available (ga), or failing that the first preview.
select
    jump_capability.capability, jump.provider, arg_min(jump.happened_on, rank_) as first_on, arg_min(jump.stage, rank_) as stage,
    arg_min(jump.release, rank_) as release, arg_min(jump.jump_id, rank_) as jump_id, arg_min(jump.source_url, rank_) as source_url
from (
    select *, row((case stage when 'ga' then 0 else 1 end), happened_on, jump_id) as rank_
    from jump
    where stage in ('ga', 'preview') and provider <> ''
) as jump
join jump_capability using (jump_id)
where jump_capability.capability <> 'api_deprecation'
group by all
order by capability, first_on;
