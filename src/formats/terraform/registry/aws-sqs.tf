variable "version" { type = number }
variable "unmapped" {}
variable "create" { default = true }
variable "name" { default = null }
variable "kms_master_key_id" { default = null }
variable "kms_data_key_reuse_period_seconds" { default = null }
variable "sqs_managed_sse_enabled" {
  type    = bool
  default = null
}
variable "policy" { default = null }
variable "fifo_queue" { default = false }
variable "visibility_timeout_seconds" { default = null }
variable "message_retention_seconds" { default = null }
variable "create_queue_policy" { default = false }
variable "tags" { default = {} }

resource "aws_sqs_queue" "this" {
  count                             = var.create ? 1 : 0
  name                              = var.name
  kms_master_key_id                 = var.kms_master_key_id
  kms_data_key_reuse_period_seconds = var.kms_data_key_reuse_period_seconds
  # There is no such input before version 3; version 4 turned it on.
  sqs_managed_sse_enabled    = var.sqs_managed_sse_enabled != null ? var.sqs_managed_sse_enabled : (var.version >= 4 ? (var.kms_master_key_id == null ? true : null) : (var.version < 3 ? null : var.unmapped))
  policy                     = var.policy != "" ? var.policy : null
  fifo_queue                 = var.fifo_queue
  visibility_timeout_seconds = var.visibility_timeout_seconds
  message_retention_seconds  = var.message_retention_seconds
  tags                       = var.tags
}

resource "aws_sqs_queue_policy" "this" {
  count     = var.create && var.create_queue_policy ? 1 : 0
  queue_url = aws_sqs_queue.this[0].url
  policy    = var.unmapped
}

output "queue_arn" { value = aws_sqs_queue.this[0].arn }
output "queue_id" { value = aws_sqs_queue.this[0].id }
output "queue_url" { value = aws_sqs_queue.this[0].url }
