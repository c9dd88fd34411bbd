variable "region" {
  type    = string
  default = "eu-central-1"
}

variable "environment" {
  type = string
}

variable "admin_cidrs" {
  description = "Where administrators come from."
  type        = list(string)
  default     = ["10.20.0.0/16"]
}
