variable "unmapped" {}
variable "name" {}
variable "project_id" {}
variable "location" {}
variable "storage_class" { default = null }
variable "bucket_policy_only" { default = true }
variable "versioning" { default = true }
variable "force_destroy" { default = false }
variable "public_access_prevention" { default = "inherited" }
variable "labels" { default = null }
variable "log_bucket" { default = null }
variable "log_object_prefix" { default = null }
variable "encryption" { default = null }
variable "retention_policy" { default = null }
variable "iam_members" { default = [] }

resource "google_storage_bucket" "bucket" {
  name                        = var.name
  project                     = var.project_id
  location                    = var.location
  storage_class               = var.storage_class
  uniform_bucket_level_access = var.bucket_policy_only
  force_destroy               = var.force_destroy
  public_access_prevention    = var.public_access_prevention
  labels                      = var.labels
  lifecycle_rule              = var.unmapped
  versioning {
    enabled = var.versioning
  }
  dynamic "logging" {
    for_each = var.log_bucket == null ? [] : [var.log_bucket]
    content {
      log_bucket        = var.log_bucket
      log_object_prefix = var.log_object_prefix
    }
  }
  dynamic "encryption" {
    for_each = var.encryption == null ? [] : [var.encryption]
    content {
      default_kms_key_name = try(encryption.value.default_kms_key_name, null)
    }
  }
  dynamic "retention_policy" {
    for_each = var.retention_policy == null ? [] : [var.retention_policy]
    content {
      is_locked        = try(retention_policy.value.is_locked, null)
      retention_period = try(retention_policy.value.retention_period, null)
    }
  }
}

resource "google_storage_bucket_iam_member" "members" {
  count  = length(var.iam_members)
  bucket = google_storage_bucket.bucket.name
  role   = var.iam_members[count.index].role
  member = var.iam_members[count.index].member
}

output "name" { value = google_storage_bucket.bucket.name }
