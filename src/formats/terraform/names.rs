//! Edges from resources that name another by its name rather than by a reference.
//!
//! `bucket = "logs"`, or `bucket = local.name` on both sides, means the same bucket as `bucket = aws_s3_bucket.logs.id`. Terraform does not see it,
//! the provider does.

use crate::base::FastMap;
use crate::formats::{LocalEdge, Lowered};
use std::collections::BTreeSet;
use std::sync::Arc;

/// An attribute that names a resource of another kind: the kinds that have it (a `*` at the end stands for any ending), the attribute,
/// the kind that is named, and its attribute that holds the name. From the providers' documentation of these arguments.
struct Named(&'static str, &'static str, &'static str, &'static str);

const NAMED: &[Named] = &[
    Named("aws_autoscaling_attachment", "autoscaling_group_name", "aws_autoscaling_group", "name"),
    Named("aws_autoscaling_group", "launch_configuration", "aws_launch_configuration", "name"),
    Named("aws_cloudtrail", "s3_bucket_name", "aws_s3_bucket", "bucket"),
    Named("aws_db_instance", "db_subnet_group_name", "aws_db_subnet_group", "name"),
    Named("aws_db_instance", "parameter_group_name", "aws_db_parameter_group", "name"),
    Named("aws_docdb_cluster", "db_cluster_parameter_group_name", "aws_docdb_cluster_parameter_group", "name"),
    Named("aws_docdb_cluster_instance", "cluster_identifier", "aws_docdb_cluster", "cluster_identifier"),
    Named("aws_ecr_lifecycle_policy", "repository", "aws_ecr_repository", "name"),
    Named("aws_ecr_repository_policy", "repository", "aws_ecr_repository", "name"),
    Named("aws_eks_*", "cluster_name", "aws_eks_cluster", "name"),
    Named(
        "aws_elasticache_cluster",
        "replication_group_id",
        "aws_elasticache_replication_group",
        "replication_group_id",
    ),
    Named("aws_elasticsearch_domain_*", "domain_name", "aws_elasticsearch_domain", "domain_name"),
    Named("aws_iam_access_key", "user", "aws_iam_user", "name"),
    Named("aws_iam_group_*", "group", "aws_iam_group", "name"),
    Named("aws_iam_instance_profile", "role", "aws_iam_role", "name"),
    Named("aws_iam_role_policy*", "role", "aws_iam_role", "name"),
    Named("aws_iam_user_*", "user", "aws_iam_user", "name"),
    Named("aws_instance", "iam_instance_profile", "aws_iam_instance_profile", "name"),
    Named("aws_lambda_*", "function_name", "aws_lambda_function", "function_name"),
    Named("aws_launch_configuration", "iam_instance_profile", "aws_iam_instance_profile", "name"),
    Named("aws_neptune_cluster_instance", "cluster_identifier", "aws_neptune_cluster", "cluster_identifier"),
    Named("aws_opensearch_domain_*", "domain_name", "aws_opensearch_domain", "domain_name"),
    Named("aws_rds_cluster", "db_cluster_parameter_group_name", "aws_rds_cluster_parameter_group", "name"),
    Named("aws_rds_cluster", "db_subnet_group_name", "aws_db_subnet_group", "name"),
    Named("aws_rds_cluster_instance", "cluster_identifier", "aws_rds_cluster", "cluster_identifier"),
    Named("aws_redshift_cluster", "cluster_parameter_group_name", "aws_redshift_parameter_group", "name"),
    Named("aws_redshift_logging", "cluster_identifier", "aws_redshift_cluster", "cluster_identifier"),
    Named("aws_s3_access_point", "bucket", "aws_s3_bucket", "bucket"),
    Named("aws_s3_bucket_*", "bucket", "aws_s3_bucket", "bucket"),
    Named("aws_s3_bucket_logging", "target_bucket", "aws_s3_bucket", "bucket"),
    Named("aws_s3_object*", "bucket", "aws_s3_bucket", "bucket"),
    Named("azurerm_mariadb_*", "server_name", "azurerm_mariadb_server", "name"),
    Named("azurerm_mysql_*", "server_name", "azurerm_mysql_server", "name"),
    Named("azurerm_mysql_flexible_*", "server_name", "azurerm_mysql_flexible_server", "name"),
    Named("azurerm_network_security_rule", "network_security_group_name", "azurerm_network_security_group", "name"),
    Named("azurerm_postgresql_*", "server_name", "azurerm_postgresql_server", "name"),
    Named("azurerm_sql_*", "server_name", "azurerm_sql_server", "name"),
    Named("azurerm_storage_*", "storage_account_name", "azurerm_storage_account", "name"),
    Named("azurerm_subnet", "virtual_network_name", "azurerm_virtual_network", "name"),
    Named("google_bigquery_*", "dataset_id", "google_bigquery_dataset", "dataset_id"),
    Named("google_compute_*", "network", "google_compute_network", "name"),
    Named("google_container_node_pool", "cluster", "google_container_cluster", "name"),
    Named("google_pubsub_subscription", "topic", "google_pubsub_topic", "name"),
    Named("google_pubsub_subscription_iam_*", "subscription", "google_pubsub_subscription", "name"),
    Named("google_pubsub_topic_iam_*", "topic", "google_pubsub_topic", "name"),
    Named("google_sql_*", "instance", "google_sql_database_instance", "name"),
    Named("google_storage_*", "bucket", "google_storage_bucket", "name"),
];

impl Named {
    fn is_of(&self, kind: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(start) => kind.starts_with(start),
            None => kind == self.0,
        }
    }
}

/// Draws the edges that names make. An attribute that already draws one is left alone, as is a name that is not known.
pub fn connect(lowered: &mut Lowered) {
    let mut wanted: Vec<(u32, &Named, Arc<str>)> = Vec::new();
    let mut targets: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (index, resource) in lowered.resources.iter().enumerate() {
        if !["aws_", "azurerm_", "google_"].iter().any(|provider| resource.kind.starts_with(provider)) {
            continue;
        }
        for named in NAMED.iter().filter(|named| named.is_of(&resource.kind) && *resource.kind != *named.2) {
            let text = resource.body.get(named.1).and_then(|value| value.as_str()).filter(|text| !text.is_empty());
            if let Some(text) = text {
                wanted.push((index as u32, named, text.into()));
                targets.insert((named.2, named.3));
            }
        }
    }
    if wanted.is_empty() {
        return;
    }
    let mut by_name: FastMap<(&str, &str, Arc<str>), Vec<u32>> = FastMap::default();
    for (index, resource) in lowered.resources.iter().enumerate() {
        for &(kind, attribute) in targets.iter().filter(|(kind, _)| *resource.kind == **kind) {
            if let Some(name) = resource.body.get(attribute).and_then(|value| value.as_str()) {
                by_name.entry((kind, attribute, name.into())).or_default().push(index as u32);
            }
        }
    }
    let drawn: BTreeSet<(u32, &str)> = lowered.edges.iter().map(|edge| (edge.from, &*edge.via)).collect();
    let mut edges = Vec::new();
    for (from, named, name) in wanted {
        if drawn.contains(&(from, named.1)) {
            continue;
        }
        for &to in by_name.get(&(named.2, named.3, name)).into_iter().flatten() {
            let span = lowered.resources.get(from as usize).and_then(|r| Some(r.body.get(named.1)?.span()));
            if let Some(span) = span {
                edges.push(LocalEdge { from, to, via: named.1.into(), span });
            }
        }
    }
    lowered.edges.extend(edges);
}
