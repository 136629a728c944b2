//! Machines on one wire: networks joined by a bridge, each with one interface.
//! Rule: no route leaves it.

use anyhow::Result;

use crate::network::Network;
use crate::process::run;

/// The interface that each machine has.
pub const INTERFACE: &str = "eth0";

/// Networks with one interface each, all on one bridge.
#[derive(Debug)]
pub struct Bridge {
    /// The machines; the first one has the address 192.0.2.11/24, the next one 192.0.2.12/24, and so on.
    pub machines: Vec<Network>,
    // Dropped after them.
    _switch: Network,
}

impl Bridge {
    /// Makes that many machines on one wire; nothing after saying that the story is skipped.
    ///
    /// # Errors
    /// When they cannot be made, or what it takes is missing and `CI=true`.
    pub fn with_machines(count: usize) -> Result<Option<Self>> {
        let Some(switch) = Network::without_a_way_out()? else { return Ok(None) };
        link(&switch, &["link", "add", "wire", "type", "bridge"])?;
        link(&switch, &["link", "set", "wire", "up"])?;
        let mut machines = Vec::new();
        for number in 0..count {
            let Some(machine) = Network::without_a_way_out()? else { return Ok(None) };
            let port = format!("port{number}");
            let pair =
                ["link", "add", &port, "type", "veth", "peer", "name", INTERFACE, "netns", machine.name()];
            link(&switch, &pair)?;
            link(&switch, &["link", "set", &port, "master", "wire", "up"])?;
            link(&machine, &["address", "add", &format!("{}/24", address_of(number)), "dev", INTERFACE])?;
            link(&machine, &["link", "set", INTERFACE, "up"])?;
            machines.push(machine);
        }
        Ok(Some(Self { machines, _switch: switch }))
    }

    /// Returns the addresses of a machine's interface, with their prefix lengths.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub fn addresses(&self, machine: &Network) -> Result<Vec<String>> {
        let said =
            run(machine.command("ip").args(["-brief", "address", "show", "dev", INTERFACE]))?.success()?;
        Ok(said.split_whitespace().skip(2).map(str::to_owned).collect())
    }
}

/// Returns the address of a machine by its number, without a prefix length.
pub fn address_of(number: usize) -> String {
    format!("192.0.2.{}", 11 + number)
}

fn link(network: &Network, arguments: &[&str]) -> Result<()> {
    run(network.command("ip").args(arguments))?.success()?;
    Ok(())
}
