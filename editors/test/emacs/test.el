;;; test.el --- A session in Emacs with Eglot  -*- lexical-binding: t -*-

(require 'flymake)

(defvar steps 0)

(defun say (format &rest arguments)
  (princ (concat "  " (apply #'format format arguments) "\n")))

(defun step (name ok &optional got)
  "Fails unless OK; GOT says what was there instead."
  (unless ok
    (say "FAILED %s: %S" name got)
    (kill-emacs 1))
  (setq steps (1+ steps))
  (say "ok  %s" name))

(defun eventually (name what)
  "Waits until WHAT returns something and returns that.  Batch Emacs has no event loop: output is taken in by hand."
  (let ((end (+ (float-time) 15)) got)
    (while (and (not (setq got (funcall what))) (< (float-time) end))
      (accept-process-output nil 0.05))
    (step name got)
    got))

(defun finding (policy)
  "The diagnostic of POLICY in this buffer, as Flymake shows it."
  (seq-find (lambda (d) (string-match-p (regexp-quote policy) (flymake-diagnostic-text d))) (flymake-diagnostics)))

(defun text (d)
  (buffer-substring-no-properties (flymake-diagnostic-beg d) (flymake-diagnostic-end d)))

(setq make-backup-files nil
      eglot-sync-connect 10
      eglot-autoshutdown t
      project-vc-ignores nil)

(find-file "infra/main.tf")
(step "main.tf has a mode" (memq major-mode '(stacklint-hcl-mode terraform-mode)) major-mode)
(apply #'eglot (eglot--guess-contact))
(step "the server runs" (eglot-current-server))

(let ((found (eventually "a finding appears" (lambda () (finding "ssh-open-to-internet")))))
  (step "its range is the expression" (equal (text found) "local.admin_cidr") (text found))
  (step "its severity" (eq (flymake-diagnostic-type found) 'eglot-error) (flymake-diagnostic-type found)))

;; Hover, as the function for ElDoc shows it.
(goto-char (point-min))
(search-forward "[local.admin")
(let* ((hover (jsonrpc-request (eglot-current-server) :textDocument/hover (eglot--TextDocumentPositionParams)))
       (shown (eglot--hover-info (plist-get hover :contents) (plist-get hover :range))))
  (step "hover shows the value and the way it came"
        (and (string-match-p "0\\.0\\.0\\.0/0" shown) (string-match-p "terraform\\.tfvars:2" shown))
        shown))

;; A quick fix.
(goto-char (flymake-diagnostic-beg (eventually "the finding to mend" (lambda () (finding "aws-s3-public-policy-allowed")))))
(let* ((actions (eglot-code-actions (point) (1+ (point)) "quickfix"))
       (fix (seq-find (lambda (a) (string-match-p "block_public_policy" (plist-get a :title))) actions)))
  (step "a fix is offered" (and fix (plist-get fix :edit)) actions)
  (eglot--apply-workspace-edit (plist-get fix :edit))
  (goto-char (point-min))
  (step "it is applied" (re-search-forward "block_public_policy     = true" nil t)))
(eglot--signal-textDocument/didChange)
(eventually "the mended finding goes" (lambda () (not (finding "aws-s3-public-policy-allowed"))))
(step "and the other stays" (finding "ssh-open-to-internet"))

;; Columns behind characters of two and four bytes.
(goto-char (point-min))
(re-search-forward "block_public_policy     = \\(true\\)")
(replace-match "/* ü😀 */ false" t t nil 1)
(eglot--signal-textDocument/didChange)
(let ((found (eventually "an edit brings it back" (lambda () (finding "aws-s3-public-policy-allowed")))))
  (step "its range is exact behind multi-byte characters" (equal (text found) "false") (text found)))

(set-buffer-modified-p nil)
(say "%d steps passed" steps)
(ignore-errors (eglot-shutdown (eglot-current-server)))
(kill-emacs 0)
