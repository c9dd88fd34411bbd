variable "version" { type = number }
variable "unmapped" {}
variable "create_vpc" { default = true }
variable "name" { default = "" }
variable "cidr" { default = null }
variable "azs" { default = [] }
variable "public_subnets" { default = [] }
variable "private_subnets" { default = [] }
variable "database_subnets" { default = [] }
variable "intra_subnets" { default = [] }
variable "enable_dns_hostnames" { default = null }
variable "enable_dns_support" { default = true }
variable "map_public_ip_on_launch" {
  type    = bool
  default = null
}
variable "enable_flow_log" { default = false }
variable "flow_log_traffic_type" { default = "ALL" }
variable "manage_default_security_group" {
  type    = bool
  default = null
}
variable "default_security_group_ingress" { default = [] }
variable "default_security_group_egress" { default = [] }
variable "manage_default_vpc" { default = false }
variable "manage_default_network_acl" {
  type    = bool
  default = null
}
variable "default_network_acl_ingress" { default = null }
variable "default_network_acl_egress" { default = null }
variable "public_dedicated_network_acl" { default = false }
variable "private_dedicated_network_acl" { default = false }
variable "public_inbound_acl_rules" {
  default = [{ rule_number = 100, rule_action = "allow", from_port = 0, to_port = 0, protocol = "-1", cidr_block = "0.0.0.0/0" }]
}
variable "public_outbound_acl_rules" {
  default = [{ rule_number = 100, rule_action = "allow", from_port = 0, to_port = 0, protocol = "-1", cidr_block = "0.0.0.0/0" }]
}
variable "private_inbound_acl_rules" {
  default = [{ rule_number = 100, rule_action = "allow", from_port = 0, to_port = 0, protocol = "-1", cidr_block = "0.0.0.0/0" }]
}
variable "private_outbound_acl_rules" {
  default = [{ rule_number = 100, rule_action = "allow", from_port = 0, to_port = 0, protocol = "-1", cidr_block = "0.0.0.0/0" }]
}
variable "tags" { default = {} }

locals {
  create = var.create_vpc ? 1 : 0
  # Version 4 changed what is managed and mapped by default; which minor version did what is left open.
  modern      = var.version != 4 ? var.version > 4 : var.unmapped
  public      = var.map_public_ip_on_launch != null ? var.map_public_ip_on_launch : !local.modern
  manage      = var.manage_default_security_group != null ? var.manage_default_security_group : local.modern
  default_acl = var.manage_default_network_acl != null ? var.manage_default_network_acl : local.modern
}

resource "aws_vpc" "this" {
  count                = local.create
  cidr_block           = var.cidr
  enable_dns_hostnames = var.enable_dns_hostnames != null ? var.enable_dns_hostnames : local.modern
  enable_dns_support   = var.enable_dns_support
  tags                 = merge({ Name = var.name }, var.tags)
}

resource "aws_subnet" "public" {
  count                   = length(var.public_subnets) * local.create
  vpc_id                  = aws_vpc.this[0].id
  cidr_block              = var.public_subnets[count.index]
  map_public_ip_on_launch = local.public
  tags                    = merge({ Name = var.name }, var.tags)
}

resource "aws_subnet" "private" {
  count      = length(var.private_subnets) * local.create
  vpc_id     = aws_vpc.this[0].id
  cidr_block = var.private_subnets[count.index]
  tags       = merge({ Name = var.name }, var.tags)
}

resource "aws_subnet" "database" {
  count      = length(var.database_subnets) * local.create
  vpc_id     = aws_vpc.this[0].id
  cidr_block = var.database_subnets[count.index]
  tags       = merge({ Name = var.name }, var.tags)
}

resource "aws_subnet" "intra" {
  count      = length(var.intra_subnets) * local.create
  vpc_id     = aws_vpc.this[0].id
  cidr_block = var.intra_subnets[count.index]
  tags       = merge({ Name = var.name }, var.tags)
}

