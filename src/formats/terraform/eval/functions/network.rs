//! IP addresses.

use super::{FnCall, FnError, FnResult, fail, fail_arg, fail_unknown};
use crate::formats::terraform::eval::{Type, Val};
use crate::graph::CauseKind;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A network: its first address, the length of its prefix, and the bits of an address.
struct Network {
    address: u128,
    prefix: u32,
    bits: u32,
}

impl Network {
    /// Go's ParseCIDR, as Terraform has kept it: leading zeros in IPv4 are allowed.
    fn parse(text: &str) -> Result<Network, FnError> {
        let wrong = || FnError {
            arg: Some(0),
            message: format!("invalid CIDR expression: {text:?} is no CIDR address"),
            kind: CauseKind::Error,
        };
        let (address, prefix) = text.split_once('/').ok_or_else(wrong)?;
        if prefix.is_empty() || prefix.len() > 6 || !prefix.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let prefix: u32 = prefix.parse().map_err(|_| wrong())?;
        let (address, bits) = if address.contains(':') {
            let ip = address.parse::<Ipv6Addr>().map_err(|_| wrong())?;
            if ip.to_ipv4_mapped().is_some() {
                return fail_unknown(CauseKind::Unsupported, "a network of IPv4 addresses written as IPv6");
            }
            (u128::from(ip), 128)
        } else {
            (u128::from(parse_ipv4(address).ok_or_else(wrong)?), 32)
        };
        if prefix > bits {
            return Err(wrong());
        }
        let mut network = Network { address, prefix, bits };
        network.address &= !network.host_mask();
        Ok(network)
    }

    /// The bits of an address that tell hosts of the network apart.
    fn host_mask(&self) -> u128 {
        let hosts = self.bits - self.prefix;
        if hosts == 0 { 0 } else { u128::MAX >> (128 - hosts) }
    }

    fn show_address(&self, address: u128) -> String {
        if self.bits == 32 {
            return u32::try_from(address).map_or_else(|_| String::new(), |a| Ipv4Addr::from(a).to_string());
        }
        show_ipv6(address)
    }

    fn show(&self) -> String {
        format!("{}/{}", self.show_address(self.address), self.prefix)
    }

    /// The subnet of `new` more bits whose number is `number`.
    fn subnet(&self, new: u32, number: u128) -> Network {
        let prefix = self.prefix + new;
        let shift = self.bits - prefix;
        let address = self.address | number.checked_shl(shift).unwrap_or(0);
        Network { address, prefix, bits: self.bits }
    }
}

fn parse_ipv4(text: &str) -> Option<u32> {
    let mut address = 0u32;
    let mut count = 0;
    for part in text.split('.') {
        if part.is_empty() || part.len() > 9 || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let octet: u32 = part.parse().ok()?;
        if octet > 255 {
            return None;
        }
        address = (address << 8) | octet;
        count += 1;
    }
    (count == 4).then_some(address)
}

/// An IPv6 address as Go prints it: one of the IPv4-mapped kind as IPv4.
fn show_ipv6(address: u128) -> String {
    let ip = Ipv6Addr::from(address);
    match ip.to_ipv4_mapped() {
        Some(v4) => v4.to_string(),
        None => ip.to_string(),
    }
}

/// A whole number of any size as 128 bits, with its sign.
fn whole(call: &FnCall<'_, '_>, i: usize) -> Result<(bool, u128), FnError> {
    match call.arg(i).as_number() {
        Some(n) if n.is_whole() => match n.abs().to_radix(10).parse::<u128>() {
            Ok(magnitude) => Ok((n.is_negative() && magnitude > 0, magnitude)),
            Err(_) => fail_arg(i, "the number is too large"),
        },
        _ => fail_arg(i, "a whole number is required"),
    }
}

pub fn cidrhost(call: &FnCall<'_, '_>) -> FnResult {
    let network = Network::parse(call.text(0))?;
    let (negative, number) = whole(call, 1)?;
    let mask = network.host_mask();
    let host = if negative {
        // Counted from the end: -1 is the last address.
        match number.checked_sub(1).and_then(|below| mask.checked_sub(below)) {
            Some(host) => host,
            None => return fail(format!("the prefix of {} has no host -{number}", network.prefix)),
        }
    } else if number > mask {
        return fail(format!("the prefix of {} has no host {number}", network.prefix));
    } else {
        number
    };
    Ok(Val::string(network.show_address(network.address | host)))
}

