"""Calls a chat model by Python's standard library, plain and streamed, and prints the bytes it gets.

    python3 ask.py URL
"""

import json
import sys
import urllib.request

for stream in (False, True):
    body = {"model": "python", "stream": stream, "messages": [{"role": "user", "content": "Hello from Python."}]}
    headers = {"authorization": "Bearer sk-example", "content-type": "application/json"}
    call = urllib.request.Request(sys.argv[1] + "/v1/chat/completions", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(call, timeout=20) as reply:
        for line in reply:
            sys.stdout.buffer.write(line)
