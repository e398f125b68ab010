create or replace view pub.accuracy as
select origin_on, horizon_months, method, n, n_ended, brier, brier_life_table, brier_no_exposure, auc, slope, oe
from main.accuracy;
comment on view pub.accuracy is 'One row per origin, horizon and method: how good forecasts were.';
comment on column pub.accuracy.origin_on is 'Day the forecast stood on';
comment on column pub.accuracy.horizon_months is 'Horizon';
comment on column pub.accuracy.method is 'Method and outcome; ends with :log when computed from the forecast log';
comment on column pub.accuracy.n is 'Products scored';
comment on column pub.accuracy.n_ended is 'Of them ended';
comment on column pub.accuracy.brier is 'Brier score, lower is better';
comment on column pub.accuracy.brier_life_table is 'Brier score of the life table on the same products';
comment on column pub.accuracy.auc is 'Chance that an ended product was ranked worse than a survivor';
comment on column pub.accuracy.slope is 'Calibration slope, 1 is right';
comment on column pub.accuracy.oe is 'Observed over expected ends, 1 is right';
comment on column pub.accuracy.brier_no_exposure is 'Brier score of the same estimate without jumps';
