-- Grain: one row per jump known on as_of and capability. `gross` is stage x reach x magnitude; `step` is what it adds to the
-- largest weight that the same provider gave the same capability within the six months before (one story counts once).
-- A retirement acts only through api_deprecation; without a provider no two jumps are one story.
create or replace temp table jump_step as
with term as (
    select kind, word, value from weight_term
), weighed as (
    select j.jump_id, c.capability, coalesce(c.share, 1.0) as p, coalesce(a.provider_key, lower(trim(j.provider)), '') as provider_key,
        j.happened_on, j.stage, stage.value * reach.value * magnitude.value as gross,
        12 * (year(j.happened_on) - 2021) + month(j.happened_on) - 1 as m
    from jump as j
    join jump_capability as c using (jump_id)
    join term as stage on stage.kind = 'stage' and stage.word = j.stage
    join term as reach on reach.kind = 'reach' and reach.word = j.reach
    join term as magnitude on magnitude.kind = 'magnitude' and magnitude.word = j.magnitude::varchar
    left join provider_alias as a on a.name = lower(trim(j.provider))
    where j.happened_on <= getvariable('as_of') and coalesce(j.known_on, j.happened_on) <= getvariable('as_of')
), deprecation as (
    select distinct jump_id from weighed where capability = 'api_deprecation'
), kept as (
    select w.*, d.jump_id is not null as is_deprecation
    from weighed as w left join deprecation as d using (jump_id)
    where w.stage <> 'retired' or d.jump_id is not null
), earlier as (
    select k.jump_id, k.capability, max(e.gross) as before
    from kept as k
    join kept as e
      on e.provider_key = k.provider_key and e.capability = k.capability and e.is_deprecation = k.is_deprecation
     and k.provider_key <> '' and e.jump_id <> k.jump_id
     and e.happened_on >= k.happened_on - interval 6 month
     and (e.happened_on < k.happened_on or (e.happened_on = k.happened_on
          and (e.gross > k.gross or (e.gross = k.gross and e.jump_id < k.jump_id))))
    group by all
)
select k.*, greatest(0, k.gross - coalesce(e.before, 0)) as step,
    not k.is_deprecation and k.gross >= getvariable('decisive_weight') and k.gross > coalesce(e.before, 0) as is_decisive
from kept as k left join earlier as e using (jump_id, capability);

update jump set weight = (select max(step) from jump_step as s where s.jump_id = jump.jump_id);
