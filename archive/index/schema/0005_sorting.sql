-- Orders in which long lists are looked at.
-- @SQLITE
CREATE INDEX file_sort_path ON file (path_fold);
CREATE INDEX file_sort_name ON file (name_fold);
CREATE INDEX subject_sort_name ON subject (name_fold);
CREATE INDEX study_sort_name ON study (name_fold);
-- @END
CREATE INDEX file_sort_modified ON file (mtime_us);
