//! The other names of Trivy's checks: tfsec's, long and short, and the newer ids without `AVD-`.

/// One check a line: its AVD id, a tab, its other names separated by `|`. Sorted by id.
static NAMES: &str = include_str!("trivy-names.tsv");

/// Every name of a check, its id first.
pub(super) fn trivy(id: &str) -> impl Iterator<Item = &str> {
    let others = NAMES
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .find(|(known, _)| known.eq_ignore_ascii_case(id))
        .map_or("", |(_, names)| names);
    std::iter::once(id).chain(others.split('|').filter(|n| !n.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_answers_to_its_older_names() {
        let names: Vec<&str> = trivy("AVD-AWS-0028").collect();
        assert!(names.contains(&"AVD-AWS-0028") && names.contains(&"aws-ec2-enforce-http-token-imds"), "{names:?}");
        assert_eq!(trivy("AVD-NONE-1").collect::<Vec<_>>(), ["AVD-NONE-1"]);
        let ids: Vec<&str> = NAMES.lines().filter_map(|l| l.split_once('\t')).map(|(id, _)| id).collect();
        assert!(ids.is_sorted() && ids.len() > 300);
    }
}
