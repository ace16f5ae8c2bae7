-- What has happened in the registry of `plan_registry.py`. Statements end at the end of a line.

-- Two thirds of the numbers are verified and primary.
UPDATE subscription SET verified_at = :now WHERE get_byte(msisdn_key, 3) % 3 < 2;

UPDATE holding SET is_eligible = true FROM subscription AS s WHERE s.verified_at IS NOT NULL AND
  holding.citizen_key = s.citizen_key AND holding.subscription_id = s.subscription_id;

INSERT INTO citizen_choice (citizen_key, sequence, has_chosen) SELECT citizen_key, 3, true
  FROM subscription WHERE verified_at IS NOT NULL;

INSERT INTO choice_event (citizen_key, sequence, happened_at, kind, subscription_id)
  SELECT citizen_key, line, :now, 'confirmed', subscription_id
  FROM subscription, generate_series(1, 3) AS line WHERE verified_at IS NOT NULL;

INSERT INTO primary_number SELECT citizen_key, subscription_id, true, msisdn_sealed,
  verified_at, :now, :now FROM subscription WHERE verified_at IS NOT NULL;

INSERT INTO fallback_number (citizen_key, rank, subscription_id, msisdn_sealed, verified_at, set_at)
  SELECT citizen_key, 1, subscription_id, msisdn_sealed, verified_at, :now
  FROM subscription WHERE verified_at IS NOT NULL;

-- Half of the people have a guardian, and a tenth of them are asked for by another; who they are is
-- not sealed as in service, and nothing opens it.
INSERT INTO arrangement (citizen_key, arrangement_id, kind, state, proposer_key, parties_sealed,
  proposed_at, lapses_at, attested_at, attester, document_digest, agreed_at, guardian_place,
  majority_key) SELECT citizen_key, gen_random_uuid(), 'guardianship', 'agreed',
  substr(sha256(citizen_key), 1, 16), '\x00', :now, :now, :now, 'operator:viettel', '\x00', :now, 1,
  substr(sha256(citizen_key), 1, 2) FROM citizen WHERE get_byte(citizen_key, 3) < 128;

INSERT INTO arrangement (citizen_key, arrangement_id, kind, state, proposer_key, parties_sealed,
  proposed_at, lapses_at) SELECT citizen_key, gen_random_uuid(), 'guardianship', 'proposed',
  substr(sha256(citizen_key), 2, 16), '\x00', :now, CAST(:now AS timestamptz) +
  get_byte(citizen_key, 5) * interval '80 minutes' - interval '1 hour' FROM citizen WHERE
  get_byte(citizen_key, 3) < 26;

INSERT INTO verification (msisdn_key, verification_id, subscription_id, caller, citizen_key,
  nonce_digest, nonce_expires_at, state, created_at, expires_at) SELECT msisdn_key,
  gen_random_uuid(), subscription_id, 'operator:' || operator_id, citizen_key, sha256(msisdn_key),
  :now, 'pending', :now, :now FROM subscription;

-- Each number was verified with one photograph: the mark of its file, and those of its parts.
INSERT INTO probe_mark (mark, photograph_id, is_exact, citizen_key, verification_id, used_at)
  SELECT substr(sha256(msisdn_key || decode(lpad(to_hex(part), 2, '0'), 'hex')), 1, 16),
  subscription_id, part = 0, citizen_key, subscription_id, :now
  FROM subscription, generate_series(0, 8) AS part;

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

INSERT INTO directive (msisdn_key, directive_id, subscription_id, operator_id, kind,
  causes, policy_version, track, state, created_at, due_at, executed_at) SELECT msisdn_key,
  gen_random_uuid(), subscription_id, operator_id, 'notify',
  '{unverified}', 'vn-2026-04-15', 'T2', CASE
  WHEN is_open THEN 'pending' ELSE 'executed' END, :now, :now, CASE WHEN NOT is_open THEN
  CAST(:now AS timestamptz) END FROM (SELECT *, get_byte(msisdn_key, 7) < 25 AS is_open FROM
  subscription) AS s;

