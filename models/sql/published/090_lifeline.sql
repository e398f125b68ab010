create or replace view pub.lifeline as
select product_id, as_of, s3, s3_low, s3_high, s6, s6_low, s6_high, s12, s12_low, s12_high, median_months, safe_until_months,
    lifeline_class, overtaken_on, p_overtaken_3, p_overtaken_6, p_overtaken_12, p_shut_down_12, p_acquired_12,
    p_pivoted_12, silent_since, p_silent_3, p_silent_6, p_silent_12, lost_months, main_jump_id, n_at_risk, n_ended,
    evidence, reason, p_overtaken_3_low, p_overtaken_3_high, p_overtaken_6_low, p_overtaken_6_high, p_overtaken_12_low,
    p_overtaken_12_high, p_silent_3_low, p_silent_3_high, p_silent_6_low, p_silent_6_high, p_silent_12_low, p_silent_12_high,
    lost_months_low, lost_months_high
from main.lifeline;
comment on view pub.lifeline is 'One row per product alive on as_of: how long it has, with interval, number at risk and reason.';
comment on column pub.lifeline.product_id is 'Product';
comment on column pub.lifeline.as_of is 'Day the estimate stands on';
comment on column pub.lifeline.s3 is 'Chance that it is still there, doing the same job, after 3 months';
comment on column pub.lifeline.s3_low is 'Lower end of the 90 % interval';
comment on column pub.lifeline.s3_high is 'Upper end of the 90 % interval';
comment on column pub.lifeline.s6 is 'Chance that it is still there, doing the same job, after 6 months';
comment on column pub.lifeline.s6_low is 'Lower end of the 90 % interval';
comment on column pub.lifeline.s6_high is 'Upper end of the 90 % interval';
comment on column pub.lifeline.s12 is 'Chance that it is still there, doing the same job, after 12 months';
comment on column pub.lifeline.s12_low is 'Lower end of the 90 % interval';
comment on column pub.lifeline.s12_high is 'Upper end of the 90 % interval';
comment on column pub.lifeline.median_months is 'Months after which half of such products have ended; null when beyond the curve';
comment on column pub.lifeline.safe_until_months is 'Last month with survival of at least 0.8';
comment on column pub.lifeline.lifeline_class is '3, 6, 12, long or unsure (two classes joined by / when they share the weight)';
comment on column pub.lifeline.overtaken_on is 'When jumps overtook it; null when not';
comment on column pub.lifeline.p_overtaken_3 is 'Chance to be overtaken within 3 months; null when it is already';
comment on column pub.lifeline.p_overtaken_6 is 'Chance to be overtaken within 6 months';
comment on column pub.lifeline.p_overtaken_12 is 'Chance to be overtaken within 12 months';
comment on column pub.lifeline.p_shut_down_12 is 'Chance to be shut down within 12 months';
comment on column pub.lifeline.p_acquired_12 is 'Chance to be bought and closed within 12 months';
comment on column pub.lifeline.p_pivoted_12 is 'Chance to drop its job within 12 months';
comment on column pub.lifeline.silent_since is 'First month without a sign of life, when there have been six; null when not silent or unknown';
comment on column pub.lifeline.p_silent_3 is 'Chance that a run of six silent months is complete within 3 months; null without activity data';
comment on column pub.lifeline.p_silent_6 is 'The same within 6 months';
comment on column pub.lifeline.p_silent_12 is 'The same within 12 months';
comment on column pub.lifeline.lost_months is 'Months of the next 24 that go with its exposures (associated with, never caused by)';
comment on column pub.lifeline.main_jump_id is 'Jump with the largest share of the lost months';
comment on column pub.lifeline.n_at_risk is 'Products under observation behind the estimate';
comment on column pub.lifeline.n_ended is 'Ends behind the estimate';
comment on column pub.lifeline.evidence is 'data, or mostly_prior below 30 ends';
comment on column pub.lifeline.reason is 'Why the class is unsure, or what the estimate rests on';
comment on column pub.lifeline.p_overtaken_3_low is 'Lower end of the 90 % interval';
comment on column pub.lifeline.p_overtaken_3_high is 'Upper end of the 90 % interval';
comment on column pub.lifeline.p_overtaken_6_low is 'Lower end of the 90 % interval';
comment on column pub.lifeline.p_overtaken_6_high is 'Upper end of the 90 % interval';
comment on column pub.lifeline.p_overtaken_12_low is 'Lower end of the 90 % interval';
comment on column pub.lifeline.p_overtaken_12_high is 'Upper end of the 90 % interval';
comment on column pub.lifeline.p_silent_3_low is 'Lower end of the 90 % interval';
comment on column pub.lifeline.p_silent_3_high is 'Upper end of the 90 % interval';
comment on column pub.lifeline.p_silent_6_low is 'Lower end of the 90 % interval';
comment on column pub.lifeline.p_silent_6_high is 'Upper end of the 90 % interval';
comment on column pub.lifeline.p_silent_12_low is 'Lower end of the 90 % interval';
comment on column pub.lifeline.p_silent_12_high is 'Upper end of the 90 % interval';
comment on column pub.lifeline.lost_months_low is 'Lower end of the 90 % interval; below 0, the jumps may have lengthened it';
comment on column pub.lifeline.lost_months_high is 'Upper end of the 90 % interval';
