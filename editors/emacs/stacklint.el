;;; stacklint.el --- stacklint through Eglot  -*- lexical-binding: t -*-

;; Load this file, then M-x eglot in a Terraform, YAML or Dockerfile buffer.

(require 'eglot)

(add-to-list 'eglot-server-programs
             '((terraform-mode hcl-mode yaml-mode yaml-ts-mode dockerfile-mode dockerfile-ts-mode) . ("stacklint" "lsp")))

(provide 'stacklint)
;;; stacklint.el ends here
