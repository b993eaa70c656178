-- The portal's two database roles, and a database that belongs to the first of them:
--   ortak_owner  owns the schema; `manage.py migrate` connects as it, and nothing else does
--   ortak_app    reads and writes rows; what exactly, each migrate says anew (portal/database.py)
-- For psql, as a superuser, connected to the portal's database. Safe to repeat, and made for a database that has
-- been in use under one role, too: everything in it goes to the owner. docs/operations.md says when to run it.
-- The passwords come from the environment; without one a role keeps the password it has.
\set ON_ERROR_STOP on
\getenv app_password DATABASE_PASSWORD
\getenv owner_password DATABASE_OWNER_PASSWORD
BEGIN;

SELECT format('CREATE ROLE %I', name) FROM unnest(ARRAY['ortak_owner', 'ortak_app']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE ortak_owner LOGIN NOSUPERUSER NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE ortak_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
\if :{?owner_password}
ALTER ROLE ortak_owner PASSWORD :'owner_password';
\endif
\if :{?app_password}
ALTER ROLE ortak_app PASSWORD :'app_password';
\endif

SELECT format('ALTER DATABASE %I OWNER TO ortak_owner', current_database()) \gexec
ALTER SCHEMA public OWNER TO pg_database_owner;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- Sequences that belong to a column follow their table.
SELECT format('ALTER TABLE %s OWNER TO ortak_owner', oid::regclass) FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
  AND relowner <> 'ortak_owner'::regrole \gexec
SELECT format('ALTER ROUTINE %s OWNER TO ortak_owner', oid::regprocedure) FROM pg_proc
WHERE pronamespace = 'public'::regnamespace AND proowner <> 'ortak_owner'::regrole \gexec

COMMIT;
