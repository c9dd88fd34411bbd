-- The session of someone who opens a file, looks, has it mended, and edits: with the settings of editors/neovim/stacklint.lua.
local here = debug.getinfo(1, "S").source:sub(2):match("^(.*)/")
local t = dofile(here .. "/../check.lua")

local function request(method, params)
  params = vim.tbl_extend("force", { textDocument = vim.lsp.util.make_text_document_params() }, params or {})
  local answers = vim.lsp.buf_request_sync(0, method, params, 15000)
  local id = next(answers or error(method .. " was not answered"))
  local answer = answers[id]
  assert(not answer.err, vim.inspect(answer.err))
  return answer.result
end

local function at(line, column)
  vim.api.nvim_win_set_cursor(0, { line, column })
  return vim.lsp.util.make_position_params(0, vim.lsp.get_clients({ bufnr = 0 })[1].offset_encoding)
end

local function attached()
  return #vim.lsp.get_clients({ bufnr = 0 }) == 1
end

local function set(line, text)
  vim.api.nvim_buf_set_lines(0, line - 1, line, true, { text })
end

t.run(function()
  vim.cmd("filetype on")
  vim.lsp.enable("stacklint")
  vim.cmd.edit("infra/main.tf")
  t.equal("main.tf is Terraform", vim.bo.filetype, "terraform")

  -- Findings.
  local ssh = t.eventually("a finding appears", function()
    return t.finding("ssh-open-to-internet")
  end)
  t.equal("its range is the expression", { ssh.lnum, ssh.col, ssh.end_lnum, ssh.end_col }, { 42, 19, 42, 35 })
  t.equal("its severity", ssh.severity, vim.diagnostic.severity.ERROR)
  t.equal("its source", ssh.source, "stacklint")
  t.contains("its message", ssh.message, { "aws_security_group.bastion", "22" })
  local shown = ssh.user_data.lsp
  t.contains("its documentation", shown.codeDescription.href, { "ssh-open-to-internet" })
  local places = {}
  for _, related in ipairs(shown.relatedInformation or {}) do
    places[vim.fs.basename(vim.uri_to_fname(related.location.uri)) .. ":" .. related.location.range.start.line + 1] = true
  end
  t.equal("the origin is related", { places["main.tf:19"], places["terraform.tfvars:2"] }, { true, true })

  -- Hover.
  local hover = request("textDocument/hover", at(43, 25))
  t.contains("hover shows the value and the way it came", hover.contents.value, { "0.0.0.0/0", "terraform.tfvars:2", "main.tf:19" })

  -- Definition and symbols.
  local definition = request("textDocument/definition", at(27, 32))
  t.equal("definition follows the graph's edge", definition[1].range.start.line, 21)
  local names = vim.tbl_map(function(s) return s.name end, request("textDocument/documentSymbol"))
  t.equal("symbols are the file's resources", vim.tbl_contains(names, "aws_security_group.bastion"), true)

  -- A quick fix, through the same call that a key is bound to.
  assert(t.finding("aws-s3-public-policy-allowed"), "the finding to mend is there")
  at(29, 30)
  vim.lsp.buf.code_action({
    apply = true,
    filter = function(action)
      return action.kind == "quickfix" and action.title:find("block_public_policy", 1, true) ~= nil
    end,
  })
  t.eventually("the fix is applied", function()
    return vim.api.nvim_buf_get_lines(0, 28, 29, true)[1] == "  block_public_policy     = true"
  end)
  t.eventually("the mended finding goes", function()
    return not t.finding("aws-s3-public-policy-allowed")
  end)
  t.equal("and the other stays", t.finding("ssh-open-to-internet") ~= nil, true)

  -- Columns behind characters of two and four bytes; Neovim gives them in bytes. Setting 'undolevels' begins a new undo step.
  vim.bo.undolevels = vim.bo.undolevels
  set(29, "  block_public_policy = /* ü😀 */ false")
  local moved = t.eventually("an edit brings it back", function()
    return t.finding("aws-s3-public-policy-allowed")
  end)
  local line = vim.api.nvim_buf_get_lines(0, 28, 29, true)[1]
  t.equal("its range is exact behind multi-byte characters", line:sub(moved.col + 1, moved.end_col), "false")
  vim.cmd("silent undo")
  t.eventually("undo clears it", function()
    return not t.finding("aws-s3-public-policy-allowed")
  end)

  -- Editing where a value is written changes what is found where it is used.
  local main = vim.api.nvim_get_current_buf()
  vim.cmd.edit("infra/terraform.tfvars")
  t.eventually("the variables' file is attached", attached)
  set(2, 'admin_cidrs = ["10.0.0.0/8"]')
  t.eventually("an edit of the variable clears the finding in the other file", function()
    return not t.finding("ssh-open-to-internet", main)
  end)

  -- YAML through the same server, unsaved buffers and all.
  vim.cmd("edit k8s/web.yaml")
  t.eventually("YAML is attached", attached)
  local yaml = t.eventually("a finding in YAML", function()
    return t.finding("kubernetes-container-privilege-escalation")
  end)
  t.equal("its range is the value", { yaml.lnum, yaml.col, yaml.end_col }, { 26, 38, 42 })

  -- Policy names where one silences a finding.
  vim.api.nvim_buf_set_lines(0, 0, 0, true, { "# stacklint: ignore[kubernetes-container-priv" })
  local items = request("textDocument/completion", at(1, 45))
  items = items.items or items
  local labels = vim.tbl_map(function(i) return i.label end, items)
  t.equal("policy names are completed", vim.tbl_contains(labels, "kubernetes-container-privilege-escalation"), true)

  -- Of TOML files the configuration alone concerns the server.
  vim.cmd("edit! stacklint.toml")
  t.eventually("the configuration is attached", attached)
  vim.cmd("edit other.toml")
  t.equal("other TOML is not", vim.wait(300, attached), false)

  local client = vim.lsp.get_clients({ name = "stacklint" })[1]
  t.equal("one server for the folder", #vim.lsp.get_clients(), 1)
  client:stop()
  t.eventually("the server ends when told", function()
    return #vim.lsp.get_clients() == 0
  end)
end)
