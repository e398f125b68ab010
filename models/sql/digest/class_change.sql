-- One row per product and change of its lifeline class within the window before as_of.
select key as product_id, before, after, changed_at::date as happened_on
from change
where relation = 'lifeline' and field = 'lifeline_class' and changed_at::date > $as_of::date - $window_days::integer
  and changed_at::date <= $as_of::date
