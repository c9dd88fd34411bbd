variable "version" { type = number }
variable "unmapped" {}
variable "create_bucket" { default = true }
variable "bucket" { default = null }
variable "bucket_prefix" { default = null }
variable "acl" { default = null }
variable "grant" { default = [] }
variable "policy" { default = null }
variable "attach_policy" { default = null }
variable "attach_elb_log_delivery_policy" { default = false }
variable "attach_lb_log_delivery_policy" { default = false }
variable "attach_access_log_delivery_policy" { default = false }
variable "attach_deny_insecure_transport_policy" { default = false }
variable "attach_require_latest_tls_policy" { default = false }
variable "attach_inventory_destination_policy" { default = false }
variable "attach_deny_unencrypted_object_uploads" { default = false }
variable "attach_deny_incorrect_encryption_headers" { default = false }
variable "attach_deny_incorrect_kms_key_sse" { default = false }
variable "attach_public_policy" { default = true }
variable "block_public_acls" {
  type    = bool
  default = null
}
variable "block_public_policy" {
  type    = bool
  default = null
}
variable "ignore_public_acls" {
  type    = bool
  default = null
}
variable "restrict_public_buckets" {
  type    = bool
  default = null
}
variable "versioning" { default = {} }
variable "logging" { default = {} }
variable "website" { default = {} }
variable "cors_rule" { default = [] }
variable "lifecycle_rule" { default = [] }
variable "server_side_encryption_configuration" { default = {} }
variable "replication_configuration" { default = {} }
variable "object_lock_enabled" { default = false }
variable "control_object_ownership" { default = false }
variable "object_ownership" {}
variable "force_destroy" { default = false }
variable "tags" { default = {} }

locals {
  create = var.create_bucket ? 1 : 0
  # Version 4 turned the blocks against public access on.
  blocks = var.version >= 4
  # A policy that is given is meant to be used, also where `attach_policy` was forgotten.
  given = var.policy != null && var.attach_policy != false
  added = anytrue([
    var.attach_elb_log_delivery_policy, var.attach_lb_log_delivery_policy, var.attach_access_log_delivery_policy,
    var.attach_deny_insecure_transport_policy, var.attach_require_latest_tls_policy, var.attach_inventory_destination_policy,
    var.attach_deny_unencrypted_object_uploads, var.attach_deny_incorrect_encryption_headers, var.attach_deny_incorrect_kms_key_sse,
  ])
}

resource "aws_s3_bucket" "this" {
  count               = local.create
  bucket              = var.bucket
  bucket_prefix       = var.bucket_prefix
  force_destroy       = var.force_destroy
  object_lock_enabled = var.object_lock_enabled
  tags                = var.tags
}

resource "aws_s3_bucket_acl" "this" {
  count  = var.acl != null || length(var.grant) > 0 ? local.create : 0
  bucket = aws_s3_bucket.this[0].id
  acl    = var.acl
  dynamic "access_control_policy" {
    for_each = length(var.grant) > 0 ? [true] : []
    content {
      dynamic "grant" {
        for_each = try(jsondecode(var.grant), var.grant)
        content {
          permission = try(grant.value.permission, null)
          grantee {
            type = try(grant.value.type, null)
            id   = try(grant.value.id, null)
            uri  = try(grant.value.uri, null)
          }
        }
      }
    }
  }
}

