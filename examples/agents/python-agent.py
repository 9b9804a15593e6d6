"""An agent in Python's standard library alone: one call to OpenAI, one stream.

    OPENAI_API_KEY=... python3 examples/agents/python-agent.py [CITY]
"""

import json
import os
import sys
import urllib.request

URL = "https://api.openai.com/v1/chat/completions"
MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")


def ask(question, stream=False):
    """Sends one question and returns the open reply."""
    body = {"model": MODEL, "stream": stream, "messages": [{"role": "user", "content": question}]}
    headers = {
        "authorization": "Bearer " + os.environ["OPENAI_API_KEY"],
        "content-type": "application/json",
    }
    return urllib.request.urlopen(urllib.request.Request(URL, json.dumps(body).encode(), headers), timeout=60)


def read_stream(reply):
    """Yields the pieces of text of a stream as they arrive."""
    for line in reply:
        data = line.decode().removeprefix("data:").strip()
        if not data or data == "[DONE]":
            continue
        for choice in json.loads(data)["choices"]:
            yield choice["delta"].get("content") or ""


def main():
    city = sys.argv[1] if len(sys.argv) > 1 else "Lisbon"
    # The replies hold characters that the C locale does not have.
    sys.stdout.reconfigure(encoding="utf-8")
    with ask(f"What should I see first in {city}?") as reply:
        print("plain:   ", json.load(reply)["choices"][0]["message"]["content"])
    print("streamed: ", end="", flush=True)
    with ask(f"Tell me a short story about {city}.", stream=True) as reply:
        for piece in read_stream(reply):
            print(piece, end="", flush=True)
    print()


if __name__ == "__main__":
    main()
