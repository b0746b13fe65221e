-- Users of a directory or provider: when it last said who they are, and whether it has said since that it has no such user
-- who may enter.
ALTER TABLE user ADD COLUMN confirmed_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE user ADD COLUMN absent INTEGER NOT NULL DEFAULT 0;

-- Log-ins at a provider that have begun; each is used once, and soon.
CREATE TABLE pending_login (
  id @ID@,
  state_hash @KEY@ NOT NULL UNIQUE,
  browser_hash @KEY@ NOT NULL,
  provider @KEY@ NOT NULL,
  nonce @KEY@ NOT NULL,
  verifier @KEY@ NOT NULL,
  return_to @TEXT@ NOT NULL,
  address @KEY@ NOT NULL,
  started_us BIGINT NOT NULL
) @TABLE@;
CREATE INDEX pending_login_started ON pending_login (started_us);
CREATE INDEX pending_login_address ON pending_login (address, id);