resource "aws_flow_log" "this" {
  count                = var.enable_flow_log ? local.create : 0
  vpc_id               = aws_vpc.this[0].id
  traffic_type         = var.flow_log_traffic_type
  log_destination      = var.unmapped
  log_destination_type = var.unmapped
  iam_role_arn         = var.unmapped
  tags                 = var.tags
}

resource "aws_default_security_group" "this" {
  count  = local.manage ? local.create : 0
  vpc_id = aws_vpc.this[0].id
  tags   = var.tags
  dynamic "ingress" {
    for_each = var.default_security_group_ingress
    content {
      self             = lookup(ingress.value, "self", null)
      cidr_blocks      = compact(split(",", lookup(ingress.value, "cidr_blocks", "")))
      ipv6_cidr_blocks = compact(split(",", lookup(ingress.value, "ipv6_cidr_blocks", "")))
      security_groups  = compact(split(",", lookup(ingress.value, "security_groups", "")))
      description      = lookup(ingress.value, "description", null)
      from_port        = lookup(ingress.value, "from_port", 0)
      to_port          = lookup(ingress.value, "to_port", 0)
      protocol         = lookup(ingress.value, "protocol", "-1")
    }
  }
  dynamic "egress" {
    for_each = var.default_security_group_egress
    content {
      self             = lookup(egress.value, "self", null)
      cidr_blocks      = compact(split(",", lookup(egress.value, "cidr_blocks", "")))
      ipv6_cidr_blocks = compact(split(",", lookup(egress.value, "ipv6_cidr_blocks", "")))
      security_groups  = compact(split(",", lookup(egress.value, "security_groups", "")))
      description      = lookup(egress.value, "description", null)
      from_port        = lookup(egress.value, "from_port", 0)
      to_port          = lookup(egress.value, "to_port", 0)
      protocol         = lookup(egress.value, "protocol", "-1")
    }
  }
}

resource "aws_network_acl" "public" {
  count      = var.public_dedicated_network_acl && length(var.public_subnets) > 0 ? local.create : 0
  vpc_id     = aws_vpc.this[0].id
  subnet_ids = aws_subnet.public[*].id
  tags       = var.tags
}

resource "aws_network_acl_rule" "public_inbound" {
  count           = length(aws_network_acl.public) > 0 ? length(var.public_inbound_acl_rules) : 0
  network_acl_id  = aws_network_acl.public[0].id
  egress          = false
  rule_number     = var.public_inbound_acl_rules[count.index]["rule_number"]
  rule_action     = var.public_inbound_acl_rules[count.index]["rule_action"]
  from_port       = lookup(var.public_inbound_acl_rules[count.index], "from_port", null)
  to_port         = lookup(var.public_inbound_acl_rules[count.index], "to_port", null)
  protocol        = var.public_inbound_acl_rules[count.index]["protocol"]
  cidr_block      = lookup(var.public_inbound_acl_rules[count.index], "cidr_block", null)
  ipv6_cidr_block = lookup(var.public_inbound_acl_rules[count.index], "ipv6_cidr_block", null)
}

resource "aws_network_acl_rule" "public_outbound" {
  count           = length(aws_network_acl.public) > 0 ? length(var.public_outbound_acl_rules) : 0
  network_acl_id  = aws_network_acl.public[0].id
  egress          = true
  rule_number     = var.public_outbound_acl_rules[count.index]["rule_number"]
  rule_action     = var.public_outbound_acl_rules[count.index]["rule_action"]
  from_port       = lookup(var.public_outbound_acl_rules[count.index], "from_port", null)
  to_port         = lookup(var.public_outbound_acl_rules[count.index], "to_port", null)
  protocol        = var.public_outbound_acl_rules[count.index]["protocol"]
  cidr_block      = lookup(var.public_outbound_acl_rules[count.index], "cidr_block", null)
  ipv6_cidr_block = lookup(var.public_outbound_acl_rules[count.index], "ipv6_cidr_block", null)
}

