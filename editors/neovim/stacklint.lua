-- stacklint for Neovim 0.11 or later: put this file into ~/.config/nvim/lsp/ and call vim.lsp.enable("stacklint").
return {
  cmd = { "stacklint", "lsp" },
  filetypes = { "terraform", "terraform-vars", "opentofu", "opentofu-vars", "hcl", "yaml", "helm", "json", "dockerfile", "toml" },
  -- A folder of several projects has its configuration at the top, so that goes before the nearest .git.
  root_dir = function(buffer, start)
    local name = vim.fs.basename(vim.api.nvim_buf_get_name(buffer))
    -- Of TOML files only the configuration concerns stacklint: it completes policies' names there.
    if vim.bo[buffer].filetype == "toml" and name ~= "stacklint.toml" then
      return
    end
    start(vim.fs.root(buffer, { "stacklint.toml" }) or vim.fs.root(buffer, { ".git" }) or vim.fs.dirname(vim.api.nvim_buf_get_name(buffer)))
  end,
  -- `inlayHints = true` shows evaluated values beside expressions, once vim.lsp.inlay_hint.enable() is on.
  init_options = { inlayHints = false },
}
