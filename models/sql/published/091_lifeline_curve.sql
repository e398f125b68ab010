create or replace view pub.lifeline_curve as
select product_id, as_of, months, survival, low, high
from main.lifeline_curve;
comment on view pub.lifeline_curve is 'One row per product and month 0 to 24 ahead.';
comment on column pub.lifeline_curve.product_id is 'Product';
comment on column pub.lifeline_curve.as_of is 'Day the estimate stands on';
comment on column pub.lifeline_curve.months is 'Months ahead';
comment on column pub.lifeline_curve.survival is 'Chance to be still there';
comment on column pub.lifeline_curve.low is 'Lower end of the 90 % interval';
comment on column pub.lifeline_curve.high is 'Upper end of the 90 % interval';
