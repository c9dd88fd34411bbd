//! Any sequence of changes gives the same report as a cold run over its result.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const PATHS: [&str; 5] = ["a/one.toy", "a/two.toy", "b/three.toy", "four.toy", "shared.txt"];

const TEXTS: [&str; 7] = [
    "block x {\n  bad = 1\n}\n",
    "block y {\n  use x\n  read shared.txt\n}\n",
    "block z {\n  read a/one.toy\n}\nerror\n",
    "# stacklint: ignore[gone]\nblock x {\n  use z\n}\nblock w {\n  use x\n}\n",
    "panic\n",
    "plain\n",
    "",
];

#[derive(Clone, Debug)]
enum Step {
    Set(usize, usize),
    Remove(usize),
    Overlay(usize, usize),
    Close(usize),
    Check,
}

fn step() -> impl Strategy<Value = Step> {
    let (path, text) = (0..PATHS.len(), 0..TEXTS.len());
    prop_oneof![
        3 => (path.clone(), text.clone()).prop_map(|(p, t)| Step::Set(p, t)),
        1 => path.clone().prop_map(Step::Remove),
        2 => (path.clone(), text).prop_map(|(p, t)| Step::Overlay(p, t)),
        1 => path.prop_map(Step::Close),
        2 => Just(Step::Check),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn incremental_is_cold(steps in prop::collection::vec(step(), 1..20)) {
        let mut workspace = workspace(&[]);
        let mut disk: BTreeMap<&str, &str> = BTreeMap::new();
        let mut overlays: BTreeMap<&str, &str> = BTreeMap::new();
        for step in steps {
            let mut change = Change::default();
            match step {
                Step::Set(p, t) => {
                    disk.insert(PATHS[p], TEXTS[t]);
                    change.set.push((PATHS[p].into(), TEXTS[t].into()));
                }
                Step::Remove(p) => {
                    disk.remove(PATHS[p]);
                    change.removed.push(PATHS[p].into());
                }
                Step::Overlay(p, t) => {
                    overlays.insert(PATHS[p], TEXTS[t]);
                    change.overlays.push((PATHS[p].into(), Some(TEXTS[t].into())));
                }
                Step::Close(p) => {
                    overlays.remove(PATHS[p]);
                    change.overlays.push((PATHS[p].into(), None));
                }
                Step::Check => {
                    check(&workspace);
                }
            }
            workspace.apply(change);
        }
        let mut now = disk;
        now.extend(overlays);
        let files: Vec<(&str, &str)> = now.into_iter().collect();
        let cold = super::workspace(&files);
        prop_assert_eq!(text(&check(&workspace)), text(&check(&cold)));
        prop_assert_eq!(
            text(&judged(&workspace, &Arc::new(test_rule("p", &[])))),
            text(&judged(&cold, &Arc::new(test_rule("p", &[]))))
        );
    }
}

#[test]
fn what_did_not_change_is_not_done_again() {
    let mut workspace = workspace(&[("a/one.toy", TEXTS[0]), ("b/two.toy", TEXTS[1]), ("shared.txt", "s")]);
    let before = build(&workspace);
    assert!(Arc::ptr_eq(&before, &build(&workspace)));
    workspace.apply(Change { set: vec![("a/one.toy".into(), TEXTS[0].into())], ..Change::default() });
    assert!(Arc::ptr_eq(&before, &build(&workspace)), "the same text is no change");
    workspace.apply(Change { set: vec![("a/one.toy".into(), TEXTS[3].into())], ..Change::default() });
    let after = build(&workspace);
    let of = |built: &Built, unit: &str| built.graph.resources.iter().find(|r| &*r.unit == unit).cloned().unwrap();
    assert!(Arc::ptr_eq(&of(&before, "b"), &of(&after, "b")), "the other unit is kept");
    assert!(!Arc::ptr_eq(&of(&before, "a"), &of(&after, "a")));
    workspace.apply(Change { set: vec![("shared.txt".into(), "t".into())], ..Change::default() });
    let read = build(&workspace);
    assert!(!Arc::ptr_eq(&of(&after, "b"), &of(&read, "b")), "what it read has changed");
    assert!(Arc::ptr_eq(&of(&after, "a"), &of(&read, "a")));
}
