-- The name by which a scan knows a subject or study, from folders, a pattern or headers. People may give it another one
-- (`name`): files that are found later still belong to it.
ALTER TABLE subject ADD COLUMN found_as @KEY@ NOT NULL DEFAULT '';
ALTER TABLE study ADD COLUMN found_as @KEY@ NOT NULL DEFAULT '';
UPDATE subject SET found_as = name;
UPDATE study SET found_as = name;
CREATE INDEX subject_found_as ON subject (project_id, found_as);
CREATE INDEX study_found_as ON study (subject_id, found_as);

-- The last scan of each project that came to its end or failed: a JSON object of what it found, or of why it failed.
-- dicom_changes: raised with each change of dicom_header, so that a scan sees that another one changed them meanwhile.
CREATE TABLE project_scan (
  project_id BIGINT NOT NULL,
  dicom_changes BIGINT NOT NULL DEFAULT 0,
  ended_us BIGINT NOT NULL DEFAULT 0,
  report @TEXT@ NOT NULL,
  PRIMARY KEY (project_id),
  FOREIGN KEY (project_id) REFERENCES project (id) ON DELETE CASCADE
) @TABLE@;
INSERT INTO project_scan (project_id, report) SELECT id, '{}' FROM project;
CREATE INDEX file_vanished_size ON file (project_id, state, size);
