variable "version" { type = number }
variable "unmapped" {}
variable "create" { default = true }
variable "name" { default = "" }
variable "ami" { default = null }
variable "instance_type" { default = "t3.micro" }
variable "monitoring" { default = null }
variable "associate_public_ip_address" { default = null }
variable "key_name" { default = null }
variable "subnet_id" { default = null }
variable "vpc_security_group_ids" { default = null }
variable "iam_instance_profile" { default = null }
variable "create_iam_instance_profile" { default = false }
variable "user_data" { default = null }
variable "user_data_base64" { default = null }
variable "ebs_optimized" { default = null }
variable "disable_api_termination" { default = null }
variable "source_dest_check" { default = null }
variable "tenancy" { default = null }
variable "metadata_options" { default = null }
variable "root_block_device" { default = [] }
variable "ebs_block_device" { default = [] }
variable "tags" { default = {} }

locals {
  # What is asked of the metadata service by default differs between versions, and within some.
  metadata = var.metadata_options != null ? [var.metadata_options] : (var.version >= 6 ? [{ http_endpoint = "enabled", http_tokens = "required" }] : var.unmapped)
}

resource "aws_instance" "this" {
  count                       = var.create ? 1 : 0
  ami                         = var.ami
  instance_type               = var.instance_type
  monitoring                  = var.monitoring
  associate_public_ip_address = var.associate_public_ip_address
  key_name                    = var.key_name
  subnet_id                   = var.subnet_id
  vpc_security_group_ids      = var.vpc_security_group_ids
  iam_instance_profile        = var.create_iam_instance_profile ? var.unmapped : var.iam_instance_profile
  user_data                   = var.user_data
  user_data_base64            = var.user_data_base64
  ebs_optimized               = var.ebs_optimized
  disable_api_termination     = var.disable_api_termination
  source_dest_check           = var.source_dest_check
  tenancy                     = var.tenancy
  tags                        = merge({ Name = var.name }, var.tags)

  dynamic "metadata_options" {
    for_each = local.metadata
    content {
      http_endpoint               = try(metadata_options.value.http_endpoint, "enabled")
      http_tokens                 = try(metadata_options.value.http_tokens, var.version < 6 ? "optional" : "required")
      http_put_response_hop_limit = try(metadata_options.value.http_put_response_hop_limit, null)
      instance_metadata_tags      = try(metadata_options.value.instance_metadata_tags, null)
    }
  }
  dynamic "root_block_device" {
    for_each = flatten([var.root_block_device])
    content {
      encrypted             = try(root_block_device.value.encrypted, var.version < 6 ? null : var.unmapped)
      kms_key_id            = try(root_block_device.value.kms_key_id, null)
      volume_type           = try(root_block_device.value.volume_type, root_block_device.value.type, null)
      volume_size           = try(root_block_device.value.volume_size, root_block_device.value.size, null)
      delete_on_termination = try(root_block_device.value.delete_on_termination, null)
    }
  }
  dynamic "ebs_block_device" {
    for_each = var.ebs_block_device
    content {
      device_name = try(ebs_block_device.value.device_name, null)
      encrypted   = try(ebs_block_device.value.encrypted, null)
      kms_key_id  = try(ebs_block_device.value.kms_key_id, null)
      volume_type = try(ebs_block_device.value.volume_type, null)
      volume_size = try(ebs_block_device.value.volume_size, null)
    }
  }
}

output "id" { value = aws_instance.this[0].id }
output "arn" { value = aws_instance.this[0].arn }