resource "aws_s3_bucket_versioning" "this" {
  count  = length(var.versioning) > 0 ? local.create : 0
  bucket = aws_s3_bucket.this[0].id
  versioning_configuration {
    status = try(
      tobool(var.versioning["enabled"]) ? "Enabled" : "Suspended",
      tobool(var.versioning["status"]) ? "Enabled" : "Suspended",
      title(lower(var.versioning["status"])),
      "Suspended",
    )
    mfa_delete = try(tobool(var.versioning["mfa_delete"]) ? "Enabled" : "Disabled", title(lower(var.versioning["mfa_delete"])), null)
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  count  = length(var.server_side_encryption_configuration) > 0 ? local.create : 0
  bucket = aws_s3_bucket.this[0].id
  dynamic "rule" {
    for_each = try(flatten([var.server_side_encryption_configuration["rule"]]), [])
    content {
      bucket_key_enabled = try(rule.value.bucket_key_enabled, null)
      dynamic "apply_server_side_encryption_by_default" {
        for_each = try([rule.value.apply_server_side_encryption_by_default], [])
        content {
          sse_algorithm     = apply_server_side_encryption_by_default.value.sse_algorithm
          kms_master_key_id = try(apply_server_side_encryption_by_default.value.kms_master_key_id, null)
        }
      }
    }
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  count                   = var.attach_public_policy ? local.create : 0
  bucket                  = aws_s3_bucket.this[0].id
  block_public_acls       = var.block_public_acls != null ? var.block_public_acls : local.blocks
  block_public_policy     = var.block_public_policy != null ? var.block_public_policy : local.blocks
  ignore_public_acls      = var.ignore_public_acls != null ? var.ignore_public_acls : local.blocks
  restrict_public_buckets = var.restrict_public_buckets != null ? var.restrict_public_buckets : local.blocks
}

resource "aws_s3_bucket_policy" "this" {
  count  = local.given || local.added ? local.create : 0
  bucket = aws_s3_bucket.this[0].id
  policy = local.added ? var.unmapped : var.policy
}

resource "aws_s3_bucket_logging" "this" {
  count         = length(var.logging) > 0 ? local.create : 0
  bucket        = aws_s3_bucket.this[0].id
  target_bucket = var.logging["target_bucket"]
  target_prefix = try(var.logging["target_prefix"], null)
}

resource "aws_s3_bucket_website_configuration" "this" {
  count                    = length(var.website) > 0 ? local.create : 0
  bucket                   = aws_s3_bucket.this[0].id
  index_document           = try([{ suffix = var.website["index_document"] }], null)
  error_document           = try([{ key = var.website["error_document"] }], null)
  redirect_all_requests_to = try([var.website["redirect_all_requests_to"]], null)
}

resource "aws_s3_bucket_cors_configuration" "this" {
  count  = length(var.cors_rule) > 0 ? local.create : 0
  bucket = aws_s3_bucket.this[0].id
  dynamic "cors_rule" {
    for_each = try(jsondecode(var.cors_rule), var.cors_rule)
    content {
      allowed_methods = cors_rule.value.allowed_methods
      allowed_origins = cors_rule.value.allowed_origins
      allowed_headers = try(cors_rule.value.allowed_headers, null)
      expose_headers  = try(cors_rule.value.expose_headers, null)
      max_age_seconds = try(cors_rule.value.max_age_seconds, null)
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  count  = length(var.lifecycle_rule) > 0 ? local.create : 0
  bucket = aws_s3_bucket.this[0].id
  rule   = var.unmapped
}

resource "aws_s3_bucket_replication_configuration" "this" {
  count  = length(var.replication_configuration) > 0 ? local.create : 0
  bucket = aws_s3_bucket.this[0].id
  role   = var.replication_configuration["role"]
  rule   = var.unmapped
}

resource "aws_s3_bucket_ownership_controls" "this" {
  count  = var.control_object_ownership ? local.create : 0
  bucket = aws_s3_bucket.this[0].id
  rule {
    object_ownership = var.object_ownership
  }
}

output "s3_bucket_id" { value = aws_s3_bucket.this[0].id }
output "s3_bucket_arn" { value = aws_s3_bucket.this[0].arn }
output "s3_bucket_bucket_domain_name" { value = aws_s3_bucket.this[0].bucket_domain_name }
output "s3_bucket_bucket_regional_domain_name" { value = aws_s3_bucket.this[0].bucket_regional_domain_name }
