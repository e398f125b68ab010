-- Grain: one row per product that sells something: the day on which decisive jumps of other vendors came to cover half of what
-- it sells (null when they have not), whether or not it still lives.
create or replace temp table overtaken as
with first_hit as (
    select j.product_id, j.capability, j.share, min(s.happened_on) as hit_on
    from job_period as j
    left join jump_step as s
      on s.capability = j.capability and s.is_decisive and s.happened_on >= j.launch_on
     and not (s.provider_key <> '' and s.provider_key = j.vendor_key)
    where j.role = 'sells' and not j.is_guess
    group by all
), covered as (
    select product_id, hit_on, sum(share) over (partition by product_id order by hit_on nulls last range between unbounded preceding and current row) as covered
    from first_hit
)
select product_id, min(hit_on) filter (where covered >= 0.5 - 1e-9) as overtaken_on
from covered group by product_id;
