create or replace view pub.forecast as
select product_id, made_on, horizon_months, survival, low, high, method_version
from main.forecast;
comment on view pub.forecast is 'One row per product, day it was made and horizon: what we said then, never rewritten.';
comment on column pub.forecast.product_id is 'Product';
comment on column pub.forecast.made_on is 'as_of of the run';
comment on column pub.forecast.horizon_months is '3, 6 or 12';
comment on column pub.forecast.survival is 'What was said';
comment on column pub.forecast.low is 'Lower end of the 90 % interval';
comment on column pub.forecast.high is 'Upper end of the 90 % interval';
comment on column pub.forecast.method_version is 'Version of the method';
