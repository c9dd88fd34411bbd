variable "version" { type = number }
variable "unmapped" {}
variable "create" { default = true }
variable "cluster_name" { default = null }
variable "name" { default = null }
variable "cluster_version" { default = null }
variable "kubernetes_version" { default = null }
variable "cluster_enabled_log_types" { default = null }
variable "enabled_log_types" { default = null }
variable "cluster_endpoint_public_access" { default = null }
variable "endpoint_public_access" { default = null }
variable "cluster_endpoint_private_access" { default = null }
variable "endpoint_private_access" { default = null }
variable "cluster_endpoint_public_access_cidrs" { default = null }
variable "endpoint_public_access_cidrs" { default = null }
variable "cluster_encryption_config" { default = null }
variable "subnet_ids" { default = [] }
variable "tags" { default = {} }

locals {
  # Version 19 closed the public endpoint and encrypts secrets, 18 began to log; 21 dropped the prefix of the names.
  logs    = try(coalesce(var.enabled_log_types, var.cluster_enabled_log_types), var.version >= 18 ? ["audit", "api", "authenticator"] : [])
  public  = try(coalesce(var.endpoint_public_access, var.cluster_endpoint_public_access), var.version < 19)
  private = try(coalesce(var.endpoint_private_access, var.cluster_endpoint_private_access), var.version >= 19)
}

resource "aws_eks_cluster" "this" {
  count                     = var.create ? 1 : 0
  name                      = var.name != null ? var.name : var.cluster_name
  version                   = var.kubernetes_version != null ? var.kubernetes_version : var.cluster_version
  role_arn                  = var.unmapped
  enabled_cluster_log_types = local.logs
  tags                      = var.tags
  vpc_config {
    subnet_ids              = var.subnet_ids
    security_group_ids      = var.unmapped
    endpoint_public_access  = local.public
    endpoint_private_access = local.private
    public_access_cidrs     = try(coalesce(var.endpoint_public_access_cidrs, var.cluster_endpoint_public_access_cidrs), ["0.0.0.0/0"])
  }
  dynamic "encryption_config" {
    for_each = var.version >= 19 ? (var.cluster_encryption_config == null ? [{ resources = ["secrets"] }] : flatten([var.cluster_encryption_config])) : flatten([var.cluster_encryption_config == null ? [] : var.cluster_encryption_config])
    content {
      resources = try(encryption_config.value.resources, ["secrets"])
      provider {
        key_arn = try(encryption_config.value.provider_key_arn, var.unmapped)
      }
    }
  }
}

output "cluster_name" { value = aws_eks_cluster.this[0].name }
output "cluster_id" { value = aws_eks_cluster.this[0].id }
output "cluster_endpoint" { value = aws_eks_cluster.this[0].endpoint }
