-- The archive: project > subject > study > file, who may see it, and what was done. A statement ends with a ; at the end of
-- a line. Words between @ signs are replaced (archive/index/migration.cpp): @ID@ key that is counted up and never used
-- again, @TEXT@ text of any length, @KEY@ text of at most 190 characters, @REAL@ double. "-- @SQLITE", "-- @MYSQL" to
-- "-- @END": for one of them alone. Times are microseconds since 1970, UTC. Metadata is a JSON object.

-- One number, raised by each transaction that changes anything; rows carry the one of their last change.
CREATE TABLE revision (id INTEGER PRIMARY KEY, n BIGINT NOT NULL) @TABLE@;
INSERT INTO revision (id, n) VALUES (1, 0);

CREATE TABLE project (
  id @ID@,
  name @KEY@ NOT NULL UNIQUE,
  title @TEXT@ NOT NULL,
  root @TEXT@ NOT NULL,
  in_place INTEGER NOT NULL,
  hide_identity INTEGER NOT NULL DEFAULT 0,
  secret @KEY@ NOT NULL DEFAULT '',
  settings @TEXT@ NOT NULL,
  meta @TEXT@ NOT NULL,
  created_us BIGINT NOT NULL,
  changed_us BIGINT NOT NULL,
  revision BIGINT NOT NULL
) @TABLE@;
CREATE INDEX project_revision ON project (revision);

CREATE TABLE subject (
  id @ID@,
  project_id BIGINT NOT NULL,
  name @KEY@ NOT NULL,
  pseudonym @KEY@ NOT NULL,
  meta @TEXT@ NOT NULL,
  created_us BIGINT NOT NULL,
  changed_us BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  UNIQUE (project_id, name),
  UNIQUE (project_id, pseudonym),
  FOREIGN KEY (project_id) REFERENCES project (id)
) @TABLE@;
CREATE INDEX subject_revision ON subject (revision);

CREATE TABLE study (
  id @ID@,
  project_id BIGINT NOT NULL,
  subject_id BIGINT NOT NULL,
  name @KEY@ NOT NULL,
  date @KEY@ NOT NULL DEFAULT '',
  uid @KEY@ NOT NULL DEFAULT '',
  meta @TEXT@ NOT NULL,
  created_us BIGINT NOT NULL,
  changed_us BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  UNIQUE (subject_id, name),
  FOREIGN KEY (subject_id) REFERENCES subject (id)
) @TABLE@;
CREATE INDEX study_project ON study (project_id, id);
CREATE INDEX study_revision ON study (revision);

-- subject_id and study_id are NULL of files that belong to the project as a whole.
CREATE TABLE file (
  id @ID@,
  project_id BIGINT NOT NULL,
  subject_id BIGINT,
  study_id BIGINT,
  path @TEXT@ NOT NULL,
  path_hash @KEY@ NOT NULL,
  name @TEXT@ NOT NULL,
  kind @KEY@ NOT NULL DEFAULT '',
  format @KEY@ NOT NULL DEFAULT '',
  size BIGINT NOT NULL DEFAULT 0,
  mtime_us BIGINT NOT NULL DEFAULT 0,
  hash @KEY@ NOT NULL DEFAULT '',
  state INTEGER NOT NULL DEFAULT 0,
  reason @TEXT@ NOT NULL,
  modality @KEY@ NOT NULL DEFAULT '',
  sequence @KEY@ NOT NULL DEFAULT '',
  nx BIGINT NOT NULL DEFAULT 0,
  ny BIGINT NOT NULL DEFAULT 0,
  nz BIGINT NOT NULL DEFAULT 0,
  nt BIGINT NOT NULL DEFAULT 0,
  dx @REAL@ NOT NULL DEFAULT 0,
  dy @REAL@ NOT NULL DEFAULT 0,
  dz @REAL@ NOT NULL DEFAULT 0,
  date @KEY@ NOT NULL DEFAULT '',
  sidecar @TEXT@ NOT NULL DEFAULT '{}',
  meta @TEXT@ NOT NULL,
  created_us BIGINT NOT NULL,
  changed_us BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  UNIQUE (project_id, path_hash),
  FOREIGN KEY (project_id) REFERENCES project (id)
) @TABLE@;
CREATE INDEX file_project ON file (project_id, id);
CREATE INDEX file_subject ON file (subject_id, id);
CREATE INDEX file_study ON file (study_id, id);
CREATE INDEX file_hash ON file (project_id, hash);
CREATE INDEX file_revision ON file (revision);

-- Levels: 1 project, 2 subject, 3 study, 4 file.
CREATE TABLE tag (id @ID@, name @KEY@ NOT NULL UNIQUE) @TABLE@;
CREATE TABLE item_tag (
  level INTEGER NOT NULL,
  item_id BIGINT NOT NULL,
  tag_id BIGINT NOT NULL,
  project_id BIGINT NOT NULL,
  PRIMARY KEY (level, item_id, tag_id)
) @WITHOUT_ROWID@;
CREATE INDEX item_tag_project ON item_tag (tag_id, level, project_id, item_id);

