-- One row: what changed, who is in trouble and how sure we are, in counts.
with recent as (
    select jump_id, weight from jump where happened_on > $as_of::date - interval 30 day and happened_on <= $as_of::date
), scored as (
    select sum(n) as n, sum(n_ended) as n_ended, sum(n * brier) / nullif(sum(n * brier_life_table), 0) as ratio
    from accuracy
    where method = 'ended:all' and horizon_months = 12 and brier is not null and brier_life_table is not null
), past as (
    select count(distinct product_id) filter (p < 0.1 and came) as n_missed, count(distinct product_id) filter (came) as n_came,
    from hindcast
    where clock = 'ended' and horizon_months = 12 and came is not null
)
select
    (select count(*) from recent) as n_jumps,
    (select count(distinct jump_id) from recent join exposure using (jump_id) where is_decisive and role = 'sells') as n_decisive,
    (select count(distinct product_id) from recent join exposure using (jump_id)) as n_reached,
    (
        select count(*)
        from jump
        where happened_on between $as_of::date and $as_of::date + 30
          and exists (from jump_capability as label where label.jump_id = jump.jump_id and label.capability = 'api_deprecation')
    ) as n_retiring,
    (select count(*) from lifeline where overtaken_on is not null) as n_overtaken,
    (select count(*) from lifeline where overtaken_on > $as_of::date - interval 1 year) as n_newly,
    (select count(*) from lifeline where p_overtaken_12 >= 0.475) as n_next,  -- what reads as 50 % in steps of 5 %
    (select count(*) from lifeline where silent_since is not null) as n_silent,
    (select count(*) from lifeline) as n_alive,
    (select count(*) from lifeline where lifeline_class = 'unsure') as n_unsure,
    (select count(*) from lifeline where lifeline_class = 'unsure' and starts_with(reason, 'unsure: last seen alive')) as n_unseen,
    (select median(s12_high - s12_low) from lifeline) as width,
    scored.n as n_scored, scored.n_ended as n_scored_ended, scored.ratio, past.n_missed, past.n_came
from scored, past;
