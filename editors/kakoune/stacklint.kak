# stacklint for Kakoune with kak-lsp 17 or later: source this file from kakrc, after `eval %sh{kak-lsp}`.

# Kakoune knows no Terraform by itself, or not in every version; another plugin's choice stays.
hook -group stacklint global BufCreate .*[.](?:tf|tofu|tfvars) %{
    evaluate-commands %sh{ [ -n "$kak_opt_filetype" ] || echo 'set-option buffer filetype terraform' }
}

# It stands beside other servers of the buffer. A filetype may be set twice, a server may not.
hook -group stacklint global BufSetOption filetype=(?:terraform|hcl|yaml|dockerfile) %{
    evaluate-commands %sh{
        case "$kak_opt_lsp_servers" in
        *'[stacklint]'*) ;;
        *) printf '%s\n' 'set-option -add buffer lsp_servers %{' '[stacklint]' 'root_globs = ["stacklint.toml", ".git"]' 'args = ["lsp"]' '}' ;;
        esac
    }
}

hook -group stacklint global WinSetOption filetype=(?:terraform|hcl|yaml|dockerfile) %{
    lsp-enable-window
}
