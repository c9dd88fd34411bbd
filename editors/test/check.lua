-- What the Neovim tests share: steps that say what they are, and an end in any case (an error in a `-u` file would leave a headless
-- Neovim waiting for ever).
local M = { done = 0 }

--- Waits until `what` gives something true and returns that.
function M.eventually(name, what, patience)
  local got
  local ok = vim.wait(patience or 15000, function()
    got = what()
    return got
  end, 20)
  if not ok then
    error(name .. ": did not come about", 2)
  end
  M.step(name)
  return got
end

function M.step(name)
  M.done = M.done + 1
  io.stdout:write("  ok  " .. name .. "\n")
end

--- Fails unless the two are equal, showing both.
function M.equal(name, got, expected)
  if not vim.deep_equal(got, expected) then
    error(name .. "\n  expected " .. vim.inspect(expected) .. "\n  got      " .. vim.inspect(got), 2)
  end
  M.step(name)
end

--- Fails unless `text` holds each of the parts, literally.
function M.contains(name, text, parts)
  for _, part in ipairs(parts) do
    if not string.find(text or "", part, 1, true) then
      error(name .. "\n  expected to find " .. part .. "\n  in " .. tostring(text), 2)
    end
  end
  M.step(name)
end

--- The finding of a policy in a buffer, if there is one.
function M.finding(policy, buffer)
  for _, d in ipairs(vim.diagnostic.get(buffer or 0)) do
    if d.code == policy or (d.user_data and d.user_data.lsp and d.user_data.lsp.code == policy) then
      return d
    end
  end
end

--- Runs a test and ends Neovim with its result.
function M.run(test)
  local ok, problem = xpcall(test, debug.traceback)
  if not ok then
    io.stdout:write("  FAILED " .. tostring(problem) .. "\n")
    vim.cmd("cq")
  end
  io.stdout:write("  " .. M.done .. " steps passed\n")
  vim.cmd("qa!")
end

return M
