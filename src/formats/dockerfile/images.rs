//! Which Dockerfile builds the image that a workload runs.
//!
//! Nothing says so outright but a Compose file's `build`. For the rest the names do: the last part of the image's name is the
//! Dockerfile's folder (`web/Dockerfile` builds `registry.example.com/shop/web`) or its own suffix (`Dockerfile.web`). An edge
//! is drawn only where exactly one Dockerfile fits.

use crate::base::FastMap;
use crate::formats::kubernetes::kinds::pod_of;
use crate::graph::{Edge, ResourceGraph, ResourceId};

/// Draws `builds` from each Dockerfile to the workloads that run its image.
pub(super) fn link(graph: &ResourceGraph, edges: &mut Vec<Edge>) {
    let mut by_name: FastMap<String, Vec<ResourceId>> = FastMap::default();
    for &id in graph.of_kind("Dockerfile") {
        for name in names(&graph.get(id).address) {
            by_name.entry(name).or_default().push(id);
        }
    }
    if by_name.is_empty() {
        return;
    }
    for id in graph.ids() {
        let node = graph.get(id);
        let Some(pod) = pod_of(&node.kind, &node.body) else { continue };
        for container in ["containers", "initContainers"].iter().filter_map(|k| pod.spec.get(k)?.as_list()).flatten() {
            let Some(image) = container.get("image") else { continue };
            let Some(text) = image.as_str() else { continue };
            if let Some([only]) = by_name.get(repository(text)).map(Vec::as_slice) {
                edges.push(Edge { from: *only, to: id, via: "builds".into(), span: image.span() });
            }
        }
    }
}

/// The last part of an image's name, without tag and digest: `web` of `registry:5000/shop/web:1.4@sha256:…`.
fn repository(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or(image);
    let last = name.rsplit('/').next().unwrap_or(name);
    last.split(':').next().unwrap_or(last)
}

/// What a Dockerfile's image is probably called: after its folder, or after what its own name adds to `Dockerfile`.
fn names(path: &str) -> Vec<String> {
    let mut parts = path.rsplit('/');
    let file = parts.next().unwrap_or("");
    let suffix = file.strip_prefix("Dockerfile.").or_else(|| file.strip_prefix("Containerfile."));
    let prefix = file.strip_suffix(".Dockerfile").or_else(|| file.strip_suffix(".dockerfile"));
    match suffix.or(prefix) {
        Some(name) => vec![name.to_ascii_lowercase()],
        None => parts.next().map(str::to_ascii_lowercase).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_images_and_of_dockerfiles_meet() {
        assert_eq!(repository("registry.example.com:5000/shop/web:1.4.2@sha256:00"), "web");
        assert_eq!(repository("web"), "web");
        assert_eq!(names("web/Dockerfile"), ["web"]);
        assert_eq!(names("build/Dockerfile.Worker"), ["worker"]);
        assert_eq!(names("api.dockerfile"), ["api"]);
        assert!(names("Dockerfile").is_empty());
    }
}