CREATE TABLE meta_history (
  id @ID@,
  level INTEGER NOT NULL,
  item_id BIGINT NOT NULL,
  at_us BIGINT NOT NULL,
  user_name @KEY@ NOT NULL,
  before_json @TEXT@ NOT NULL,
  after_json @TEXT@ NOT NULL
) @TABLE@;
CREATE INDEX meta_history_item ON meta_history (level, item_id, id);

CREATE TABLE user (
  id @ID@,
  name @KEY@ NOT NULL UNIQUE,
  full_name @TEXT@ NOT NULL,
  email @TEXT@ NOT NULL,
  origin @KEY@ NOT NULL DEFAULT 'local',
  password_hash @TEXT@ NOT NULL,
  disabled INTEGER NOT NULL DEFAULT 0,
  administrator INTEGER NOT NULL DEFAULT 0,
  created_us BIGINT NOT NULL,
  seen_us BIGINT NOT NULL DEFAULT 0
) @TABLE@;
CREATE TABLE user_group (id @ID@, name @KEY@ NOT NULL UNIQUE, origin @KEY@ NOT NULL DEFAULT 'local') @TABLE@;
CREATE TABLE membership (
  group_id BIGINT NOT NULL,
  user_id BIGINT NOT NULL,
  PRIMARY KEY (group_id, user_id),
  FOREIGN KEY (group_id) REFERENCES user_group (id) ON DELETE CASCADE,
  FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) @TABLE@;
CREATE INDEX membership_user ON membership (user_id);

-- Rights are bits, see archive/access/rights.hpp. Exactly one of user_id and group_id is not 0; both 0: guests.
CREATE TABLE access_grant (
  project_id BIGINT NOT NULL,
  user_id BIGINT NOT NULL DEFAULT 0,
  group_id BIGINT NOT NULL DEFAULT 0,
  rights BIGINT NOT NULL,
  PRIMARY KEY (project_id, user_id, group_id),
  FOREIGN KEY (project_id) REFERENCES project (id) ON DELETE CASCADE
) @TABLE@;

CREATE TABLE token (
  id @ID@,
  secret_hash @KEY@ NOT NULL UNIQUE,
  user_id BIGINT NOT NULL,
  name @TEXT@ NOT NULL,
  rights BIGINT NOT NULL,
  created_us BIGINT NOT NULL,
  expires_us BIGINT NOT NULL,
  used_us BIGINT NOT NULL DEFAULT 0,
  FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) @TABLE@;
CREATE TABLE web_session (
  id @ID@,
  secret_hash @KEY@ NOT NULL UNIQUE,
  user_id BIGINT NOT NULL,
  csrf @KEY@ NOT NULL,
  address @KEY@ NOT NULL,
  created_us BIGINT NOT NULL,
  seen_us BIGINT NOT NULL,
  expires_us BIGINT NOT NULL,
  FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) @TABLE@;
CREATE INDEX web_session_expires ON web_session (expires_us);

-- project_id 0: everybody's.
CREATE TABLE preset (
  id @ID@,
  project_id BIGINT NOT NULL DEFAULT 0,
  owner_id BIGINT NOT NULL,
  name @KEY@ NOT NULL,
  scene @TEXT@ NOT NULL,
  created_us BIGINT NOT NULL,
  changed_us BIGINT NOT NULL,
  UNIQUE (project_id, owner_id, name)
) @TABLE@;
CREATE TABLE share_link (
  id @ID@,
  secret_hash @KEY@ NOT NULL UNIQUE,
  project_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  rights BIGINT NOT NULL,
  scene @TEXT@ NOT NULL,
  created_us BIGINT NOT NULL,
  expires_us BIGINT NOT NULL,
  FOREIGN KEY (project_id) REFERENCES project (id) ON DELETE CASCADE
) @TABLE@;
CREATE TABLE saved_filter (
  id @ID@,
  project_id BIGINT NOT NULL DEFAULT 0,
  owner_id BIGINT NOT NULL,
  name @KEY@ NOT NULL,
  query @TEXT@ NOT NULL,
  UNIQUE (project_id, owner_id, name)
) @TABLE@;

CREATE TABLE audit (
  id @ID@,
  at_us BIGINT NOT NULL,
  user_name @KEY@ NOT NULL,
  action @KEY@ NOT NULL,
  project_id BIGINT NOT NULL DEFAULT 0,
  item @TEXT@ NOT NULL,
  detail @TEXT@ NOT NULL,
  address @KEY@ NOT NULL DEFAULT ''
) @TABLE@;
CREATE INDEX audit_at ON audit (at_us);
CREATE INDEX audit_project ON audit (project_id, id);
-- @SQLITE
CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
-- @END
-- @MYSQL
CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the audit is append-only';
CREATE TRIGGER audit_kept BEFORE DELETE ON audit FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the audit is append-only';
-- @END
