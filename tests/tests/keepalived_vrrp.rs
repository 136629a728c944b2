//! The image of keepalived at work: two machines on one wire agree who holds the virtual address.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use oci::layout::Layout;
use oci::{Content, Manifest};
use stories::bridge::{Bridge, address_of};
use stories::image_recipe::KeepalivedImage;
use stories::unpacked_image::{RunningImage, UnpackedImage};
use stories::wait::wait_for;

const ENTRY_POINT: &str = "/usr/local/bin/run.sh";
const VIRTUAL: [&str; 2] = ["192.0.2.250/24", "192.0.2.251/32"];
const PASSWORD: &str = "s3cret";

/// Three missed advertisements of a second each, and time for a loaded machine.
const SOON: Duration = Duration::from_secs(30);

fn unpacked() -> Result<Option<UnpackedImage>> {
    let Some(folder) = KeepalivedImage::built_by_nobody()? else { return Ok(None) };
    let path = folder.join("images");
    let layout = Layout::open(&path)?;
    let root = layout.find("v2.2.7")?.context("no such tag")?;
    let index = Manifest::parse(&layout.read_manifest(&root)?, Some(&root.media_type))?;
    let manifest = index.manifests().first().context("an index of nothing")?;
    let image = Manifest::parse(&layout.read_manifest(manifest)?, Some(&manifest.media_type))?;
    let Content::Image { layers, .. } = image.content else { anyhow::bail!("an index in an index") };
    UnpackedImage::of(&path, &layers).map(Some)
}

/// Starts keepalived on a machine, with the variables that the chart sets.
fn start(image: &UnpackedImage, bridge: &Bridge, number: usize, priority: &str) -> Result<RunningImage> {
    let machine = bridge.machines.get(number).context("no such machine")?;
    let (own, name) = (address_of(number), format!("node-{number}"));
    let peers = format!("{},{}", address_of(0), address_of(1));
    let variables = [
        ("KEEPALIVED_VIP", "192.0.2.250/24,192.0.2.251"),
        ("KEEPALIVED_INTERFACE", "eth0"),
        ("KEEPALIVED_VROUTER_ID", "150"),
        ("KEEPALIVED_PRIORITY", priority),
        ("KEEPALIVED_ADVERT_INTERVAL", "1"),
        ("KEEPALIVED_UNICAST_PEERS", peers.as_str()),
        ("KEEPALIVED_PASSWORD", PASSWORD),
        ("NODE_NAME", name.as_str()),
        ("NODE_IP", own.as_str()),
    ];
    image.start(machine, &variables, ENTRY_POINT)
}

/// Waits until exactly the machines of these numbers hold all virtual addresses, and the others none.
fn wait_for_holders(bridge: &Bridge, holders: &[usize], running: &[&RunningImage]) -> Result<()> {
    let said: Vec<_> = running.iter().map(|image| image.said()).collect();
    wait_for(&format!("{holders:?} to hold the addresses; they said {said:?}"), SOON, || {
        for (number, machine) in bridge.machines.iter().enumerate() {
            let addresses = bridge.addresses(machine)?;
            let held = VIRTUAL.iter().filter(|address| addresses.iter().any(|own| own == *address)).count();
            if held != if holders.contains(&number) { VIRTUAL.len() } else { 0 } {
                return Ok(None);
            }
        }
        Ok(Some(()))
    })
}

#[test]
fn two_machines_elect_a_master_and_the_address_moves() -> Result<()> {
    let Some(image) = unpacked()? else { return Ok(()) };
    let Some(bridge) = Bridge::with_machines(2)? else { return Ok(()) };
    let mut first = start(&image, &bridge, 0, "150")?;
    let second = start(&image, &bridge, 1, "100")?;
    wait_for_holders(&bridge, &[0], &[&first, &second])?;
    // A machine without power takes nothing back: its address stays where nobody looks for it any more.
    first.kill()?;
    wait_for_holders(&bridge, &[0, 1], &[&second])?;
    // It comes back with the higher priority and takes over; what it left behind is its own again.
    let mut first = start(&image, &bridge, 0, "150")?;
    wait_for_holders(&bridge, &[0], &[&first, &second])?;
    // One that is told to stop hands over.
    first.stop("keepalived")?;
    wait_for_holders(&bridge, &[1], &[&second])?;
    Ok(())
}

