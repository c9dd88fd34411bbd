//! Addresses and blocks of addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A block of addresses; a single address is a block of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Block {
    /// Of version 4: the first address and the length of the prefix.
    V4(u32, u8),
    /// Of version 6.
    V6(u128, u8),
    /// Everything, whatever the version: a platform's own name for the internet.
    Everything,
}

/// Blocks that do not reach the public internet, or reach nobody: RFC 6890's special purposes, RFC 1918, RFC 6598,
/// RFC 4193 and multicast.
const RESERVED: [&str; 22] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::1/128",
    "::/128",
    "100::/64",
    "2001:db8::/32",
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
    "::ffff:0:0/96",
];

impl Block {
    /// Reads an address, a block, a range `a-b` (as the smallest block around it), or a platform's name for everything.
    pub fn parse(text: &str) -> Option<Block> {
        let text = text.trim();
        // The unspecified addresses stand for any address wherever one is written as a source or a listener.
        if ["*", "any", "internet", "all", "0.0.0.0", "::", "/0"].iter().any(|w| text.eq_ignore_ascii_case(w)) {
            return Some(Block::Everything);
        }
        if let Some((from, to)) = text.split_once('-') {
            return match (address(from)?, address(to)?) {
                (IpAddr::V4(a), IpAddr::V4(b)) => {
                    let (a, b) = (a.to_bits(), b.to_bits());
                    let prefix = (a ^ b).leading_zeros();
                    Some(Block::V4(a & mask4(prefix), u8::try_from(prefix).ok()?))
                }
                (IpAddr::V6(a), IpAddr::V6(b)) => {
                    let (a, b) = (a.to_bits(), b.to_bits());
                    let prefix = (a ^ b).leading_zeros();
                    Some(Block::V6(a & mask6(prefix), u8::try_from(prefix).ok()?))
                }
                _ => None,
            };
        }
        let (host, prefix) = match text.split_once('/') {
            Some((host, prefix)) => (host, Some(prefix.parse::<u8>().ok()?)),
            None => (text, None),
        };
        match address(host)? {
            IpAddr::V4(a) => {
                let prefix = prefix.unwrap_or(32);
                (prefix <= 32).then(|| Block::V4(a.to_bits() & mask4(prefix.into()), prefix))
            }
            IpAddr::V6(a) => {
                let prefix = prefix.unwrap_or(128);
                (prefix <= 128).then(|| Block::V6(a.to_bits() & mask6(prefix.into()), prefix))
            }
        }
    }

    /// Whether it is the whole internet.
    pub fn is_any(self) -> bool {
        matches!(self, Block::Everything | Block::V4(_, 0) | Block::V6(_, 0))
    }

    /// Whether it holds every address of another block.
    pub fn contains(self, other: Block) -> bool {
        match (self, other) {
            (Block::Everything, _) => true,
            (Block::V4(a, p), Block::V4(b, q)) => p <= q && b & mask4(p.into()) == a,
            (Block::V6(a, p), Block::V6(b, q)) => p <= q && b & mask6(p.into()) == a,
            _ => false,
        }
    }

    /// Whether the two share an address.
    pub fn overlaps(self, other: Block) -> bool {
        self.contains(other) || other.contains(self)
    }

    /// Whether some of its addresses can be reached from, or stand for, the public internet.
    pub fn is_public(self) -> bool {
        !RESERVED.iter().filter_map(|r| Block::parse(r)).any(|r| r.contains(self))
    }

    /// The length of its prefix; 0 for everything.
    pub fn prefix(self) -> u8 {
        match self {
            Block::V4(_, p) | Block::V6(_, p) => p,
            Block::Everything => 0,
        }
    }
}

fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    if let Ok(v4) = text.parse::<Ipv4Addr>() {
        return Some(IpAddr::V4(v4));
    }
    text.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

fn mask4(prefix: u32) -> u32 {
    u32::MAX.checked_shl(32 - prefix.min(32)).unwrap_or(0)
}

fn mask6(prefix: u32) -> u128 {
    u128::MAX.checked_shl(128 - prefix.min(128)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn block(text: &str) -> Block {
        Block::parse(text).unwrap()
    }

    #[test]
    fn blocks_are_read() {
        assert_eq!(Block::parse("10.1.2.3/8"), Some(Block::V4(0x0a00_0000, 8)));
        assert_eq!(Block::parse("::/0"), Some(Block::V6(0, 0)));
        assert_eq!(Block::parse("10.0.0.0-10.0.0.255"), Some(Block::V4(0x0a00_0000, 24)));
        for text in ["", "10.0.0.0/33", "sg-1234", "10.0.0", "VirtualNetwork", "10.0.0.0/x", "::/129", "a-b"] {
            assert_eq!(Block::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_whole_internet() {
        for (text, expected) in [
            ("0.0.0.0/0", true),
            ("::/0", true),
            ("Internet", true),
            ("*", true),
            ("0.0.0.0/1", false),
            ("0.0.0.0", true),
        ] {
            assert_eq!(block(text).is_any(), expected, "{text}");
        }
    }

    #[test]
    fn public_and_private() {
        for (text, expected) in [
            ("10.0.0.0/8", false),
            ("10.0.0.0/7", true),
            ("172.16.5.0/24", false),
            ("172.32.0.0/16", true),
            ("8.8.8.8", true),
            ("fd00::/8", false),
            ("2600::/16", true),
            ("0.0.0.0/0", true),
            ("*", true),
        ] {
            assert_eq!(block(text).is_public(), expected, "{text}");
        }
    }

    #[test]
    fn containing_and_overlapping() {
        assert!(block("10.0.0.0/8").contains(block("10.1.0.0/16")));
        assert!(!block("10.1.0.0/16").contains(block("10.0.0.0/8")));
        assert!(block("10.1.0.0/16").overlaps(block("10.0.0.0/8")));
        assert!(!block("10.1.0.0/16").overlaps(block("10.2.0.0/16")));
        assert!(block("*").contains(block("::1")));
    }
}
