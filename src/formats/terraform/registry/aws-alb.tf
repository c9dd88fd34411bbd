variable "version" { type = number }
variable "unmapped" {}
variable "create" { default = true }
variable "create_lb" { default = true }
variable "name" { default = null }
variable "load_balancer_type" { default = "application" }
variable "internal" { default = false }
variable "drop_invalid_header_fields" {
  type    = bool
  default = null
}
variable "enable_deletion_protection" {
  type    = bool
  default = null
}
variable "enable_http2" {}
variable "enable_cross_zone_load_balancing" {}
variable "desync_mitigation_mode" { default = null }
variable "idle_timeout" {}
variable "access_logs" { default = null }
variable "security_groups" { default = [] }
variable "subnets" { default = null }
variable "vpc_id" { default = null }
variable "http_tcp_listeners" { default = [] }
variable "https_listeners" { default = [] }
variable "listeners" { default = {} }
variable "target_groups" { default = [] }
variable "listener_ssl_policy_default" { default = "ELBSecurityPolicy-2016-08" }
variable "tags" { default = {} }

locals {
  create = var.create && var.create_lb
  # Version 9 was written anew.
  modern = var.version >= 9
  logs   = try(var.access_logs != null && length(var.access_logs) > 0 ? [var.access_logs] : [], [])
  secure = { for key, listener in var.listeners : key => try(contains(["HTTPS", "TLS"], listener.protocol), false) }
}

resource "aws_lb" "this" {
  count                            = local.create ? 1 : 0
  name                             = var.name
  load_balancer_type               = var.load_balancer_type
  internal                         = var.internal
  drop_invalid_header_fields       = var.drop_invalid_header_fields != null ? var.drop_invalid_header_fields : local.modern
  enable_deletion_protection       = var.enable_deletion_protection != null ? var.enable_deletion_protection : local.modern
  enable_http2                     = var.enable_http2
  enable_cross_zone_load_balancing = var.enable_cross_zone_load_balancing
  desync_mitigation_mode           = var.desync_mitigation_mode
  idle_timeout                     = var.idle_timeout
  security_groups                  = local.modern ? var.unmapped : var.security_groups
  subnets                          = var.subnets
  tags                             = var.tags
  dynamic "access_logs" {
    for_each = local.logs
    content {
      bucket  = try(access_logs.value.bucket, null)
      prefix  = try(access_logs.value.prefix, null)
      enabled = try(access_logs.value.enabled, access_logs.value.bucket != null, true)
    }
  }
}

resource "aws_lb_listener" "frontend_http_tcp" {
  count             = local.create ? length(var.http_tcp_listeners) : 0
  load_balancer_arn = aws_lb.this[0].arn
  port              = var.http_tcp_listeners[count.index]["port"]
  protocol          = var.http_tcp_listeners[count.index]["protocol"]
  default_action {
    type = lookup(var.http_tcp_listeners[count.index], "action_type", "forward")
    dynamic "redirect" {
      for_each = try([var.http_tcp_listeners[count.index]["redirect"]], [])
      content {
        port        = try(redirect.value.port, null)
        protocol    = try(redirect.value.protocol, null)
        status_code = try(redirect.value.status_code, null)
      }
    }
  }
}

resource "aws_lb_listener" "frontend_https" {
  count             = local.create ? length(var.https_listeners) : 0
  load_balancer_arn = aws_lb.this[0].arn
  port              = var.https_listeners[count.index]["port"]
  protocol          = lookup(var.https_listeners[count.index], "protocol", "HTTPS")
  certificate_arn   = try(var.https_listeners[count.index]["certificate_arn"], null)
  ssl_policy        = lookup(var.https_listeners[count.index], "ssl_policy", var.listener_ssl_policy_default)
  default_action {
    type = lookup(var.https_listeners[count.index], "action_type", "forward")
  }
}

resource "aws_lb_listener" "this" {
  for_each          = local.create ? var.listeners : {}
  load_balancer_arn = aws_lb.this[0].arn
  port              = try(each.value.port, null)
  protocol          = try(each.value.protocol, null)
  certificate_arn   = try(each.value.certificate_arn, null)
  ssl_policy        = try(each.value.ssl_policy, local.secure[each.key] ? var.unmapped : null)
  default_action {
    type = try(each.value.redirect, null) != null ? "redirect" : (try(each.value.fixed_response, null) != null ? "fixed-response" : var.unmapped)
    dynamic "redirect" {
      for_each = try([each.value.redirect], [])
      content {
        port        = try(redirect.value.port, null)
        protocol    = try(redirect.value.protocol, null)
        status_code = try(redirect.value.status_code, null)
      }
    }
  }
}

output "lb_arn" { value = aws_lb.this[0].arn }
output "arn" { value = aws_lb.this[0].arn }
