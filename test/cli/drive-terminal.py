"""Runs a program in a terminal of its own and types into it.

    drive-terminal.py '[["text to wait for", "text to type"], ...]' PROGRAM [ARGUMENT ...]

Prints JSON: the exit status as a shell has it, and all that the terminal showed.
"""

import json
import os
import pty
import select
import signal
import sys
import time

DEADLINE_SECONDS = 25


def main():
    steps = json.loads(sys.argv[1])
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(sys.argv[2], sys.argv[2:])
    shown, seen = "", 0
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            os.kill(pid, signal.SIGKILL)
            break
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # Linux says EIO when the last process has let go of the terminal
            break
        if not piece:
            break
        shown += piece.decode(errors="replace")
        while steps and steps[0][0] in shown[seen:]:
            wanted, typed = steps.pop(0)
            seen += shown[seen:].index(wanted) + len(wanted)
            os.write(terminal, typed.encode())
    _, status = os.waitpid(pid, 0)
    print(json.dumps({"status": os.waitstatus_to_exitcode(status), "shown": shown.replace("\r\n", "\n")}))


main()
