variable "version" { type = number }
variable "unmapped" {}
variable "create_db_instance" { default = true }
variable "create_db_parameter_group" { default = true }
variable "identifier" {}
variable "engine" { default = null }
variable "engine_version" { default = null }
variable "instance_class" { default = null }
variable "allocated_storage" { default = null }
variable "max_allocated_storage" { default = 0 }
variable "storage_type" { default = null }
variable "storage_encrypted" {
  type    = bool
  default = null
}
variable "kms_key_id" { default = null }
variable "username" { default = null }
variable "password" { default = null }
variable "port" { default = null }
variable "iam_database_authentication_enabled" { default = false }
variable "vpc_security_group_ids" { default = [] }
variable "publicly_accessible" { default = false }
variable "multi_az" { default = false }
variable "availability_zone" { default = null }
variable "allow_major_version_upgrade" { default = false }
variable "auto_minor_version_upgrade" { default = true }
variable "apply_immediately" { default = false }
variable "maintenance_window" { default = null }
variable "backup_window" { default = null }
variable "backup_retention_period" { default = null }
variable "copy_tags_to_snapshot" { default = false }
variable "skip_final_snapshot" { default = false }
variable "deletion_protection" { default = false }
variable "monitoring_interval" { default = 0 }
variable "performance_insights_enabled" { default = false }
variable "performance_insights_kms_key_id" { default = null }
variable "performance_insights_retention_period" {}
variable "enabled_cloudwatch_logs_exports" { default = [] }
variable "ca_cert_identifier" { default = null }
variable "replicate_source_db" { default = null }
variable "snapshot_identifier" { default = null }
variable "manage_master_user_password" { default = null }
variable "parameters" { default = [] }
variable "family" { default = null }
variable "tags" { default = {} }

resource "aws_db_instance" "this" {
  count                                 = var.create_db_instance ? 1 : 0
  identifier                            = var.identifier
  engine                                = var.engine
  engine_version                        = var.engine_version
  instance_class                        = var.instance_class
  allocated_storage                     = var.allocated_storage
  max_allocated_storage                 = var.max_allocated_storage
  storage_type                          = var.storage_type
  storage_encrypted                     = var.storage_encrypted != null ? var.storage_encrypted : (var.version >= 3 ? true : var.unmapped)
  kms_key_id                            = var.kms_key_id
  username                              = var.username
  password                              = var.password
  port                                  = var.port
  iam_database_authentication_enabled   = var.iam_database_authentication_enabled
  vpc_security_group_ids                = var.vpc_security_group_ids
  db_subnet_group_name                  = var.unmapped
  parameter_group_name                  = var.unmapped
  publicly_accessible                   = var.publicly_accessible
  multi_az                              = var.multi_az
  availability_zone                     = var.availability_zone
  allow_major_version_upgrade           = var.allow_major_version_upgrade
  auto_minor_version_upgrade            = var.auto_minor_version_upgrade
  apply_immediately                     = var.apply_immediately
  maintenance_window                    = var.maintenance_window
  backup_window                         = var.backup_window
  backup_retention_period               = var.backup_retention_period
  copy_tags_to_snapshot                 = var.copy_tags_to_snapshot
  skip_final_snapshot                   = var.skip_final_snapshot
  deletion_protection                   = var.deletion_protection
  monitoring_interval                   = var.monitoring_interval
  monitoring_role_arn                   = var.unmapped
  performance_insights_enabled          = var.performance_insights_enabled
  performance_insights_kms_key_id       = var.performance_insights_kms_key_id
  performance_insights_retention_period = var.performance_insights_retention_period
  enabled_cloudwatch_logs_exports       = var.enabled_cloudwatch_logs_exports
  ca_cert_identifier                    = var.ca_cert_identifier
  replicate_source_db                   = var.replicate_source_db
  snapshot_identifier                   = var.snapshot_identifier
  manage_master_user_password           = var.manage_master_user_password
  tags                                  = var.tags
}

resource "aws_db_parameter_group" "this" {
  count  = var.create_db_parameter_group ? 1 : 0
  family = var.family
  tags   = var.tags
  dynamic "parameter" {
    for_each = var.parameters
    content {
      name         = parameter.value.name
      value        = parameter.value.value
      apply_method = lookup(parameter.value, "apply_method", null)
    }
  }
}
