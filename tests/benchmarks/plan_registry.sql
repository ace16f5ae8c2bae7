-- What has happened in the registry of `plan_registry.py`. Statements end at the end of a line.

-- Two thirds of the numbers are verified and primary.
UPDATE subscription SET verified_at = :now WHERE get_byte(msisdn_key, 3) % 3 < 2;

UPDATE holding SET is_eligible = true FROM subscription AS s WHERE s.verified_at IS NOT NULL AND
  holding.citizen_key = s.citizen_key AND holding.subscription_id = s.subscription_id;

INSERT INTO primary_number SELECT citizen_key, subscription_id, true, msisdn_sealed,
  verified_at, :now FROM subscription WHERE verified_at IS NOT NULL;

INSERT INTO verification (msisdn_key, verification_id, subscription_id, caller, citizen_key,
  nonce_digest, nonce_expires_at, state, created_at, expires_at) SELECT msisdn_key,
  gen_random_uuid(), subscription_id, 'operator:' || operator_id, citizen_key, sha256(msisdn_key),
  :now, 'pending', :now, :now FROM subscription;

INSERT INTO subscriber_sequence (citizen_key, last_sequence) SELECT citizen_key, 1 FROM
  subscription WHERE verified_at IS NOT NULL;

INSERT INTO subscriber_update (citizen_key, subscription_id, msisdn_key, sequence, link_state,
  verified_at, primary_since, changed_at, acknowledged_sequence) SELECT citizen_key,
  subscription_id, msisdn_key, 1, 'linked', :now, :now, :now, CASE WHEN get_byte(citizen_key, 4) <
  128 THEN 0 ELSE 1 END FROM subscription WHERE verified_at IS NOT NULL;

-- Steps of the ladder fall due over two months, some of them today.
UPDATE enforcement_case SET next_due_at = CAST(:now AS timestamptz) - interval '1 hour' +
  (get_byte(msisdn_key, 5) * 256 + get_byte(msisdn_key, 6)) * interval '80 seconds';

UPDATE enforcement_case SET state = 'cured', closed_at = :now, next_due_at = NULL WHERE
  get_byte(msisdn_key, 3) % 3 = 0;

INSERT INTO directive (msisdn_key, directive_id, subscription_id, operator_id, msisdn_sealed,
  kind, causes, citation, cure, state, created_at, due_at, executed_at) SELECT msisdn_key,
  gen_random_uuid(), subscription_id, operator_id, msisdn_sealed, 'notify', '{}', '', '', CASE
  WHEN is_open THEN 'pending' ELSE 'executed' END, :now, :now, CASE WHEN NOT is_open THEN
  CAST(:now AS timestamptz) END FROM (SELECT *, get_byte(msisdn_key, 7) < 25 AS is_open FROM
  subscription) AS s;

-- Some of what is open is on its way.
UPDATE directive SET state = 'leased', lease_id = gen_random_uuid(), lease_expires_at =
  CAST(:now AS timestamptz) + interval '1 minute' WHERE state = 'pending' AND operator_id <>
  'viettel' AND get_byte(msisdn_key, 8) < 64;

UPDATE subscriber_update SET leased_sequence = 1, lease_id = gen_random_uuid(), lease_expires_at
  = CAST(:now AS timestamptz) + interval '1 minute' WHERE acknowledged_sequence = 0 AND
  get_byte(citizen_key, 5) < 64;

UPDATE subscriber_sequence AS place SET settled_sequence = acknowledged_sequence, position = CASE
  WHEN acknowledged_sequence = 0 THEN owed.position END, waits_until = lease_expires_at FROM
  subscriber_update AS owed WHERE place.citizen_key = owed.citizen_key;

INSERT INTO link_change (msisdn_key, subscription_id, changed_at, action, from_state, to_state)
  SELECT msisdn_key, subscription_id, :now, 'import', 'not_found', 'linked' FROM subscription;

-- A snapshot of the first operator is under way, and has named most of its numbers.
INSERT INTO import_run (caller, request_id, method, is_snapshot, began_at) VALUES
  ('operator:viettel', '00000000-0000-4000-8000-000000000001', 'import', true, :now);

INSERT INTO import_row SELECT msisdn_key, 1 FROM subscription WHERE operator_id = 'viettel' AND
  get_byte(msisdn_key, 5) > 2;

INSERT INTO import_batch SELECT 'operator:viettel', '00000000-0000-4000-8000-000000000001',
  place, 'import', '\x00', '{"row_errors": [], "received_count": 5000}', :now FROM
  generate_series(0, 2999) AS place;

INSERT INTO request SELECT 'operator:viettel', gen_random_uuid(), 'register', '\x00', '\x00',
  :now FROM generate_series(1, 40000);

INSERT INTO audit_entry (occurred_at, caller, action, outcome, citizen_key, msisdn_key, details)
  SELECT :now, 'operator:viettel', 'read', 'found', citizen_key, msisdn_key, '{}' FROM
  subscription, generate_series(1, 2);

INSERT INTO face_reference SELECT citizen_key, '\x00', 'digest', '\x00', NULL, :now, :now FROM
  subscription WHERE verified_at IS NOT NULL;
