import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

type Env = Readonly<Record<string, string | undefined>>;

export interface FoundProgram {
  readonly command: string;
  /** Absolute. */
  readonly path: string;
}

/** The first of the commands that the PATH has, as a shell would find it; `undefined` when it has none. */
export function findProgram(commands: readonly string[], env: Env): FoundProgram | undefined {
  const folders = (env.PATH ?? env.Path ?? '').split(delimiter).filter(isAbsolute);
  const endings = process.platform === 'win32' ? (env.PATHEXT ?? '.COM;.EXE;.BAT;.CMD').split(';') : [''];
  for (const command of commands) {
    for (const folder of folders) {
      for (const ending of endings) {
        const path = join(folder, `${command}${ending}`);
        if (isExecutableFile(path)) return { command, path };
      }
    }
  }
  return undefined;
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Not there, or not ours to start.
    return false;
  }
}
