//! Stories over real processes: the built programs, helm in several versions, gpg, strace.

mod bad_input;
mod cluster;
mod concurrency;
mod container;
mod downloads;
mod durability;
mod helm_repository;
mod hostile_paths;
mod index_readers;
mod keepalived;
mod kill;
mod kill_points;
mod lean_index;
mod lifecycle;
mod listeners;
mod odd_archives;
mod outage;
mod overwrite;
mod own_chart;
mod replicas;
mod request_table;
mod routes;
mod storage_failure;
mod storm;
mod tokens;
mod upstream_charts;
