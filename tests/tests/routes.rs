//! ChartMuseum's API request by request: its answers from tables, ours equal but for a list of reasons.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use stories::command_line;
use stories::environment::{self, clean_command};
use stories::process::kill;
use stories::site::Site;
use stories::skip::skip;
use stories::wait::wait_for;
use stories::wire::WireRequest;

use crate::request_table::{Difference, SINGLE, TENANTS, check, differences, file, steps, wire_request};

stories::on_each_backend! {
    our_answers_are_chartmuseums_but_for_a_list_of_reasons,
}

/// Sends the requests of a table and returns what is wrong with the answers.
pub(crate) fn faults(
    table: &str,
    address: &str,
    token: &str,
    is_known: impl Fn(&Difference) -> bool,
) -> Result<Vec<String>> {
    let differences = differences()?;
    let mut wrong = Vec::new();
    for step in steps(table)? {
        let answer = wire_request(&step, token)?.send(address)?;
        let difference = differences.get(&step.name).filter(|difference| is_known(difference));
        let expected = difference.map_or(&step.answer, |difference| &difference.answer);
        if let Err(error) = check(&answer, expected) {
            wrong.push(format!("{} ({}): {error:#}", step.name, step.request));
        }
        if difference.is_some() && check(&answer, &step.answer).is_ok() {
            wrong.push(format!("{}: listed as a difference, but there is none", step.name));
        }
        if answer.header("x-request-id").is_empty() {
            wrong.push(format!("{}: no request id", step.name));
        }
    }
    Ok(wrong)
}

fn our_answers_are_chartmuseums_but_for_a_list_of_reasons(site: &Site) -> Result<()> {
    let server = site.start()?;
    for table in [SINGLE, TENANTS] {
        let wrong = faults(table, server.address(), &server.admin_token()?, |_| true)?;
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
    Ok(())
}

#[test]
fn in_chartmuseums_place_fewer_reasons_are_left() -> Result<()> {
    for (table, depth, kept) in
        [(SINGLE, 0, "mychart-0.1.0.tgz"), (TENANTS, 2, "org/other/mychart-0.1.0.tgz")]
    {
        let site = Site::new()?;
        let storage = site.folder().join("storage");
        fs::create_dir(&storage)?;
        let server = site.launch().in_place_of_chartmuseum(&storage, depth).start()?;
        let wrong = faults(table, server.address(), "none", |difference| difference.drop_in)?;
        ensure!(wrong.is_empty(), "at depth {depth}: {}", wrong.join("\n"));
        let kept = fs::read(storage.join(kept)).context("the archive is not where ChartMuseum keeps it")?;
        ensure!(kept == file("mychart-0.1.0.tgz of other bytes")?, "other bytes in the folder");
    }
    Ok(())
}

#[test]
fn every_difference_is_of_a_step_and_has_a_reason() -> Result<()> {
    let mut known = BTreeSet::new();
    for table in [SINGLE, TENANTS] {
        for step in steps(table)? {
            ensure!(known.insert(step.name.clone()), "two steps are called `{}`", step.name);
        }
    }
    for (step, difference) in differences()? {
        ensure!(known.contains(&step), "`{step}` is no step");
        ensure!(!difference.reason.is_empty(), "`{step}` differs without a reason");
    }
    Ok(())
}

/// A ChartMuseum on a free port.
struct Museum {
    child: Child,
    address: String,
}

impl Drop for Museum {
    fn drop(&mut self) {
        // Already dead is what is wanted.
        let _ = kill(&mut self.child);
    }
}

fn start_museum(program: &Path, storage: &Path, depth: usize) -> Result<Museum> {
    // It takes no port 0; a port that was free a moment ago is the next best.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    fs::create_dir(storage)?;
    let child = clean_command(program)
        .args(command_line::chartmuseum(storage, depth, address.port()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let museum = Museum { child, address: address.to_string() };
    wait_for("ChartMuseum", Duration::from_secs(30), || {
        Ok(WireRequest::new("GET", "/health")
            .send(&museum.address)
            .ok()
            .filter(|answer| answer.status == 200))
    })?;
    Ok(museum)
}

#[test]
fn the_tables_tell_what_chartmuseum_answers() -> Result<()> {
    let Some(program) = environment::chartmuseum() else {
        skip("CHARTMUSEUM names no program to compare the tables with");
        return Ok(());
    };
    let site = Site::new()?;
    for (table, depth) in [(SINGLE, 0), (TENANTS, 2)] {
        let museum = start_museum(&program, &site.folder().join(depth.to_string()), depth)?;
        for step in steps(table)? {
            let request = wire_request(&step, "none")?;
            if ["GET", "HEAD"].contains(&request.method.as_str()) {
                // It lists a publish some time after it has acknowledged it.
                wait_for(&format!("{}: {:?}", step.name, step.answer), Duration::from_secs(5), || {
                    Ok(check(&request.send(&museum.address)?, &step.answer).ok())
                })?;
            } else {
                check(&request.send(&museum.address)?, &step.answer).with_context(|| step.name.clone())?;
            }
        }
    }
    Ok(())
}
