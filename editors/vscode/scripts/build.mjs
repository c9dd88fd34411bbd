// Bundles the extension and its one web page; with --tests the unit tests instead.
import * as esbuild from "esbuild";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";

const has = (flag) => process.argv.includes(flag);
const common = {
  bundle: true,
  logLevel: "info",
  minify: has("--production"),
  sourcemap: !has("--production"),
  legalComments: "none",
};
const node = { ...common, platform: "node", format: "cjs", target: "node20" };

if (has("--tests")) {
  await rm("dist-test", { recursive: true, force: true });
  const tests = (await readdir("test")).filter((name) => name.endsWith(".test.ts"));
  await esbuild.build({ ...node, entryPoints: tests.map((name) => `test/${name}`), outdir: "dist-test" });
} else {
  const builds = [
    { ...node, entryPoints: ["src/extension.ts"], outfile: "dist/extension.js", external: ["vscode"] },
    {
      ...common,
      platform: "browser",
      format: "iife",
      target: "chrome120",
      entryPoints: ["src/webview/main.ts"],
      outfile: "dist/graph.js",
    },
  ];
  if (has("--watch")) {
    for (const build of builds) {
      await (await esbuild.context(build)).watch();
    }
  } else {
    await rm("dist", { recursive: true, force: true });
    const built = await Promise.all(builds.map((build) => esbuild.build({ ...build, metafile: true })));
    await writeFile("dist/THIRD-PARTY.md", await licences(built.flatMap((b) => Object.keys(b.metafile.inputs))));
  }
}

/** The licences of the packages that the inputs are from; a package without one stops the build. */
async function licences(inputs) {
  const folders = inputs.map((input) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1]);
  const parts = ["# What is bundled\n"];
  for (const folder of [...new Set(folders)].filter((f) => f !== undefined).sort()) {
    const about = JSON.parse(await readFile(`${folder}/package.json`, "utf8"));
    const file = (await readdir(folder)).find((name) => /^licen[cs]e/i.test(name));
    if (file === undefined) {
      throw new Error(`${folder} has no licence`);
    }
    const text = (await readFile(`${folder}/${file}`, "utf8")).replaceAll("\r\n", "\n").trim();
    parts.push(`## ${about.name} ${about.version} (${about.license})\n\n\`\`\`text\n${text}\n\`\`\`\n`);
  }
  return parts.join("\n");
}
