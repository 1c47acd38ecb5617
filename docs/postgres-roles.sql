-- The two roles of a database that pool-recon closes in, made once by an administrator:
--   createdb pool_recon --encoding UTF8
--   psql --dbname pool_recon --file docs/postgres-roles.sql
--
-- pool_recon loads and closes. It may make schemas, and owns those that it makes and nothing else.
-- pool_recon_reader reads what is published, for people and BI tools: grant it to their roles. It sees the marts and
-- the files of the package, and neither the exports nor anything in between. Closes grant this anew every time:
--   export PGDATABASE=pool_recon PGUSER=pool_recon POOL_RECON_READER_ROLE=pool_recon_reader
--
-- Neither has a password yet: \password pool_recon.

create role pool_recon login;
create role pool_recon_reader nologin;

do $$
begin
    execute format('revoke all on database %I from public', current_database());
    execute format('grant connect, create, temporary on database %I to pool_recon', current_database());
    execute format('grant connect on database %I to pool_recon_reader', current_database());
end
$$;

revoke all on schema public from public;
