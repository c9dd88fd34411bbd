-- stacklint for Neovim 0.7 to 0.10, which have no vim.lsp.enable(): put this file into ~/.config/nvim/plugin/.
local filetypes = { "terraform", "terraform-vars", "hcl", "yaml", "helm", "json", "dockerfile" }
local root_markers = { "stacklint.toml", ".git" }

local function root(buffer)
  local folder = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(buffer), ":p:h")
  local above = folder
  repeat
    for _, marker in ipairs(root_markers) do
      if vim.loop.fs_stat(above .. "/" .. marker) then
        return above
      end
    end
    local parent = vim.fn.fnamemodify(above, ":h")
    local top = parent == above
    above = parent
  until top
  return folder
end

-- One server for each root; `vim.lsp.start` does the same from 0.8 on.
local clients = {}

local function attach(buffer)
  local folder = root(buffer)
  local id = clients[folder]
  if not (id and vim.lsp.get_client_by_id(id)) then
    id = vim.lsp.start_client({
      name = "stacklint",
      cmd = { "stacklint", "lsp" },
      root_dir = folder,
      workspace_folders = { { uri = vim.uri_from_fname(folder), name = folder } },
      on_exit = function()
        clients[folder] = nil
      end,
    })
    clients[folder] = id
  end
  if id then
    vim.lsp.buf_attach_client(buffer, id)
  end
end

local group = vim.api.nvim_create_augroup("stacklint", {})
vim.api.nvim_create_autocmd("FileType", {
  group = group,
  pattern = filetypes,
  callback = function(event)
    attach(event.buf)
  end,
})
