create or replace view pub.lifeline_factor as
select product_id, as_of, factor, jump_id, lost_months, leave_one_out_months
from main.lifeline_factor;
comment on view pub.lifeline_factor is 'One row per product and cause of lost months.';
comment on column pub.lifeline_factor.product_id is 'Product';
comment on column pub.lifeline_factor.as_of is 'Day the estimate stands on';
comment on column pub.lifeline_factor.factor is 'Jump, deprecation, coupling and so on';
comment on column pub.lifeline_factor.jump_id is 'Jump, where the factor is one';
comment on column pub.lifeline_factor.lost_months is 'Its share of the lost months; shares add up exactly';
comment on column pub.lifeline_factor.leave_one_out_months is 'Months gained if this jump alone had not been';
