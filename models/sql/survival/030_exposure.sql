-- Grain: one row per product, jump and capability: the jump of another vendor came while the product sold the job (or needed it).
-- A deprecation reaches whoever sells or needs what was retired; one that names nothing else retires a model, hence frontier_quality.
-- What nobody said a product sells is guessed for the fit as a little of everything that its segment sells; such jobs are marked,
-- link to nothing and are never overtaken.
create or replace temp table job_period as
with job as (
    select b.product_id, j.capability, j.role, coalesce(j.share, 1.0) as share, false as is_guess
    from period as b join product_job as j using (product_id)
), popular as (
    select b.segment, j.capability, sum(j.share) as n from period as b join job as j using (product_id) where j.role = 'sells' group by all
), guess as (
    select b.product_id, p.capability, 'sells' as role, sum(p.n) / sum(sum(p.n)) over (partition by b.product_id) as share, true as is_guess
    from period as b join popular as p on b.segment is null or p.segment = b.segment
    where not exists (select 1 from job as j where j.product_id = b.product_id and j.role = 'sells')
    group by b.product_id, p.capability
)
select b.product_id, b.vendor_key, b.launch_on, b.entered_on, case when b.is_ended then b.exited_on else getvariable('as_of') end as until,
    j.capability, j.role, j.share, j.is_guess
from period as b join (from job union all by name from guess) as j using (product_id);

create or replace temp table deprecated as
with target as (
    select jump_id, capability from jump_step where is_deprecation and capability <> 'api_deprecation'
    union
    select jump_id, 'frontier_quality' from jump_step where is_deprecation
    group by jump_id having bool_and(capability = 'api_deprecation')
)
select s.jump_id, t.capability, s.p, s.provider_key, s.happened_on, s.m, s.step
from jump_step as s join target as t using (jump_id)
where s.capability = 'api_deprecation';

create or replace temp table reached as
select j.product_id, s.jump_id, s.capability, j.role, s.happened_on as exposed_on, j.share * s.p * s.step as weight, s.is_decisive
from job_period as j
join jump_step as s
  on s.capability = j.capability and s.happened_on >= j.launch_on and s.happened_on <= j.until
 and not (s.provider_key <> '' and s.provider_key = j.vendor_key)
where not s.is_deprecation and s.step > 0 and not j.is_guess
union all
select j.product_id, d.jump_id, 'api_deprecation', max(j.role), d.happened_on, max(j.share * d.p * d.step), false
from job_period as j
join deprecated as d
  on d.capability = j.capability and d.happened_on >= j.launch_on and d.happened_on <= j.until
 and not (d.provider_key <> '' and d.provider_key = j.vendor_key)
where d.step > 0 and not j.is_guess
group by j.product_id, d.jump_id, d.happened_on;
