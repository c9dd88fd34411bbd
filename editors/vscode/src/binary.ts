// Where the `stacklint` program is: the setting, else the PATH, else a message that says what to do.

import * as path from "node:path";

/** What is asked of the machine; tests have one of their own. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  isExecutable(file: string): boolean;
}

/** The program, or what is wrong and what helps. */
export type Lookup =
  | { readonly found: true; readonly path: string; readonly from: "setting" | "PATH" }
  | { readonly found: false; readonly problem: string; readonly setting: boolean };

/** Replaces `~`, `${workspaceFolder}`, `${userHome}` and `${env:NAME}` in a setting. */
export function expand(text: string, folder: string | undefined, machine: Machine): string {
  const replaced = text
    .trim()
    .replace(/\$\{workspaceFolder\}/g, folder ?? "")
    .replace(/\$\{userHome\}/g, machine.home)
    .replace(/\$\{env:([^}]+)\}/g, (_, name: string) => machine.env[name] ?? "");
  return /^~(?=$|[/\\])/.test(replaced) ? machine.home + replaced.slice(1) : replaced;
}

/** Looks the program up. A setting that names nothing is not silently passed over in favour of the PATH. */
export function findServer(setting: string, folder: string | undefined, machine: Machine): Lookup {
  const paths = machine.platform === "win32" ? path.win32 : path.posix;
  const wanted = expand(setting, folder, machine);
  if (wanted !== "") {
    // A bare name is looked up on the PATH, as a shell does it.
    const bare = !/[/\\]/.test(wanted);
    const file = bare ? onPath(wanted, machine) : paths.resolve(folder ?? machine.home, wanted);
    if (file !== undefined && withEndings(file, machine).some((f) => machine.isExecutable(f))) {
      return {
        found: true,
        path: withEndings(file, machine).find((f) => machine.isExecutable(f)) ?? file,
        from: "setting",
      };
    }
    return { found: false, setting: true, problem: `The setting stacklint.path names ${wanted}, which is no program.` };
  }
  const file = onPath("stacklint", machine);
  return file === undefined
    ? { found: false, setting: false, problem: "The program stacklint is not on the PATH." }
    : { found: true, path: file, from: "PATH" };
}

function onPath(name: string, machine: Machine): string | undefined {
  const paths = machine.platform === "win32" ? path.win32 : path.posix;
  const folders = (machine.env.PATH ?? machine.env.Path ?? "").split(paths.delimiter);
  // cargo install puts it here, and an editor started from a desktop often has a shorter PATH than a shell.
  folders.push(paths.join(machine.home, ".cargo", "bin"));
  for (const folder of folders) {
    // A relative entry of the PATH would start a program out of whatever folder is open.
    if (paths.isAbsolute(folder)) {
      const found = withEndings(paths.join(folder, name), machine).find((f) => machine.isExecutable(f));
      if (found !== undefined) {
        return found;
      }
    }
  }
  return undefined;
}

function withEndings(file: string, machine: Machine): string[] {
  return machine.platform === "win32" && !/\.(exe|cmd|bat)$/i.test(file) ? [`${file}.exe`] : [file];
}
