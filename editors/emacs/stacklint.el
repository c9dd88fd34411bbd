;;; stacklint.el --- stacklint through Eglot  -*- lexical-binding: t -*-

;; Package-Requires: ((emacs "28.1") (eglot "1.9"))

;;; Commentary:

;; Load this file, then M-x eglot in a Terraform, YAML or Dockerfile buffer, or have it started with
;;
;;   (dolist (mode '(terraform-mode-hook stacklint-hcl-mode-hook yaml-mode-hook yaml-ts-mode-hook dockerfile-mode-hook))
;;     (add-hook mode #'eglot-ensure))
;;
;; Eglot runs one server in a buffer.  To choose between stacklint and another server of a mode when it starts, put
;; both into `eglot-alternatives'.

;;; Code:

(require 'eglot)

(defgroup stacklint nil
  "Findings in infrastructure as code."
  :group 'tools)

(defcustom stacklint-program "stacklint"
  "The stacklint program."
  :type 'string)

(defcustom stacklint-inlay-hints nil
  "Whether what expressions evaluate to is shown beside them, by an Eglot that shows inlay hints."
  :type 'boolean)

(defun stacklint-contact (&rest _)
  "How Eglot starts the server."
  (list stacklint-program "lsp" :initializationOptions
        (list :inlayHints (if stacklint-inlay-hints t :json-false))))

;; Emacs brings no mode for Terraform.  Where none is installed, this one has comments and strings right.
(define-derived-mode stacklint-hcl-mode conf-unix-mode "HCL"
  "A plain mode for Terraform's files, used where terraform-mode is not installed."
  (setq-local comment-start "# "))

(put 'stacklint-hcl-mode 'eglot-language-id "terraform")

(unless (fboundp 'terraform-mode)
  (add-to-list 'auto-mode-alist '("\\.\\(?:tf\\|tofu\\|tfvars\\)\\'" . stacklint-hcl-mode)))

(add-to-list 'eglot-server-programs
             '((terraform-mode stacklint-hcl-mode hcl-mode yaml-mode yaml-ts-mode dockerfile-mode dockerfile-ts-mode)
               . stacklint-contact))

(provide 'stacklint)
;;; stacklint.el ends here
