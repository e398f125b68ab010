create or replace view pub.product as
select product_id, name, vendor, homepage, category, segment, wrapper_tier, coupling, launched_on, launched_precision, outcome,
    ended_on, ended_precision, ended_known_on, last_alive_on, gone_by, cohort, cohort_seen_on, sample_weight, ended_because, note, source_url,
    source_url_launch, verified, is_private, is_moats_known, last_look_at, last_look
from main.product
left join (
    select probe.product_id, max(probed_at) as last_look_at,
        arg_max(evidence, row(probed_at, starts_with(coalesce(homepage, ''), probe.url))) as last_look
    from main.probe join main.product using (product_id)
    group by probe.product_id
) using (product_id);
comment on view pub.product is 'One row per app-layer product.';
comment on column pub.product.product_id is 'Key';
comment on column pub.product.name is 'Name';
comment on column pub.product.vendor is 'Company';
comment on column pub.product.homepage is 'Address';
comment on column pub.product.category is 'Free category';
comment on column pub.product.segment is 'eye, brain, hand, make or platform';
comment on column pub.product.wrapper_tier is 'Thickness of the shell, 1 (thin) to 5; null when unknown';
comment on column pub.product.coupling is 'Dependence on one platform, 0 (none) to 3 (deep); null when unknown';
comment on column pub.product.launched_on is 'Launch';
comment on column pub.product.launched_precision is 'day, month or year; a year is stored as 1 January';
comment on column pub.product.outcome is 'alive, shut_down, acquired, acquired_running, pivoted; null when its fate was not found';
comment on column pub.product.ended_on is 'End; null when alive or undated';
comment on column pub.product.ended_known_on is 'Day from which the end could be known';
comment on column pub.product.last_alive_on is 'Last seen alive';
comment on column pub.product.gone_by is 'First seen gone, when the end is undated';
comment on column pub.product.cohort is 'Dated public list on which it stood before its fate was known';
comment on column pub.product.sample_weight is 'Weight in the fit';
comment on column pub.product.ended_because is 'Stated reason of the end';
comment on column pub.product.note is 'Doubts and remarks';
comment on column pub.product.source_url is 'Evidence of its outcome';
comment on column pub.product.source_url_launch is 'Evidence of its launch';
comment on column pub.product.last_look_at is 'When its pages were last looked at (UTC); null when never';
comment on column pub.product.last_look is 'What its homepage (else repository) showed then: answers; no_host, parked, host_not_found_page, gone, redirect_other, frozen_repository, says_closing speak of an end; resolves and wall say nothing';
comment on column pub.product.is_private is 'Entered by you and kept in this home';
comment on column pub.product.ended_precision is 'day, month or year of ended_on';
comment on column pub.product.cohort_seen_on is 'Day of the list that it was found in';
comment on column pub.product.verified is 'How it was checked: page (a source was read) or memory';
comment on column pub.product.is_moats_known is 'Whether anything is said about moats, none included';