#[test]
fn neither_password_nor_configuration_is_open() -> Result<()> {
    let Some(image) = unpacked()? else { return Ok(()) };
    let Some(bridge) = Bridge::with_machines(2)? else { return Ok(()) };
    let running = start(&image, &bridge, 0, "150")?;
    let process = running.process("keepalived")?;
    let inside = Path::new("/proc").join(process.to_string());
    let configuration = inside.join("root/run/keepalived/keepalived.conf");
    assert_eq!(fs::metadata(&configuration)?.permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&configuration)?;
    ensure!(
        text.contains(&format!("auth_pass {PASSWORD}")) && text.contains("virtual_router_id 150"),
        "{text}"
    );
    ensure!(
        text.contains("192.0.2.12\n") && !text.contains("    192.0.2.11\n"),
        "itself among its peers: {text}"
    );
    for file in ["environ", "cmdline"] {
        ensure!(!fs::read_to_string(inside.join(file))?.contains(PASSWORD), "the password is in `{file}`");
    }
    ensure!(!running.said().contains(PASSWORD), "{}", running.said());
    Ok(())
}

#[test]
fn a_wrong_setting_is_refused_by_name() -> Result<()> {
    let Some(image) = unpacked()? else { return Ok(()) };
    let Some(bridge) = Bridge::with_machines(1)? else { return Ok(()) };
    let machine = bridge.machines.first().context("no machine")?;
    let vip = ("KEEPALIVED_VIP", "192.0.2.250");
    let table: [(&[(&str, &str)], &str); 12] = [
        (&[], "`KEEPALIVED_VIP` is not set"),
        (&[("KEEPALIVED_VIP", "192.0.2.250; x")], "`KEEPALIVED_VIP` has `192.0.2.250;`"),
        (&[("KEEPALIVED_VIP", "cluster.local")], "`KEEPALIVED_VIP` has `cluster.local`"),
        (&[("KEEPALIVED_VIP", "192.0.2.999")], "keepalived refuses the configuration"),
        (&[vip, ("KEEPALIVED_INTERFACE", "bond0")], "this node has no interface `bond0`"),
        (&[vip, ("KEEPALIVED_INTERFACE", "../x")], "`KEEPALIVED_INTERFACE` is `../x`"),
        (
            &[vip, ("KEEPALIVED_VROUTER_ID", "256")],
            "`KEEPALIVED_VROUTER_ID` is `256`: write a whole number from 1 to 255",
        ),
        (&[vip, ("KEEPALIVED_PRIORITY", "high")], "`KEEPALIVED_PRIORITY` is `high`"),
        (&[vip, ("KEEPALIVED_PASSWORD", "ninechars")], "longer than the 8 characters"),
        (&[vip, ("KEEPALIVED_PASSWORD", "a}b")], "`KEEPALIVED_PASSWORD` may hold"),
        (
            &[vip, ("KEEPALIVED_PASSWORD", "a"), ("KEEPALIVED_ADVERT_INTERVAL", "0.5")],
            "VRRP 3 carries no password",
        ),
        (&[vip, ("KEEPALIVED_CHECK", "true\"\nnotify x")], "`KEEPALIVED_CHECK` has a quote or a line break"),
    ];
    for (variables, message) in table {
        let mut running = image.start(machine, variables, ENTRY_POINT)?;
        assert_eq!(running.ended()?, Some(64), "{variables:?}: {}", running.said());
        ensure!(running.said().contains(message), "{variables:?}: {}", running.said());
    }
    Ok(())
}

#[test]
fn a_machine_whose_check_fails_does_not_hold_the_address() -> Result<()> {
    let Some(image) = unpacked()? else { return Ok(()) };
    let Some(bridge) = Bridge::with_machines(1)? else { return Ok(()) };
    let machine = bridge.machines.first().context("no machine")?;
    let variables = [
        ("KEEPALIVED_VIP", "192.0.2.250/24,192.0.2.251,2001:db8::250/64"),
        ("KEEPALIVED_ADVERT_INTERVAL", "0.2"),
        ("KEEPALIVED_CHECK", "test ! -e /run/broken"),
        ("KEEPALIVED_CHECK_INTERVAL", "1"),
    ];
    let running = image.start(machine, &variables, ENTRY_POINT)?;
    wait_for_holders(&bridge, &[0], &[&running])?;
    let addresses = bridge.addresses(machine)?;
    ensure!(
        addresses.iter().any(|own| own == "2001:db8::250/64"),
        "the other family stayed behind: {addresses:?}"
    );
    let inside = Path::new("/proc").join(running.process("keepalived")?.to_string()).join("root/run/broken");
    fs::write(&inside, "")?;
    wait_for_holders(&bridge, &[], &[&running])?;
    fs::remove_file(&inside)?;
    wait_for_holders(&bridge, &[0], &[&running])
}
