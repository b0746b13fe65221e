-- What people say of items is also written to the disk (archive/files/journal_file.hpp): the file of each project, and how
-- many of its bytes are in these tables. What it has beyond them is of a change that was killed before its end.
CREATE TABLE project_journal (
  project_id BIGINT NOT NULL,
  file @TEXT@ NOT NULL,
  bytes BIGINT NOT NULL,
  whole BIGINT NOT NULL,
  PRIMARY KEY (project_id),
  FOREIGN KEY (project_id) REFERENCES project (id) ON DELETE CASCADE
) @TABLE@;
