// Starting, asking and ending the bench's processes.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Starts one of the bench's programs; resolves with what it says first and a way to ask it more. */
export async function openChild(file, args = []) {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args.map(String), {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [hello] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`${file} ended with ${code} before it was ready`);
    }),
  ]);
  let lastId = 0;
  const ask = async (question) => {
    lastId += 1;
    const id = lastId;
    child.send({ id, question });
    for (;;) {
      const [message] = await once(child, 'message');
      if (message.id === id) return message.answer;
    }
  };
  const close = async () => {
    const ended = once(child, 'exit');
    child.disconnect();
    await ended;
  };
  return { ...hello, pid: child.pid, ask, close };
}