pub fn cidrnetmask(call: &FnCall<'_, '_>) -> FnResult {
    let network = Network::parse(call.text(0))?;
    if network.bits == 128 {
        return fail_arg(0, "IPv6 has no netmasks");
    }
    Ok(Val::string(network.show_address(!network.host_mask() & u128::from(u32::MAX))))
}

pub fn cidrsubnet(call: &FnCall<'_, '_>) -> FnResult {
    let network = Network::parse(call.text(0))?;
    let bits = call.int(1)?;
    let (negative, number) = whole(call, 2)?;
    let Ok(new) = u32::try_from(bits) else {
        return wider(&network, bits, negative, number);
    };
    if network.prefix.saturating_add(new) > network.bits {
        return fail(format!("a prefix of {} cannot be longer by {new} bits", network.prefix));
    }
    let most = if new == 0 { 0 } else { u128::MAX >> (128 - new) };
    if number > most {
        return fail(format!("{new} bits cannot number a subnet {number}"));
    }
    if negative {
        return negative_subnet(&network, new, number);
    }
    Ok(Val::string(network.subnet(new, number).show()))
}

/// Terraform does not refuse to make a prefix shorter: the address stays.
fn wider(network: &Network, bits: i64, negative: bool, number: u128) -> FnResult {
    let unsupported = || fail_unknown(CauseKind::Unsupported, "a subnet that is wider than its network");
    let prefix = match u32::try_from(i64::from(network.prefix).saturating_add(bits)) {
        Ok(prefix) if network.bits == 32 && !negative => prefix,
        _ => return unsupported(),
    };
    match number.checked_mul(1u128 << (network.bits - prefix)).map(|shifted| shifted | network.address) {
        Some(address) if address <= u128::from(u32::MAX) => {
            Ok(Val::string(Network { address, prefix, bits: network.bits }.show()))
        }
        _ => unsupported(),
    }
}

/// Terraform does not refuse a negative number, and puts the magnitude of what the bits then are into the address.
fn negative_subnet(network: &Network, new: u32, number: u128) -> FnResult {
    let prefix = network.prefix + new;
    let shifted = i128::try_from(number).ok().and_then(|n| n.checked_mul(1i128 << (network.bits - prefix).min(64)));
    match (network.bits, shifted) {
        (32, Some(shifted)) => {
            let bits = -shifted | i128::try_from(network.address).unwrap_or(0);
            match u32::try_from(bits.unsigned_abs()) {
                Ok(address) => {
                    let subnet = Network { address: u128::from(address), prefix, bits: 32 };
                    Ok(Val::string(subnet.show()))
                }
                Err(_) => fail("the number of the subnet does not fit"),
            }
        }
        _ => fail_unknown(CauseKind::Unsupported, "a negative number of a subnet"),
    }
}

pub fn cidrsubnets(call: &FnCall<'_, '_>) -> FnResult {
    let network = Network::parse(call.text(0))?;
    if call.args.len() < 2 {
        return Ok(Val::list(Type::String, Vec::new()));
    }
    // Terraform begins at the network before the first one, and takes the way round from the last address for the end.
    if network.address == 0 {
        return fail_arg(1, "there is not enough room left after the last address");
    }
    let mut subnets = Vec::with_capacity(call.args.len());
    // The address above what is given out so far; beyond the last address it wraps.
    let mut next: Option<u128> = Some(network.address);
    for i in 1..call.args.len() {
        let new = match u32::try_from(call.int(i)?) {
            Ok(new) if new >= 1 => new,
            _ => return fail_arg(i, "a subnet needs at least one bit more"),
        };
        if new > 32 {
            return fail_arg(i, "a subnet takes at most 32 bits more");
        }
        let prefix = network.prefix + new;
        if prefix > network.bits {
            return fail_arg(i, format!("a prefix of {} cannot be longer by {new} bits", network.prefix));
        }
        let hosts = network.bits - prefix;
        let size = if hosts == 128 { 0 } else { 1u128 << hosts };
        let full =
            || FnError { arg: Some(i), message: "there is not enough room left".to_owned(), kind: CauseKind::Error };
        let from = next.ok_or_else(full)?;
        // To the next address at which a network of this size can begin.
        let aligned = match from % size {
            0 => from,
            over => from.checked_add(size - over).ok_or_else(full)?,
        };
        let last = aligned.checked_add(size - 1).ok_or_else(full)?;
        if last > network.address | network.host_mask() {
            return Err(full());
        }
        subnets.push(Val::string(Network { address: aligned, prefix, bits: network.bits }.show()));
        next = last.checked_add(1);
    }
    Ok(Val::list(Type::String, subnets))
}