resource "aws_network_acl" "private" {
  count      = var.private_dedicated_network_acl && length(var.private_subnets) > 0 ? local.create : 0
  vpc_id     = aws_vpc.this[0].id
  subnet_ids = aws_subnet.private[*].id
  tags       = var.tags
}

resource "aws_network_acl_rule" "private_inbound" {
  count           = length(aws_network_acl.private) > 0 ? length(var.private_inbound_acl_rules) : 0
  network_acl_id  = aws_network_acl.private[0].id
  egress          = false
  rule_number     = var.private_inbound_acl_rules[count.index]["rule_number"]
  rule_action     = var.private_inbound_acl_rules[count.index]["rule_action"]
  from_port       = lookup(var.private_inbound_acl_rules[count.index], "from_port", null)
  to_port         = lookup(var.private_inbound_acl_rules[count.index], "to_port", null)
  protocol        = var.private_inbound_acl_rules[count.index]["protocol"]
  cidr_block      = lookup(var.private_inbound_acl_rules[count.index], "cidr_block", null)
  ipv6_cidr_block = lookup(var.private_inbound_acl_rules[count.index], "ipv6_cidr_block", null)
}

resource "aws_network_acl_rule" "private_outbound" {
  count           = length(aws_network_acl.private) > 0 ? length(var.private_outbound_acl_rules) : 0
  network_acl_id  = aws_network_acl.private[0].id
  egress          = true
  rule_number     = var.private_outbound_acl_rules[count.index]["rule_number"]
  rule_action     = var.private_outbound_acl_rules[count.index]["rule_action"]
  from_port       = lookup(var.private_outbound_acl_rules[count.index], "from_port", null)
  to_port         = lookup(var.private_outbound_acl_rules[count.index], "to_port", null)
  protocol        = var.private_outbound_acl_rules[count.index]["protocol"]
  cidr_block      = lookup(var.private_outbound_acl_rules[count.index], "cidr_block", null)
  ipv6_cidr_block = lookup(var.private_outbound_acl_rules[count.index], "ipv6_cidr_block", null)
}

resource "aws_default_network_acl" "this" {
  count                  = local.default_acl ? local.create : 0
  default_network_acl_id = aws_vpc.this[0].default_network_acl_id
  tags                   = var.tags
  dynamic "ingress" {
    for_each = var.default_network_acl_ingress != null ? var.default_network_acl_ingress : var.unmapped
    content {
      rule_no         = ingress.value.rule_no
      action          = ingress.value.action
      protocol        = ingress.value.protocol
      from_port       = ingress.value.from_port
      to_port         = ingress.value.to_port
      cidr_block      = lookup(ingress.value, "cidr_block", null)
      ipv6_cidr_block = lookup(ingress.value, "ipv6_cidr_block", null)
    }
  }
  dynamic "egress" {
    for_each = var.default_network_acl_egress != null ? var.default_network_acl_egress : var.unmapped
    content {
      rule_no         = egress.value.rule_no
      action          = egress.value.action
      protocol        = egress.value.protocol
      from_port       = egress.value.from_port
      to_port         = egress.value.to_port
      cidr_block      = lookup(egress.value, "cidr_block", null)
      ipv6_cidr_block = lookup(egress.value, "ipv6_cidr_block", null)
    }
  }
}

resource "aws_default_vpc" "this" {
  count = var.manage_default_vpc ? 1 : 0
  tags  = var.tags
}

output "vpc_id" { value = aws_vpc.this[0].id }
output "public_subnets" { value = aws_subnet.public[*].id }
output "private_subnets" { value = aws_subnet.private[*].id }
output "database_subnets" { value = aws_subnet.database[*].id }
output "intra_subnets" { value = aws_subnet.intra[*].id }
