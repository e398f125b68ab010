create or replace view pub.activity as
select product_id, month, n_documents, n_releases, n_commits, n_mentions, state
from main.activity;
comment on view pub.activity is 'One row per product and month: signs of life.';
comment on column pub.activity.product_id is 'Product';
comment on column pub.activity.month is 'First day of the month';
comment on column pub.activity.n_documents is 'Own feed and changelog entries';
comment on column pub.activity.n_releases is 'Releases';
comment on column pub.activity.n_commits is 'Commits';
comment on column pub.activity.n_mentions is 'Mentions by others';
comment on column pub.activity.state is 'Silent months (0 to 6+) and size class of the last active month, as in 2:small; unknown where nothing is known';
