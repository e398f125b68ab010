-- One row per open proposal that a product has ended, been bought and closed, or dropped its job.
select proposal_id, proposal.kind, subject as product_id, proposed_on as happened_on, reason
from proposal
where proposal.kind in ('end', 'acquisition', 'pivot') and status = 'open' and proposed_on > $as_of::date - 3 * $window_days::integer
