create or replace view pub.tag as
select document_id, capability, score, tagger, is_confirmed, evidence
from main.current_tag;
comment on view pub.tag is 'One row per document and capability past its threshold, by the tagger in force.';
comment on column pub.tag.document_id is 'Document';
comment on column pub.tag.capability is 'Capability label';
comment on column pub.tag.score is 'Probability, calibrated';
comment on column pub.tag.tagger is 'Tagger and version';
comment on column pub.tag.is_confirmed is 'True when an analyst confirmed it, false when rejected, null when not looked at';
comment on column pub.tag.evidence is 'The sentence that carried it, as found in the document';
