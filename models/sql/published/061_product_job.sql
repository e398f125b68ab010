create or replace view pub.product_job as
select product_id, capability, role, share
from main.product_job;
comment on view pub.product_job is 'One row per product and capability that it sells or needs.';
comment on column pub.product_job.product_id is 'Product';
comment on column pub.product_job.capability is 'Capability label';
comment on column pub.product_job.role is 'sells or depends_on';
comment on column pub.product_job.share is 'Share of what it sells (sums to 1) or needs';
