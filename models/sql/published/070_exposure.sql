create or replace view pub.exposure as
select product_id, jump_id, capability, role, exposed_on, weight, is_decisive
from main.exposure;
comment on view pub.exposure is 'One row per product, jump and capability: the jump reached a job that the product was selling (or needing) then.';
comment on column pub.exposure.product_id is 'Product';
comment on column pub.exposure.jump_id is 'Jump';
comment on column pub.exposure.capability is 'Capability label';
comment on column pub.exposure.role is 'sells or depends_on';
comment on column pub.exposure.exposed_on is 'Day of the jump';
comment on column pub.exposure.weight is 'Share of the job x probability of the tag x weight of the jump';
comment on column pub.exposure.is_decisive is 'Whether the jump alone weighs 0.9 or more';
