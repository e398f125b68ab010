-- What a run leaves behind: the explicit links, the spells, the weight of each jump.
delete from exposure;
insert into exposure by name
select product_id, jump_id, capability, role, exposed_on, weight, is_decisive from reached;

delete from spell;
insert into spell by name
select b.product_id, b.entered_on, b.exited_on, b.is_ended as ended, case when b.is_ended then b.outcome end as outcome,
    date_diff('day', b.launch_on, b.exited_on) / 30.4375 as age_months, o.overtaken_on, coalesce(w.weight, 0.0) as weight
from period as b left join overtaken as o using (product_id) left join sample_weight as w using (product_id)
where b.is_fate_known and b.exited_on >= b.entered_on;

update product set sample_weight = (select weight from sample_weight as w where w.product_id = product.product_id);
