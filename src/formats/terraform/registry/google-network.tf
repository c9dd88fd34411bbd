variable "unmapped" {}
variable "project_id" {}
variable "network_name" {}
variable "auto_create_subnetworks" { default = false }
variable "routing_mode" { default = "GLOBAL" }
variable "subnets" { default = [] }

resource "google_compute_network" "network" {
  name                    = var.network_name
  project                 = var.project_id
  auto_create_subnetworks = var.auto_create_subnetworks
  routing_mode            = var.routing_mode
}

resource "google_compute_subnetwork" "subnetwork" {
  for_each                   = { for x in var.subnets : "${x.subnet_region}/${x.subnet_name}" => x }
  name                       = each.value.subnet_name
  ip_cidr_range              = each.value.subnet_ip
  region                     = each.value.subnet_region
  project                    = var.project_id
  network                    = google_compute_network.network.name
  private_ip_google_access   = try(tobool(each.value.subnet_private_access), false)
  private_ipv6_google_access = try(each.value.subnet_private_ipv6_access, null)
  purpose                    = try(each.value.purpose, null)
  role                       = try(each.value.role, null)
  dynamic "log_config" {
    for_each = try(tobool(each.value.subnet_flow_logs), false) ? [true] : []
    content {
      aggregation_interval = try(each.value.subnet_flow_logs_interval, "INTERVAL_5_SEC")
      flow_sampling        = try(each.value.subnet_flow_logs_sampling, "0.5")
      metadata             = try(each.value.subnet_flow_logs_metadata, "INCLUDE_ALL_METADATA")
    }
  }
}

output "network_name" { value = google_compute_network.network.name }
