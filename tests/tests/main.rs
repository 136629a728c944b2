//! Stories over real processes: the built programs, helm in several versions, gpg, strace.

mod bad_input;
mod bringing_back;
mod changes_feed;
mod cluster;
mod concurrency;
mod downloads;
mod durability;
mod helm_repository;
mod hostile_paths;
mod import;
mod index_readers;
mod keepalived;
mod kill;
mod lean_index;
mod lifecycle;
mod listeners;
mod odd_archives;
mod overwrite;
mod quotas;
mod read_only;
mod replicas;
mod request_table;
mod routes;
mod storage_failure;
mod tokens;
mod upstream_charts;
