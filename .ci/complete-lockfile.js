// Adds to package-lock.json the optional packages it lacks: node .ci/complete-lockfile.js
//
// `npm install` leaves out of the lockfile what the registry at hand does not offer (binaries for other platforms, on a
// mirror), and `npm ci` of npm 11 then refuses the whole file. An entry without an address is enough: it is skipped on
// platforms it is not for, and asked for by name and version on those it is for.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const systems = ['android', 'darwin', 'win32', 'freebsd', 'linux', 'openharmony'];
const processors = ['arm64', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x', 'arm'];

/** What a package such as `@oxlint/binding-linux-x64-musl` says of its platform in its name. */
function readPlatform(name) {
  const words = name.split(/[/-]/);
  const os = systems.find((system) => words.includes(system));
  const cpu = processors.find((processor) => words.includes(processor));
  const libc = words.some((word) => word.startsWith('musl'))
    ? 'musl'
    : words.some((word) => word.startsWith('gnu'))
      ? 'glibc'
      : undefined;
  return { ...(cpu && { cpu: [cpu] }), ...(libc && { libc: [libc] }), ...(os && { os: [os] }) };
}

for (const { optionalDependencies = {} } of Object.values(lock.packages)) {
  for (const [name, range] of Object.entries(optionalDependencies)) {
    lock.packages[`node_modules/${name}`] ??= {
      version: range.replace(/^[\^~]/, ''),
      dev: true,
      optional: true,
      ...readPlatform(name),
    };
  }
}
const entries = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1));
writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(entries) }, null, 2)}\n`);
