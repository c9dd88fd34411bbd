-- stacklint for Neovim 0.11 or later: put this file into ~/.config/nvim/lsp/ and call vim.lsp.enable("stacklint").
return {
  cmd = { "stacklint", "lsp" },
  filetypes = { "terraform", "terraform-vars", "hcl", "yaml", "json", "dockerfile" },
  root_markers = { "stacklint.toml", ".git" },
}
