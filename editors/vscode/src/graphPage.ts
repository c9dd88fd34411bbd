// The page of the graph panel.

/** The page: one script, which alone may run, and one style sheet, both of ours; nothing is fetched from anywhere. */
export function page(script: string, nonce: string): string {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escape(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Resource Graph</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<header>
<input id="words" type="search" placeholder="Filter by address, kind or file" aria-label="Filter" spellcheck="false">
<label><input id="findings" type="checkbox"> only with findings</label>
<label><input id="declarations" type="checkbox"> also variables, providers, instructions</label>
<button id="all" type="button" hidden>Show all</button>
<button id="fit" type="button">Fit</button>
<output id="status" aria-live="polite"></output>
</header>
<main id="stage"></main>
<script nonce="${nonce}" src="${escape(script)}"></script>
</body>
</html>`;
}

function escape(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");
}

const STYLE = `
html, body { height: 100%; margin: 0; }
body { display: flex; flex-direction: column; color: var(--vscode-editor-foreground); background: var(--vscode-editor-background);
  font-family: var(--vscode-font-family); font-size: var(--vscode-font-size); overflow: hidden; padding: 0; }
header { display: flex; flex-wrap: wrap; gap: 6px 12px; align-items: center; padding: 8px 12px;
  border-bottom: 1px solid var(--vscode-panel-border, transparent); }
input[type=search] { flex: 1 1 12em; min-width: 8em; padding: 4px 6px; color: var(--vscode-input-foreground);
  background: var(--vscode-input-background); border: 1px solid var(--vscode-input-border, transparent); border-radius: 2px; font: inherit; }
input:focus-visible, button:focus-visible { outline: 1px solid var(--vscode-focusBorder); }
label { display: inline-flex; gap: 4px; align-items: center; white-space: nowrap; }
button { padding: 3px 10px; border: 0; border-radius: 2px; font: inherit; cursor: pointer;
  color: var(--vscode-button-secondaryForeground); background: var(--vscode-button-secondaryBackground); }
output { flex-basis: 100%; color: var(--vscode-descriptionForeground); }
main { flex: 1; min-height: 0; }
svg { width: 100%; height: 100%; display: block; cursor: grab; touch-action: none; }
svg.dragging { cursor: grabbing; }
.edge path { fill: none; stroke: var(--vscode-editorIndentGuide-activeBackground1, #888); stroke-width: 1.2; }
.edge text { font-size: 10px; fill: var(--vscode-descriptionForeground); text-anchor: middle; opacity: 0; pointer-events: none;
  paint-order: stroke; stroke: var(--vscode-editor-background); stroke-width: 3px; }
.edge.near path { stroke: var(--vscode-focusBorder); stroke-width: 2; }
.edge.near text { opacity: 1; }
marker path { fill: var(--vscode-editorIndentGuide-activeBackground1, #888); }
.node { cursor: pointer; outline: none; }
.node rect.box { fill: var(--vscode-editorWidget-background); stroke: var(--vscode-descriptionForeground, #888);
  stroke-opacity: 0.45; }
.node:focus-visible rect.box, .node.near rect.box, .node:hover rect.box { stroke: var(--vscode-focusBorder); stroke-width: 2;
  stroke-opacity: 1; }
.node .name { fill: var(--vscode-editor-foreground); font-size: 12px; }
.node .kind { fill: var(--vscode-descriptionForeground); font-size: 10px; }
.node .count { font-size: 10px; font-weight: 600; text-anchor: middle; fill: var(--vscode-editor-background); }
.aws { fill: var(--vscode-charts-orange); } .azure { fill: var(--vscode-charts-blue); } .google { fill: var(--vscode-charts-green); }
.kubernetes { fill: var(--vscode-charts-purple); } .docker { fill: var(--vscode-charts-blue); } .module { fill: var(--vscode-charts-yellow); }
.other { fill: var(--vscode-charts-foreground); }
.critical, .high { fill: var(--vscode-editorError-foreground); } .medium { fill: var(--vscode-editorWarning-foreground); }
.low, .info { fill: var(--vscode-editorInfo-foreground); }
`;
