CREATE TABLE runs (
	run_id VARCHAR(64) NOT NULL,
	bench VARCHAR(64) NOT NULL,
	board VARCHAR(64) NOT NULL,
	network VARCHAR(64) NOT NULL,
	batch_size BIGINT NOT NULL,
	precision VARCHAR(64) NOT NULL,
	backend VARCHAR(64),
	images_planned BIGINT,
	captures INTEGER NOT NULL,
	sync JSON NOT NULL,
	state VARCHAR(32) NOT NULL,
	reason VARCHAR(64),
	text TEXT,
	finished JSON,
	requested_utc_ns BIGINT NOT NULL,
	updated_utc_ns BIGINT NOT NULL,
	PRIMARY KEY (run_id)
);
CREATE INDEX runs_by_state ON runs (state);
CREATE INDEX runs_by_time ON runs (requested_utc_ns);
CREATE TABLE schema_version (
	version INTEGER NOT NULL,
	PRIMARY KEY (version)
);
CREATE TABLE captures (
	capture_id VARCHAR(64) NOT NULL,
	run_id VARCHAR(64) NOT NULL,
	capture_index INTEGER NOT NULL,
	name VARCHAR(255) NOT NULL,
	sha256 VARCHAR(64) NOT NULL,
	size_bytes BIGINT NOT NULL,
	at_utc_ns BIGINT NOT NULL,
	PRIMARY KEY (capture_id),
	FOREIGN KEY(run_id) REFERENCES runs (run_id)
);
CREATE INDEX ix_captures_run_id ON captures (run_id);
CREATE TABLE journal (
	entry_id BIGSERIAL NOT NULL,
	run_id VARCHAR(64),
	at_utc_ns BIGINT NOT NULL,
	event VARCHAR(64) NOT NULL,
	state VARCHAR(32),
	detail JSON NOT NULL,
	PRIMARY KEY (entry_id),
	FOREIGN KEY(run_id) REFERENCES runs (run_id)
);
CREATE INDEX ix_journal_run_id ON journal (run_id);
CREATE TABLE results (
	result_id VARCHAR(64) NOT NULL,
	run_id VARCHAR(64) NOT NULL,
	network VARCHAR(64) NOT NULL,
	batch_size BIGINT NOT NULL,
	gross_energy_per_image_j FLOAT(53),
	gross_u95_j FLOAT(53),
	net_energy_per_image_j FLOAT(53),
	net_u95_j FLOAT(53),
	quality VARCHAR(16) NOT NULL,
	at_utc_ns BIGINT NOT NULL,
	document JSON NOT NULL,
	PRIMARY KEY (result_id),
	FOREIGN KEY(run_id) REFERENCES runs (run_id)
);
CREATE INDEX results_by_network ON results (network, batch_size);
CREATE INDEX results_by_run ON results (run_id, at_utc_ns);
INSERT INTO runs (run_id, bench, board, network, batch_size, precision, backend, images_planned, captures, sync, state, reason, text, finished, requested_utc_ns, updated_utc_ns) VALUES ('measured', 'bench-1', 'tx1', 'resnet18', 4, 'fp32', 'onnx-cpu', 96, 2, '["marker", "clock"]', 'done', NULL, NULL, '{"images": 96, "batches": 24, "batch_durations_ns": [10, 12]}', 1795575452112770498, 1795575456000000000);
INSERT INTO runs (run_id, bench, board, network, batch_size, precision, backend, images_planned, captures, sync, state, reason, text, finished, requested_utc_ns, updated_utc_ns) VALUES ('failed', 'bench-1', 'tx1', 'resnet18', 4, 'fp32', NULL, NULL, 2, '[]', 'failed', 'no_trigger', 'it''s 100 % late; µs', NULL, 1795575460000000000, 1795575461000000000);
INSERT INTO runs (run_id, bench, board, network, batch_size, precision, backend, images_planned, captures, sync, state, reason, text, finished, requested_utc_ns, updated_utc_ns) VALUES ('unfinished', 'bench-1', 'tx1', 'resnet18', 4, 'fp32', NULL, NULL, 2, '[]', 'accepted', NULL, NULL, NULL, 1795575470000000000, 1795575470000000000);
INSERT INTO schema_version (version) VALUES (3);
INSERT INTO captures (capture_id, run_id, capture_index, name, sha256, size_bytes, at_utc_ns) VALUES ('measured-0', 'measured', 0, 'measured-0.parquet', '0000000000000000000000000000000000000000000000000000000000000000', 183000, 1795575454000000000);
INSERT INTO captures (capture_id, run_id, capture_index, name, sha256, size_bytes, at_utc_ns) VALUES ('measured-1', 'measured', 1, 'measured-1.parquet', '1111111111111111111111111111111111111111111111111111111111111111', 183001, 1795575454000000001);
INSERT INTO journal (entry_id, run_id, at_utc_ns, event, state, detail) VALUES (1, 'measured', 1795575452112770498, 'request', 'accepted', '{"run_id": "measured", "bench": "bench-1", "board": "tx1", "network": "resnet18", "batch_size": 4, "precision": "fp32", "images_planned": 96, "captures": 2, "sync": ["marker", "clock"], "backend": "onnx-cpu"}');
INSERT INTO journal (entry_id, run_id, at_utc_ns, event, state, detail) VALUES (2, 'measured', 1795575453000000000, 'armed', 'armed', '{}');
INSERT INTO journal (entry_id, run_id, at_utc_ns, event, state, detail) VALUES (3, 'measured', 1795575454000000010, 'captured', 'captured', '{"capture_id": "measured-0"}');
INSERT INTO journal (entry_id, run_id, at_utc_ns, event, state, detail) VALUES (4, 'measured', 1795575454000000011, 'captured', 'captured', '{"capture_id": "measured-1"}');
INSERT INTO journal (entry_id, run_id, at_utc_ns, event, state, detail) VALUES (5, 'measured', 1795575455000000000, 'report', NULL, '{"images": 96, "batches": 24, "batch_durations_ns": [10, 12]}');
INSERT INTO journal (entry_id, run_id, at_utc_ns, event, state, detail) VALUES (6, 'measured', 1795575456000000000, 'analysed', 'done', '{}');
INSERT INTO journal (entry_id, run_id, at_utc_ns, event, state, detail) VALUES (7, 'failed', 1795575460000000000, 'request', 'accepted', '{"run_id": "failed", "bench": "bench-1", "board": "tx1", "network": "resnet18", "batch_size": 4, "precision": "fp32", "images_planned": null, "captures": 2, "sync": [], "backend": null}');
INSERT INTO journal (entry_id, run_id, at_utc_ns, event, state, detail) VALUES (8, 'failed', 1795575461000000000, 'expired', 'failed', '{"reason": "no_trigger", "text": "it''s 100 % late; \u00b5s", "s": 60}');
INSERT INTO journal (entry_id, run_id, at_utc_ns, event, state, detail) VALUES (9, 'unfinished', 1795575470000000000, 'request', 'accepted', '{"run_id": "unfinished", "bench": "bench-1", "board": "tx1", "network": "resnet18", "batch_size": 4, "precision": "fp32", "images_planned": null, "captures": 2, "sync": [], "backend": null}');
INSERT INTO journal (entry_id, run_id, at_utc_ns, event, state, detail) VALUES (10, NULL, 1795575480000000000, 'refused_by_board', NULL, '{"text": "busy", "run_id": "x"}');
INSERT INTO results (result_id, run_id, network, batch_size, gross_energy_per_image_j, gross_u95_j, net_energy_per_image_j, net_u95_j, quality, at_utc_ns, document) VALUES ('first', 'measured', 'resnet18', 4, 0.3141592653589793, 0.0123, 0.25, 0.0124, 'degraded', 100, '{"v": 1, "run_id": "measured", "result_id": "first", "board": "tx1", "network": "resnet18", "batch_size": 4, "precision": "fp32", "images": 96, "batches": 24, "captures": 2, "gross_energy_per_image_j": {"value": 0.3141592653589793, "standard_uncertainty": 0.00615, "degrees_of_freedom": null, "expanded_uncertainty_95": 0.0123}, "net_energy_per_image_j": {"value": 0.25, "standard_uncertainty": 0.0062, "degrees_of_freedom": null, "expanded_uncertainty_95": 0.0124}, "batch_energy_per_image_j": {"value": 0.3, "standard_uncertainty": 0.00615, "degrees_of_freedom": null, "expanded_uncertainty_95": 0.0123}, "mean_power_w": {"value": 13.2, "standard_uncertainty": 0.25, "degrees_of_freedom": null, "expanded_uncertainty_95": 0.5}, "idle_power_w": {"value": 2.8, "standard_uncertainty": 0.25, "degrees_of_freedom": null, "expanded_uncertainty_95": 0.5}, "images_per_s": 53.3, "sync": "marker", "quality": "degraded", "reasons": [{"code": "calibration_missing", "text": "no certificate fits [channel 1]"}], "budget": [{"term": "noise", "quantity": "current noise", "standard_uncertainty_j": 0.0001, "share": 0.0003, "source": "data sheet"}, {"term": "probe_gain", "quantity": "probe gain", "standard_uncertainty_j": 0.0055, "share": 0.8, "source": "data sheet"}, {"term": "probe_zero", "quantity": "probe zero", "standard_uncertainty_j": 0.0027, "share": 0.1997, "source": "data sheet"}], "software_version": "0.1.0", "capture_ids": ["measured_0", "measured_1"], "certificate_ids": [], "at_utc_ns": 100}');
INSERT INTO results (result_id, run_id, network, batch_size, gross_energy_per_image_j, gross_u95_j, net_energy_per_image_j, net_u95_j, quality, at_utc_ns, document) VALUES ('again', 'measured', 'resnet18', 4, 0.3141592653589793, 0.0123, 0.25, 0.0124, 'degraded', 200, '{"v": 1, "run_id": "measured", "result_id": "again", "board": "tx1", "network": "resnet18", "batch_size": 4, "precision": "fp32", "images": 96, "batches": 24, "captures": 2, "gross_energy_per_image_j": {"value": 0.3141592653589793, "standard_uncertainty": 0.00615, "degrees_of_freedom": null, "expanded_uncertainty_95": 0.0123}, "net_energy_per_image_j": {"value": 0.25, "standard_uncertainty": 0.0062, "degrees_of_freedom": null, "expanded_uncertainty_95": 0.0124}, "batch_energy_per_image_j": {"value": 0.3, "standard_uncertainty": 0.00615, "degrees_of_freedom": null, "expanded_uncertainty_95": 0.0123}, "mean_power_w": {"value": 13.2, "standard_uncertainty": 0.25, "degrees_of_freedom": null, "expanded_uncertainty_95": 0.5}, "idle_power_w": {"value": 2.8, "standard_uncertainty": 0.25, "degrees_of_freedom": null, "expanded_uncertainty_95": 0.5}, "images_per_s": 53.3, "sync": "marker", "quality": "degraded", "reasons": [{"code": "calibration_missing", "text": "no certificate fits [channel 1]"}], "budget": [{"term": "noise", "quantity": "current noise", "standard_uncertainty_j": 0.0001, "share": 0.0003, "source": "data sheet"}, {"term": "probe_gain", "quantity": "probe gain", "standard_uncertainty_j": 0.0055, "share": 0.8, "source": "data sheet"}, {"term": "probe_zero", "quantity": "probe zero", "standard_uncertainty_j": 0.0027, "share": 0.1997, "source": "data sheet"}], "software_version": "0.1.0", "capture_ids": ["measured_0", "measured_1"], "certificate_ids": [], "at_utc_ns": 200}');
SELECT setval('journal_entry_id_seq', (SELECT max(entry_id) FROM journal));
