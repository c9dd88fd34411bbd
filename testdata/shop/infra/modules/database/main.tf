variable "name" {
  type = string
}

variable "password" {
  type      = string
  sensitive = true
}

variable "encrypted" {
  type    = bool
  default = false
}

resource "aws_db_instance" "this" {
  identifier          = var.name
  engine              = "postgres"
  engine_version      = "16.4"
  instance_class      = "db.t4g.medium"
  allocated_storage   = 50
  username            = "shop"
  password            = var.password
  storage_encrypted   = var.encrypted
  publicly_accessible = false
  skip_final_snapshot = true
}
