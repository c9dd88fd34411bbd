-- The same session as for Neovim 0.11, in the calls that 0.7 has and with the settings of editors/neovim/stacklint-before-0.11.lua.
local here = debug.getinfo(1, "S").source:sub(2):match("^(.*)/")
local t = dofile(here .. "/../check.lua")

local function request(method, params)
  params = vim.tbl_extend("force", { textDocument = vim.lsp.util.make_text_document_params() }, params or {})
  local answers = vim.lsp.buf_request_sync(0, method, params, 15000)
  local id = next(answers or error(method .. " was not answered"))
  assert(not answers[id].error, vim.inspect(answers[id].error))
  return answers[id].result, vim.lsp.get_client_by_id(id)
end

t.run(function()
  vim.cmd("source " .. vim.env.SETTINGS)
  vim.cmd("filetype on")
  vim.cmd("edit infra/main.tf")
  t.equal("main.tf is Terraform", vim.bo.filetype, "terraform")

  local ssh = t.eventually("a finding appears", function()
    return t.finding("ssh-open-to-internet")
  end)
  t.equal("its range is the expression", { ssh.lnum, ssh.col, ssh.end_lnum, ssh.end_col }, { 42, 19, 42, 35 })

  vim.api.nvim_win_set_cursor(0, { 43, 25 })
  local hover = request("textDocument/hover", { position = { line = 42, character = 25 } })
  t.contains("hover shows the value and the way it came", hover.contents.value, { "0.0.0.0/0", "terraform.tfvars:2", "main.tf:19" })

  -- Here columns are UTF-16 units on the wire and bytes in the buffer.
  vim.api.nvim_buf_set_lines(0, 28, 29, true, { "  block_public_policy = /* ü😀 */ false" })
  t.eventually("the finding is exact behind multi-byte characters", function()
    local found = t.finding("aws-s3-public-policy-allowed")
    local line = vim.api.nvim_buf_get_lines(0, 28, 29, true)[1]
    return found and line:sub(found.col + 1, found.end_col) == "false"
  end)

  local there = { line = 28, character = 35 }
  local actions, client = request("textDocument/codeAction", {
    range = { start = there, ["end"] = there },
    context = { diagnostics = {} },
  })
  local fix
  for _, action in ipairs(actions) do
    if action.title:find("block_public_policy", 1, true) and action.edit then
      fix = action
    end
  end
  t.equal("a fix is offered", fix ~= nil, true)
  vim.lsp.util.apply_workspace_edit(fix.edit, client.offset_encoding)
  t.equal("the fix is applied", vim.api.nvim_buf_get_lines(0, 28, 29, true)[1], "  block_public_policy = /* ü😀 */ true")
  t.eventually("the mended finding goes", function()
    return not t.finding("aws-s3-public-policy-allowed")
  end)

  local main = vim.api.nvim_get_current_buf()
  vim.cmd("edit! infra/terraform.tfvars")
  vim.api.nvim_buf_set_lines(0, 1, 2, true, { 'admin_cidrs = ["10.0.0.0/8"]' })
  t.eventually("an edit of the variable clears the finding in the other file", function()
    return not t.finding("ssh-open-to-internet", main)
  end)
  t.equal("one server for the folder", #vim.lsp.get_active_clients(), 1)
end)
