create table if not exists book (
  isbn varchar(40) primary key,
  title varchar(200) not null,
  author varchar(200) not null,
  cents bigint not null
);
insert into book values ('9780131103627', 'The C Programming Language', 'Kernighan and Ritchie', 6749) on conflict do nothing;
insert into book values ('9780134190440', 'The Go Programming Language', 'Donovan and Kernighan', 3999) on conflict do nothing;
insert into book values ('9780134685991', 'Effective Java', 'Bloch', 4499) on conflict do nothing;
