import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text as readAll } from 'node:stream/consumers';

const killAfterMs = 5000;
/** Far beyond what any of them needs: one that hangs must not hang the demo. */
const maxRunMs = 60_000;

/**
 * Runs the demo's processes one after another, and ends the one that runs when the demo is told to stop.
 */
export class Processes {
  /** @type {import('node:child_process').ChildProcess | null} */
  #running = null;
  #isStopped = false;

  /**
   * Runs a program to its end, its streams those of the demo.
   *
   * @param {readonly string[]} command
   * @param {NodeJS.ProcessEnv} env
   * @returns {Promise<number>} its exit status
   */
  async run(command, env) {
    const { status } = await this.#run(command, env, 'inherit');
    return status;
  }

  /**
   * Runs a program to its end and returns what it wrote to stdout. Throws when its exit status is not 0.
   *
   * @param {readonly string[]} command
   * @param {NodeJS.ProcessEnv} env
   */
  async read(command, env) {
    const { status, stdout } = await this.#run(command, env, 'pipe');
    if (status !== 0) throw new Error(`${command.slice(1).join(' ')} ended with status ${status}.`);
    return stdout;
  }

  /** Ends what runs: politely, then by force. Nothing is started after it. */
  stop() {
    this.#isStopped = true;
    if (this.#running !== null) end(this.#running);
  }

  /**
   * @param {readonly string[]} command
   * @param {NodeJS.ProcessEnv} env
   * @param {'inherit' | 'pipe'} stdout
   */
  async #run([program = '', ...args], env, stdout) {
    if (this.#isStopped) throw new Error('The demo was stopped.');
    const child = spawn(program, args, { env, stdio: ['ignore', stdout, 'inherit'] });
    this.#running = child;
    let isLate = false;
    const limit = setTimeout(() => {
      isLate = true;
      end(child);
    }, maxRunMs);
    try {
      const [[status, signal], text] = await Promise.all([
        once(child, 'close'),
        child.stdout === null ? '' : readAll(child.stdout),
      ]);
      if (this.#isStopped) throw new Error('The demo was stopped.');
      if (isLate) throw new Error(`${args.join(' ')} did not end within ${maxRunMs / 1000} seconds.`);
      return { status: signal === null ? status : 1, stdout: text };
    } finally {
      clearTimeout(limit);
      this.#running = null;
    }
  }
}

/** Asks a process to end, and makes it. @param {import('node:child_process').ChildProcess} child */
function end(child) {
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  child.once('close', () => clearTimeout(force));
}
