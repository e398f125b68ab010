create or replace view pub.proposal as
select proposal_id, kind, subject, fields, document_ids, proposed_on, reason, status
from main.proposal;
comment on view pub.proposal is 'One row per proposed change to the catalogue that waits for an analyst.';
comment on column pub.proposal.proposal_id is 'Key';
comment on column pub.proposal.kind is 'new_product, end, pivot, acquisition or launch';
comment on column pub.proposal.subject is 'Product id or name';
comment on column pub.proposal.fields is 'Values that would be written, as JSON';
comment on column pub.proposal.document_ids is 'Documents behind it';
comment on column pub.proposal.proposed_on is 'Day of the newest evidence';
comment on column pub.proposal.reason is 'Why, in words';
comment on column pub.proposal.status is 'open, accepted or rejected';
