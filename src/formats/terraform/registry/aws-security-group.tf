variable "unmapped" {}
variable "create" { default = true }
variable "create_sg" { default = true }
variable "name" { default = null }
variable "description" { default = "Security Group managed by Terraform" }
variable "vpc_id" { default = null }
variable "tags" { default = {} }
variable "ingress_rules" { default = [] }
variable "ingress_cidr_blocks" { default = [] }
variable "ingress_ipv6_cidr_blocks" { default = [] }
variable "ingress_with_cidr_blocks" { default = [] }
variable "ingress_with_ipv6_cidr_blocks" { default = [] }
variable "ingress_with_self" { default = [] }
variable "ingress_with_source_security_group_id" { default = [] }
variable "egress_rules" { default = [] }
variable "egress_cidr_blocks" { default = ["0.0.0.0/0"] }
variable "egress_ipv6_cidr_blocks" { default = ["::/0"] }
variable "egress_with_cidr_blocks" { default = [] }
variable "egress_with_self" { default = [] }

locals {
  create = var.create && var.create_sg
  # The rules that have names, as far as they are common: from, to, protocol, description.
  names = {
    "all-all"        = [-1, -1, "-1", "All protocols"]
    "all-tcp"        = [0, 65535, "tcp", "All TCP ports"]
    "all-udp"        = [0, 65535, "udp", "All UDP ports"]
    "all-icmp"       = [-1, -1, "icmp", "All IPV4 ICMP"]
    "ssh-tcp"        = [22, 22, "tcp", "SSH"]
    "rdp-tcp"        = [3389, 3389, "tcp", "Remote Desktop"]
    "rdp-udp"        = [3389, 3389, "udp", "Remote Desktop"]
    "http-80-tcp"    = [80, 80, "tcp", "HTTP"]
    "http-8080-tcp"  = [8080, 8080, "tcp", "HTTP"]
    "https-443-tcp"  = [443, 443, "tcp", "HTTPS"]
    "https-8443-tcp" = [8443, 8443, "tcp", "HTTPS"]
    "dns-tcp"        = [53, 53, "tcp", "DNS"]
    "dns-udp"        = [53, 53, "udp", "DNS"]
    "mysql-tcp"      = [3306, 3306, "tcp", "MySQL/Aurora"]
    "postgresql-tcp" = [5432, 5432, "tcp", "PostgreSQL"]
    "mssql-tcp"      = [1433, 1433, "tcp", "MSSQL Server"]
    "oracle-db-tcp"  = [1521, 1521, "tcp", "Oracle"]
    "redis-tcp"      = [6379, 6379, "tcp", "Redis"]
    "memcached-tcp"  = [11211, 11211, "tcp", "Memcached"]
    "nfs-tcp"        = [2049, 2049, "tcp", "NFS/EFS"]
    "ntp-udp"        = [123, 123, "udp", "NTP"]
  }
}

resource "aws_security_group" "this" {
  count       = local.create ? 1 : 0
  name        = var.name
  description = var.description
  vpc_id      = var.vpc_id
  tags        = var.tags
}

resource "aws_security_group_rule" "ingress_rules" {
  count             = local.create ? length(var.ingress_rules) : 0
  security_group_id = aws_security_group.this[0].id
  type              = "ingress"
  cidr_blocks       = var.ingress_cidr_blocks
  ipv6_cidr_blocks  = var.ingress_ipv6_cidr_blocks
  from_port         = try(local.names[var.ingress_rules[count.index]][0], var.unmapped)
  to_port           = try(local.names[var.ingress_rules[count.index]][1], var.unmapped)
  protocol          = try(local.names[var.ingress_rules[count.index]][2], var.unmapped)
  description       = try(local.names[var.ingress_rules[count.index]][3], var.unmapped)
}

resource "aws_security_group_rule" "ingress_with_cidr_blocks" {
  count             = local.create ? length(var.ingress_with_cidr_blocks) : 0
  security_group_id = aws_security_group.this[0].id
  type              = "ingress"
  cidr_blocks       = compact(split(",", lookup(var.ingress_with_cidr_blocks[count.index], "cidr_blocks", join(",", var.ingress_cidr_blocks))))
  from_port         = try(var.ingress_with_cidr_blocks[count.index]["from_port"], local.names[var.ingress_with_cidr_blocks[count.index]["rule"]][0], var.unmapped)
  to_port           = try(var.ingress_with_cidr_blocks[count.index]["to_port"], local.names[var.ingress_with_cidr_blocks[count.index]["rule"]][1], var.unmapped)
  protocol          = try(var.ingress_with_cidr_blocks[count.index]["protocol"], local.names[var.ingress_with_cidr_blocks[count.index]["rule"]][2], var.unmapped)
  description       = lookup(var.ingress_with_cidr_blocks[count.index], "description", "Ingress Rule")
}

