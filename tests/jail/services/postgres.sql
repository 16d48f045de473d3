\set ON_ERROR_STOP on
create table pair (id serial primary key, name text not null, body jsonb);
create index on pair using gin (body);
insert into pair (name, body) select 'n' || i, jsonb_build_object('i', i) from generate_series(1, 20000) i;
begin; insert into pair (name) values ('undone'); rollback;
begin; update pair set name = 'first' where id = 1; savepoint one; delete from pair; rollback to one; commit;
delete from pair where id > 10000;
vacuum (full, analyze) pair;
select count(*), min(name), sum((body->>'i')::int) from pair where body @> '{"i": 7}' or id < 100;
set work_mem = '64kB'; -- sorted in a file
select md5(string_agg(name, ',' order by body->>'i' desc)) from pair;
set force_parallel_mode = on; set parallel_setup_cost = 0; set parallel_tuple_cost = 0; -- workers, by /dev/shm
select count(*) from pair;
create function fact(n int) returns numeric language plpgsql as $$begin return case when n < 2 then 1 else n * fact(n - 1) end; end$$;
select fact(25);
\copy (select * from pair) to '/tmp/pair.csv' csv
create table again (like pair);
\copy again from '/tmp/pair.csv' csv
select count(*) from again;
do $$begin perform 1 / 0; exception when division_by_zero then raise notice 'caught'; end$$;
select pg_advisory_lock(1), pg_stat_get_backend_pid(1) > 0;
checkpoint;
