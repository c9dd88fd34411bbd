variable "unmapped" {}
variable "create" { default = true }
variable "name" { default = null }
variable "display_name" { default = null }
variable "kms_master_key_id" { default = null }
variable "fifo_topic" { default = false }
variable "tags" { default = {} }

resource "aws_sns_topic" "this" {
  count             = var.create ? 1 : 0
  name              = var.name
  display_name      = var.display_name
  kms_master_key_id = var.kms_master_key_id
  fifo_topic        = var.fifo_topic
  policy            = var.unmapped
  tags              = var.tags
}

output "topic_arn" { value = aws_sns_topic.this[0].arn }
