variable "unmapped" {}
variable "create" { default = true }
variable "name" {}
variable "min_size" { default = null }
variable "max_size" { default = null }
variable "desired_capacity" { default = null }
variable "health_check_type" { default = null }
variable "vpc_zone_identifier" { default = null }
variable "availability_zones" { default = null }
variable "enabled_metrics" {}
variable "load_balancers" { default = [] }
variable "target_group_arns" { default = [] }
variable "traffic_source_attachments" { default = {} }

resource "aws_autoscaling_group" "this" {
  count               = var.create ? 1 : 0
  name                = var.name
  min_size            = var.min_size
  max_size            = var.max_size
  desired_capacity    = var.desired_capacity
  health_check_type   = var.health_check_type
  vpc_zone_identifier = var.vpc_zone_identifier
  availability_zones  = var.availability_zones
  enabled_metrics     = var.enabled_metrics
  # The module adds tags of its own.
  tag                  = var.unmapped
  load_balancers       = var.load_balancers
  target_group_arns    = var.target_group_arns
  traffic_source       = length(var.traffic_source_attachments) > 0 ? var.unmapped : null
  launch_template      = var.unmapped
  launch_configuration = var.unmapped
}
