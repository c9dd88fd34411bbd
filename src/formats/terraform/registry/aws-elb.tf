variable "create_elb" { default = true }
variable "name" { default = null }
variable "internal" { default = false }
variable "security_groups" {}
variable "subnets" {}
variable "listener" { default = [] }
variable "health_check" { default = {} }
variable "access_logs" { default = {} }
variable "cross_zone_load_balancing" { default = true }
variable "connection_draining" { default = false }
variable "connection_draining_timeout" { default = 300 }
variable "idle_timeout" { default = 60 }
variable "instances" { default = [] }
variable "tags" { default = {} }

resource "aws_elb" "this" {
  count                       = var.create_elb ? 1 : 0
  name                        = var.name
  internal                    = var.internal
  security_groups             = var.security_groups
  subnets                     = var.subnets
  instances                   = var.instances
  cross_zone_load_balancing   = var.cross_zone_load_balancing
  connection_draining         = var.connection_draining
  connection_draining_timeout = var.connection_draining_timeout
  idle_timeout                = var.idle_timeout
  tags                        = merge({ Name = var.name }, var.tags)
  dynamic "listener" {
    for_each = var.listener
    content {
      instance_port      = listener.value.instance_port
      instance_protocol  = listener.value.instance_protocol
      lb_port            = listener.value.lb_port
      lb_protocol        = listener.value.lb_protocol
      ssl_certificate_id = lookup(listener.value, "ssl_certificate_id", null)
    }
  }
  dynamic "access_logs" {
    for_each = length(var.access_logs) == 0 ? [] : [var.access_logs]
    content {
      bucket        = access_logs.value.bucket
      bucket_prefix = lookup(access_logs.value, "bucket_prefix", null)
      interval      = lookup(access_logs.value, "interval", null)
      enabled       = lookup(access_logs.value, "enabled", true)
    }
  }
  health_check {
    target              = lookup(var.health_check, "target", null)
    interval            = lookup(var.health_check, "interval", null)
    healthy_threshold   = lookup(var.health_check, "healthy_threshold", null)
    unhealthy_threshold = lookup(var.health_check, "unhealthy_threshold", null)
    timeout             = lookup(var.health_check, "timeout", null)
  }
}
