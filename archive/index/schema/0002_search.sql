-- What the search (archive/search) looks at beside the columns of 0001. A statement ends with a ; at the end of a line.
-- Tokens: @ID@ key that is counted up, @TEXT@ text of any length, @KEY@ text of at most 190 characters, @REAL@ double,
-- @WITHOUT_ROWID@ for tables that are their own index. Between "-- @SQLITE" and "-- @END": for SQLite alone.
-- @TEXT@ and @KEY@ compare code points and take blanks at the end seriously: in MySQL utf8mb4_nopad_bin.
--
-- Who writes a row fills the columns in the same transaction (archive/search/fold.hpp, meta_keys.hpp):
--   *_fold                 = foldText(the column of that name); modality_fold and sequence_fold = metaText(...)
--   meta_key               = metaKeys(meta), after DELETE FROM meta_key WHERE level = ? AND item_id = ?
--   meta_name              = one row for each name that meta_key needs
-- The trigrams of SQLite follow by themselves.

ALTER TABLE project ADD COLUMN name_fold @TEXT@ NOT NULL DEFAULT '';
ALTER TABLE project ADD COLUMN title_fold @TEXT@ NOT NULL DEFAULT '';
ALTER TABLE subject ADD COLUMN name_fold @TEXT@ NOT NULL DEFAULT '';
ALTER TABLE subject ADD COLUMN pseudonym_fold @TEXT@ NOT NULL DEFAULT '';
ALTER TABLE study ADD COLUMN name_fold @TEXT@ NOT NULL DEFAULT '';
ALTER TABLE file ADD COLUMN path_fold @TEXT@ NOT NULL DEFAULT '';
ALTER TABLE file ADD COLUMN name_fold @TEXT@ NOT NULL DEFAULT '';
ALTER TABLE file ADD COLUMN modality_fold @KEY@ NOT NULL DEFAULT '';
ALTER TABLE file ADD COLUMN sequence_fold @KEY@ NOT NULL DEFAULT '';
ALTER TABLE tag ADD COLUMN name_fold @TEXT@ NOT NULL DEFAULT '';

-- Values of the metadata of every level. Names are few and long, values are many: hence a number for the name.
CREATE TABLE meta_name (id @ID@, name @KEY@ NOT NULL UNIQUE);
CREATE TABLE meta_key (
  level INTEGER NOT NULL,
  item_id BIGINT NOT NULL,
  name_id BIGINT NOT NULL,
  ordinal INTEGER NOT NULL,
  number @REAL@,
  text @KEY@ NOT NULL,
  PRIMARY KEY (level, item_id, name_id, ordinal)
) @WITHOUT_ROWID@;
CREATE INDEX meta_key_number ON meta_key (name_id, level, number, item_id);
CREATE INDEX meta_key_text ON meta_key (name_id, level, text, item_id);

-- Each leads to the few files of a rare value.
CREATE INDEX item_tag_search ON item_tag (tag_id, level, item_id);
CREATE INDEX file_search_kind ON file (kind);
CREATE INDEX file_search_format ON file (format);
CREATE INDEX file_search_modality ON file (modality_fold);
CREATE INDEX file_search_sequence ON file (sequence_fold);
CREATE INDEX file_search_state ON file (state);
CREATE INDEX file_search_date ON file (date);
CREATE INDEX file_search_created ON file (created_us);
CREATE INDEX file_search_changed ON file (changed_us);
CREATE INDEX file_search_size ON file (size);
CREATE INDEX file_search_nx ON file (nx);
CREATE INDEX file_search_nt ON file (nt);
CREATE INDEX file_search_dx ON file (dx);
CREATE INDEX study_search_date ON study (date);

-- @SQLITE
-- Trigrams of the paths: 44 MB for a million paths of 60 characters, as they hold no positions.
CREATE VIRTUAL TABLE file_gram USING fts5(path_fold, content='file', content_rowid='id', tokenize='trigram case_sensitive 1', detail=none, columnsize=0);
INSERT INTO file_gram (file_gram) VALUES ('rebuild');
CREATE TRIGGER file_gram_added AFTER INSERT ON file BEGIN INSERT INTO file_gram (rowid, path_fold) VALUES (new.id, new.path_fold); END;
CREATE TRIGGER file_gram_removed AFTER DELETE ON file BEGIN INSERT INTO file_gram (file_gram, rowid, path_fold) VALUES ('delete', old.id, old.path_fold); END;
CREATE TRIGGER file_gram_changed AFTER UPDATE OF path_fold ON file WHEN old.path_fold <> new.path_fold BEGIN INSERT INTO file_gram (file_gram, rowid, path_fold) VALUES ('delete', old.id, old.path_fold); INSERT INTO file_gram (rowid, path_fold) VALUES (new.id, new.path_fold); END;
-- @END
