//! Stories over real processes: the built programs, helm in several versions, gpg, strace.

mod bad_input;
mod cluster;
mod concurrency;
mod durability;
mod helm_repository;
mod index_readers;
mod keepalived;
mod kill;
mod lean_index;
mod lifecycle;
mod odd_archives;
mod routes;
mod upstream_charts;
