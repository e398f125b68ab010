-- One row: one proposal.
select proposal_id, kind, subject, fields::varchar as fields, document_ids, proposed_on, reason, status from proposal where proposal_id = $key;
