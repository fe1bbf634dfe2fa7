-- The users of a database on AWS, made by its administrator before the first migration; again, it changes nothing.
-- One statement: the RDS Data API takes no more at once.
do $$
begin
    -- Owns the schema and writes.
    if not exists (select from pg_roles where rolname = 'ebb') then
        create role ebb login;
    end if;
    -- Reads.
    if not exists (select from pg_roles where rolname = 'ebb_reader') then
        create role ebb_reader login;
    end if;
    -- No password: they enter by IAM.
    grant rds_iam to ebb, ebb_reader;
    execute format('grant connect, create, temporary on database %I to ebb', current_database());
    execute format('grant connect on database %I to ebb_reader', current_database());
    grant usage, create on schema public to ebb;
    grant usage on schema public to ebb_reader;
    -- Whoever says what a role's tables allow by default must be a member of it.
    grant ebb to current_user;
    alter default privileges for role ebb in schema public grant select on tables to ebb_reader;
end
$$