-- Two people have claimed some numbers, and claim a few of them still.
INSERT INTO dispute (msisdn_key, dispute_id, subscription_id, holder_key, claimant_key, operator_id,
  opener, state, opened_at, deadline, evidence, words, appeals, closed_at) SELECT msisdn_key,
  gen_random_uuid(), subscription_id, citizen_key, sha256(citizen_key), operator_id,
  'regulator:ministry', CASE WHEN is_open THEN 'open' ELSE 'closed' END, :now,
  CAST(:now AS timestamptz) + interval '15 days', '[]', '[]', '[]', CASE WHEN NOT is_open THEN
  CAST(:now AS timestamptz) END FROM (SELECT *, get_byte(msisdn_key, 8) < 25 AS is_open FROM
  subscription WHERE get_byte(msisdn_key, 7) < 64) AS s;

-- A wave has blocked some numbers a week ago, a few of which have been verified since; others wait
-- for the next one.
INSERT INTO wave (wave_id, criteria, state, creator, created_at, preview, round, slice_count) VALUES
  ('00000000-0000-4000-8000-000000000002', '{"track": "T2", "step": "block_outgoing",
  "operators": [], "province_codes": [], "causes": [], "subscription_count_max": 0,
  "has_primaries": false}', 'running', 'regulator:ministry', :now, '{"subscription_count": 2000,
  "by_operator": {}, "by_province": {}, "by_age": {}, "primary_count": 0, "last_number_count": 0,
  "recently_verified_count": 0, "held_count": 0}', 1, 256);

INSERT INTO wave_slice (wave_id, place, directive_count, executed_at, reverted_at, reverted_count)
  SELECT '00000000-0000-4000-8000-000000000002', place, 10, CAST(:now AS timestamptz) - interval
  '7 days', CASE WHEN place < 20 THEN CAST(:now AS timestamptz) - interval '6 days' END, CASE WHEN
  place < 20 THEN 10 END FROM generate_series(0, 250) AS place;

UPDATE enforcement_case SET steps_taken = 6, wave_id = '00000000-0000-4000-8000-000000000002',
  wave_due_at = CAST(:now AS timestamptz) - interval '8 days' WHERE track = 'T2' AND
  get_byte(msisdn_key, 9) < 13;

UPDATE enforcement_case SET steps_taken = 5, waits_for_wave = true, next_due_at =
  CAST(:now AS timestamptz) - interval '1 day' WHERE track = 'T2' AND state = 'open' AND
  get_byte(msisdn_key, 9) >= 192;

-- What was ordered in half a year, in the order of its days.
INSERT INTO directive (msisdn_key, directive_id, subscription_id, operator_id, kind, causes,
  policy_version, track, state, created_at, due_at, executed_at) SELECT msisdn_key,
  gen_random_uuid(), subscription_id, operator_id, 'notify', '{unverified}', 'vn-2026-04-15', 'T2',
  'executed', at, at + interval '1 day', at + interval '1 hour' FROM (SELECT *,
  CAST(:now AS timestamptz) - (1 + get_byte(msisdn_key, 11) % 180) * interval '1 day' AS at FROM
  subscription) AS s ORDER BY at;

INSERT INTO directive (msisdn_key, directive_id, subscription_id, operator_id, kind, causes,
  policy_version, track, wave_id, state, created_at, due_at, executed_at) SELECT msisdn_key,
  gen_random_uuid(), subscription_id, operator_id, 'block_outgoing', '{unverified}',
  'vn-2026-04-15', 'T2', '00000000-0000-4000-8000-000000000002', 'executed', at, at + interval
  '1 day', at + interval '1 hour' FROM (SELECT s.*, CAST(:now AS timestamptz) - interval '7 days'
  AS at FROM subscription AS s JOIN enforcement_case AS e USING (msisdn_key, subscription_id) WHERE
  e.wave_id IS NOT NULL) AS stepped;