resource "aws_security_group_rule" "ingress_with_ipv6_cidr_blocks" {
  count             = local.create ? length(var.ingress_with_ipv6_cidr_blocks) : 0
  security_group_id = aws_security_group.this[0].id
  type              = "ingress"
  ipv6_cidr_blocks  = compact(split(",", lookup(var.ingress_with_ipv6_cidr_blocks[count.index], "ipv6_cidr_blocks", join(",", var.ingress_ipv6_cidr_blocks))))
  from_port         = try(var.ingress_with_ipv6_cidr_blocks[count.index]["from_port"], local.names[var.ingress_with_ipv6_cidr_blocks[count.index]["rule"]][0], var.unmapped)
  to_port           = try(var.ingress_with_ipv6_cidr_blocks[count.index]["to_port"], local.names[var.ingress_with_ipv6_cidr_blocks[count.index]["rule"]][1], var.unmapped)
  protocol          = try(var.ingress_with_ipv6_cidr_blocks[count.index]["protocol"], local.names[var.ingress_with_ipv6_cidr_blocks[count.index]["rule"]][2], var.unmapped)
  description       = lookup(var.ingress_with_ipv6_cidr_blocks[count.index], "description", "Ingress Rule")
}

resource "aws_security_group_rule" "ingress_with_self" {
  count             = local.create ? length(var.ingress_with_self) : 0
  security_group_id = aws_security_group.this[0].id
  type              = "ingress"
  self              = lookup(var.ingress_with_self[count.index], "self", true)
  from_port         = try(var.ingress_with_self[count.index]["from_port"], local.names[var.ingress_with_self[count.index]["rule"]][0], var.unmapped)
  to_port           = try(var.ingress_with_self[count.index]["to_port"], local.names[var.ingress_with_self[count.index]["rule"]][1], var.unmapped)
  protocol          = try(var.ingress_with_self[count.index]["protocol"], local.names[var.ingress_with_self[count.index]["rule"]][2], var.unmapped)
  description       = lookup(var.ingress_with_self[count.index], "description", "Ingress Rule")
}

resource "aws_security_group_rule" "ingress_with_source_security_group_id" {
  count                    = local.create ? length(var.ingress_with_source_security_group_id) : 0
  security_group_id        = aws_security_group.this[0].id
  type                     = "ingress"
  source_security_group_id = var.ingress_with_source_security_group_id[count.index]["source_security_group_id"]
  from_port                = try(var.ingress_with_source_security_group_id[count.index]["from_port"], local.names[var.ingress_with_source_security_group_id[count.index]["rule"]][0], var.unmapped)
  to_port                  = try(var.ingress_with_source_security_group_id[count.index]["to_port"], local.names[var.ingress_with_source_security_group_id[count.index]["rule"]][1], var.unmapped)
  protocol                 = try(var.ingress_with_source_security_group_id[count.index]["protocol"], local.names[var.ingress_with_source_security_group_id[count.index]["rule"]][2], var.unmapped)
  description              = lookup(var.ingress_with_source_security_group_id[count.index], "description", "Ingress Rule")
}

resource "aws_security_group_rule" "egress_rules" {
  count             = local.create ? length(var.egress_rules) : 0
  security_group_id = aws_security_group.this[0].id
  type              = "egress"
  cidr_blocks       = var.egress_cidr_blocks
  ipv6_cidr_blocks  = var.egress_ipv6_cidr_blocks
  from_port         = try(local.names[var.egress_rules[count.index]][0], var.unmapped)
  to_port           = try(local.names[var.egress_rules[count.index]][1], var.unmapped)
  protocol          = try(local.names[var.egress_rules[count.index]][2], var.unmapped)
  description       = try(local.names[var.egress_rules[count.index]][3], var.unmapped)
}

resource "aws_security_group_rule" "egress_with_cidr_blocks" {
  count             = local.create ? length(var.egress_with_cidr_blocks) : 0
  security_group_id = aws_security_group.this[0].id
  type              = "egress"
  cidr_blocks       = compact(split(",", lookup(var.egress_with_cidr_blocks[count.index], "cidr_blocks", join(",", var.egress_cidr_blocks))))
  from_port         = try(var.egress_with_cidr_blocks[count.index]["from_port"], local.names[var.egress_with_cidr_blocks[count.index]["rule"]][0], var.unmapped)
  to_port           = try(var.egress_with_cidr_blocks[count.index]["to_port"], local.names[var.egress_with_cidr_blocks[count.index]["rule"]][1], var.unmapped)
  protocol          = try(var.egress_with_cidr_blocks[count.index]["protocol"], local.names[var.egress_with_cidr_blocks[count.index]["rule"]][2], var.unmapped)
  description       = lookup(var.egress_with_cidr_blocks[count.index], "description", "Egress Rule")
}

output "security_group_id" { value = aws_security_group.this[0].id }
output "this_security_group_id" { value = aws_security_group.this[0].id }
output "security_group_vpc_id" { value = aws_security_group.this[0].vpc_id }
