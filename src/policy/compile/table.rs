//! The table of policies as it lies in the binary.

use crate::policy::model::{Examples, IndexEntry, Policy};

/// What the index says of a policy; its place in the table is not known yet.
pub fn index_entry(policy: &Policy, file: &str) -> IndexEntry {
    IndexEntry {
        name: policy.rule.name.clone(),
        severity: policy.rule.severity,
        category: policy.rule.category,
        enabled: policy.enabled,
        on_request: policy.on_request.clone(),
        resource: policy.resource.clone(),
        aliases: policy.rule.aliases.clone(),
        tags: policy.rule.tags.clone(),
        policy: (0, 0),
        examples: (0, 0),
        file: file.to_owned(),
    }
}

/// The index and the table that it points into: policies first, then examples, which a run never touches.
///
/// # Panics
///
/// Never: plain data can always be encoded, and the table is far below 4 GiB.
#[expect(clippy::expect_used, reason = "runs in the build alone, where stopping is right")]
pub fn pack(policies: &[(String, Policy, Examples)]) -> (Vec<u8>, Vec<u8>) {
    let mut table = Vec::new();
    let mut append = |bytes: Vec<u8>| {
        let place = u32::try_from(table.len()).expect("the table is below 4 GiB");
        let length = u32::try_from(bytes.len()).expect("the table is below 4 GiB");
        table.extend(bytes);
        (place, length)
    };
    let mut index: Vec<IndexEntry> = policies
        .iter()
        .map(|(file, policy, _)| IndexEntry {
            policy: append(postcard::to_stdvec(policy).expect("plain data can be encoded")),
            ..index_entry(policy, file)
        })
        .collect();
    for (entry, (_, _, examples)) in index.iter_mut().zip(policies) {
        entry.examples = append(postcard::to_stdvec(examples).expect("plain data can be encoded"));
    }
    (postcard::to_stdvec(&index).expect("plain data can be encoded"), table)
}
