//! What the stages of a file are to each other, found in one pass: which are built into the last one, and which are named
//! again later.

use crate::base::FastMap;
use crate::syntax::dockerfile::{Arguments, Instruction};

/// What later instructions make of the stages.
#[derive(Debug, Default)]
pub(super) struct Lineage {
    /// For each FROM, whether the last stage is this one or is built on it.
    shipped: Vec<bool>,
    /// The last instruction whose FROM names this image or stage, by its name in lower case.
    bases: FastMap<String, usize>,
    /// The last instruction that copies or mounts from this stage, by its name in lower case or its number.
    sources: FastMap<String, usize>,
}

impl Lineage {
    /// Reads all instructions of a file.
    pub(super) fn of(instructions: &[Instruction]) -> Lineage {
        let mut lineage = Lineage::default();
        let mut names: FastMap<String, usize> = FastMap::default();
        let mut parents: Vec<Option<usize>> = Vec::new();
        for (position, instruction) in instructions.iter().enumerate() {
            if let Arguments::From { image, name } = &instruction.arguments {
                let image = image.text.to_ascii_lowercase();
                parents.push(names.get(&image).copied());
                lineage.bases.insert(image, position);
                if let Some(name) = name {
                    names.insert(name.text.to_ascii_lowercase(), parents.len() - 1);
                }
                continue;
            }
            for flag in &instruction.flags {
                let Some(value) = &flag.value else { continue };
                match flag.name.as_str() {
                    "from" => lineage.source(&value.text, position),
                    "mount" => {
                        value.text.split(',').filter_map(|p| p.strip_prefix("from=")).for_each(|name| {
                            lineage.source(name, position);
                        });
                    }
                    _ => {}
                }
            }
        }
        lineage.shipped = vec![false; parents.len()];
        let mut stage = parents.len().checked_sub(1);
        while let Some(slot) = stage.and_then(|s| lineage.shipped.get_mut(s)) {
            *slot = true;
            stage = stage.and_then(|s| parents.get(s).copied().flatten());
        }
        lineage
    }

    fn source(&mut self, name: &str, position: usize) {
        self.sources.insert(name.to_ascii_lowercase(), position);
    }

    /// Whether the last stage is this one or is built on it, through however many stages.
    pub(super) fn is_shipped(&self, stage: usize) -> bool {
        self.shipped.get(stage).copied().unwrap_or(false)
    }

    /// Whether a FROM, COPY or RUN behind this position names the stage.
    pub(super) fn is_used(&self, position: usize, stage: usize, name: Option<&str>) -> bool {
        let later = |names: &FastMap<String, usize>, name: &str| names.get(name).is_some_and(|&last| last > position);
        name.map(str::to_ascii_lowercase).is_some_and(|n| later(&self.bases, &n) || later(&self.sources, &n))
            || later(&self.sources, &stage.to_string())
    }
}
