//! What texts can mean: versions, addresses, ports. Plain functions over text, shared by the compiler, which checks
//! what a policy says, and the evaluator, which asks it of what it finds.

pub mod cidr;
pub mod ports;
pub mod version;