INSERT INTO complaint (msisdn_key, subscription_id, filed_on, operator_id, filed_at) SELECT
  msisdn_key, subscription_id, CAST(at AS date), operator_id, at FROM (SELECT *,
  CAST(:now AS timestamptz) - (get_byte(msisdn_key, 12) % 180) * interval '1 day' AS at FROM
  subscription WHERE get_byte(msisdn_key, 13) < 64) AS s;

INSERT INTO reconciliation (operator_id, request_id, began_at, finished_at, compared_count,
  drift_count, false_count, unreported_count) SELECT 'viettel', gen_random_uuid(), at, at, 10000, 7,
  1, 3 FROM (SELECT CAST(:now AS timestamptz) - day * interval '1 hour' AS at FROM
  generate_series(1, 5000) AS day) AS days;

INSERT INTO signing_certificate VALUES ('\x00', '\x00', :now);

INSERT INTO acknowledgement SELECT 'operator:viettel', gen_random_uuid(), repeat('line ', 200),
  '\x00', '\x00', :now FROM generate_series(1, 4000);

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
  SELECT msisdn_key, subscription_id, :now, 'import_population', 'not_found', 'linked' FROM subscription;

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

-- What agencies wrote: nearly all of it done, some out, some waiting at the second operator.
INSERT INTO message (citizen_key, message_id, priority, template, text_sealed, agency, purpose,
 legal_basis, msisdn_key, subscription_id, operator_id, state, lease_id, lease_expires_at,
 created_at, expires_at, handed_at, done_at)
SELECT citizen_key, gen_random_uuid(), 3, 'letter-' || n % 5, '\x00', 'agency-' || n % 7,
 'service_delivery', 'Law 26/2023/QH15, art. 10', msisdn_key, subscription_id, operator_id,
 state, CASE state WHEN 'leased' THEN gen_random_uuid() END,
 CASE state WHEN 'leased' THEN CAST(:now AS timestamptz) + INTERVAL '1 hour' END,
 CAST(:now AS timestamptz) - n * INTERVAL '1 minute',
 CAST(:now AS timestamptz) + INTERVAL '3 days', CAST(:now AS timestamptz),
 CASE state WHEN 'delivered' THEN CAST(:now AS timestamptz) END
FROM (SELECT s.*, row_number() OVER (ORDER BY subscription_id) AS n,
 CASE WHEN operator_id <> 'viettel' AND abs(hashtext(CAST(subscription_id AS text))) % 50 = 0 THEN 'pending'
  WHEN abs(hashtext(CAST(subscription_id AS text))) % 50 = 1 THEN 'leased' ELSE 'delivered' END AS state
 FROM subscription AS s) AS written;

INSERT INTO agency SELECT 'agency-' || n, true, :now, :now, 'regulator:regulator' FROM
  generate_series(1, 20) AS n;

INSERT INTO agency_grant SELECT name, 'service_delivery', '{Law 26/2023/QH15, art. 10}',
  '{number,contact_changes}', 1000000 FROM agency;

INSERT INTO contact_interest SELECT citizen_key, 'agency-1', CAST(:now AS timestamptz) +
  interval '30 days' FROM citizen;

INSERT INTO contact_hint (agency, citizen_key, hinted_at) SELECT 'agency-' || 1 + n % 20,
  citizen_key, :now FROM (SELECT citizen_key, row_number() OVER () AS n FROM citizen) AS numbered;

INSERT INTO restriction (citizen_key, objected_purposes, is_restricted, changed_at)
  SELECT citizen_key, '{}', false, :now FROM citizen;

INSERT INTO relay (token_digest, agency, purpose, citizen_key, expires_at)
  SELECT sha256(citizen_key), 'agency-1', 'service_delivery', citizen_key,
  CAST(:now AS timestamptz) + interval '1 day' FROM citizen;
