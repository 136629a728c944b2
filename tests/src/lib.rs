//! The harness of the stories: starts the built programs, real clients and real stores as processes and asks them.
//! Rule: nothing here knows the server's inside; it speaks HTTP, command lines, files and signals.

pub mod account;
pub mod answer;
pub mod backend;
pub mod binary;
pub mod client;
pub mod cluster;
pub mod command_line;
pub mod delivery;
pub mod environment;
pub mod fault_proxy;
pub mod helm;
pub mod image;
pub mod index_reader;
pub mod keyring;
pub mod log;
pub mod object_store;
pub mod own_chart;
pub mod packager;
pub mod port;
pub mod postgres;
pub mod process;
pub mod server;
pub mod service;
pub mod settings;
pub mod site;
pub mod skip;
pub mod stores;
pub mod strace;
pub mod synthetic;
pub mod tool;
pub mod upstream;
pub mod wait;
pub mod web_server;
pub mod wire;
