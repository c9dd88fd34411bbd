variable "unmapped" {}
variable "resource_group_name" {}
variable "location" {}
variable "prefix" {}
variable "cluster_name" {}
variable "kubernetes_version" { default = null }
variable "sku_tier" {}
variable "private_cluster_enabled" { default = false }
variable "api_server_authorized_ip_ranges" { default = null }
variable "local_account_disabled" { default = null }
variable "role_based_access_control_enabled" {}
variable "azure_policy_enabled" { default = false }
variable "network_plugin" {}
variable "network_policy" { default = null }
variable "disk_encryption_set_id" { default = null }
variable "http_application_routing_enabled" {}
variable "automatic_channel_upgrade" { default = null }
variable "oidc_issuer_enabled" { default = false }
variable "workload_identity_enabled" { default = false }
variable "tags" { default = {} }

resource "azurerm_kubernetes_cluster" "main" {
  name                              = var.cluster_name
  location                          = var.location
  resource_group_name               = var.resource_group_name
  dns_prefix                        = var.prefix
  kubernetes_version                = var.kubernetes_version
  sku_tier                          = var.sku_tier
  private_cluster_enabled           = var.private_cluster_enabled
  api_server_authorized_ip_ranges   = var.api_server_authorized_ip_ranges
  api_server_access_profile         = var.api_server_authorized_ip_ranges == null ? null : [{ authorized_ip_ranges = var.api_server_authorized_ip_ranges }]
  local_account_disabled            = var.local_account_disabled
  role_based_access_control_enabled = var.role_based_access_control_enabled
  azure_policy_enabled              = var.azure_policy_enabled
  disk_encryption_set_id            = var.disk_encryption_set_id
  http_application_routing_enabled  = var.http_application_routing_enabled
  automatic_channel_upgrade         = var.automatic_channel_upgrade
  automatic_upgrade_channel         = var.automatic_channel_upgrade
  oidc_issuer_enabled               = var.oidc_issuer_enabled
  workload_identity_enabled         = var.workload_identity_enabled
  tags                              = var.tags
  default_node_pool                 = var.unmapped
  oms_agent                         = var.unmapped
  identity                          = var.unmapped
  addon_profile                     = var.unmapped
  key_vault_secrets_provider        = var.unmapped
  microsoft_defender                = var.unmapped
  maintenance_window                = var.unmapped
  role_based_access_control         = var.unmapped
  azure_active_directory_role_based_access_control = var.unmapped
  network_profile {
    network_plugin = var.network_plugin
    network_policy = var.network_policy
    outbound_type  = var.unmapped
  }
}
