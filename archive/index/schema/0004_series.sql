-- Series of DICOM are rows of `file` with their common folder as path, and `series` to tell them apart; the files that
-- each is made of are its parts, in the order of its slices.
ALTER TABLE file ADD COLUMN series @KEY@ NOT NULL DEFAULT '';
ALTER TABLE file ADD COLUMN source_series @KEY@ NOT NULL DEFAULT '';
ALTER TABLE file ADD COLUMN instances BIGINT NOT NULL DEFAULT 1;
ALTER TABLE file ADD COLUMN warnings @TEXT@ NOT NULL DEFAULT '[]';
-- As modality_fold: formats are found in any case.
ALTER TABLE file ADD COLUMN format_fold @KEY@ NOT NULL DEFAULT '';
UPDATE file SET format_fold = LOWER(format);
DROP INDEX file_search_format@ON_FILE@;
CREATE INDEX file_search_format ON file (format_fold);
CREATE INDEX file_series ON file (project_id, series, id);

CREATE TABLE file_part (
  file_id BIGINT NOT NULL,
  ordinal INTEGER NOT NULL,
  path @TEXT@ NOT NULL,
  PRIMARY KEY (file_id, ordinal),
  FOREIGN KEY (file_id) REFERENCES file (id) ON DELETE CASCADE
) @WITHOUT_ROWID@;

-- What the header of each DICOM file says (JSON), so that a series can be put together anew when one of its files
-- changes. grouped: 0 until the series that it belongs to are in `file`.
CREATE TABLE dicom_header (
  id @ID@,
  project_id BIGINT NOT NULL,
  path @TEXT@ NOT NULL,
  path_hash @KEY@ NOT NULL,
  size BIGINT NOT NULL,
  mtime_us BIGINT NOT NULL,
  header @TEXT@ NOT NULL,
  grouped INTEGER NOT NULL,
  UNIQUE (project_id, path_hash),
  FOREIGN KEY (project_id) REFERENCES project (id)
) @TABLE@;
CREATE INDEX dicom_header_grouped ON dicom_header (project_id, grouped);
