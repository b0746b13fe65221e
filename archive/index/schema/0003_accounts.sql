-- Who somebody is at a directory or provider: the distinguished name, or issuer and subject. Empty: a local user.
ALTER TABLE user ADD COLUMN external_id @TEXT@ NOT NULL DEFAULT '';

-- 0: the token is good in every project.
ALTER TABLE token ADD COLUMN project_id BIGINT NOT NULL DEFAULT 0;
CREATE INDEX token_user ON token (user_id);
CREATE INDEX web_session_user ON web_session (user_id);
CREATE INDEX share_link_project ON share_link (project_id, id);
CREATE INDEX access_grant_user ON access_grant (user_id);
CREATE INDEX access_grant_group ON access_grant (group_id);
CREATE INDEX audit_user ON audit (user_name, id);
