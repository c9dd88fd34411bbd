# stacklint for Kakoune with kak-lsp: source this file from kakrc.
hook -group stacklint global BufSetOption filetype=(?:terraform|hcl|yaml|dockerfile) %{
    set-option buffer lsp_servers %{
        [stacklint]
        root_globs = ["stacklint.toml", ".git"]
        args = ["lsp"]
    }
    lsp-enable-window
}
