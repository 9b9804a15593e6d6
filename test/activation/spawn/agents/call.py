# Asks a model once and prints what it said.
import json
import urllib.request

body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}).encode()
url = "https://api.openai.com/v1/chat/completions"
request = urllib.request.Request(url, body, {"content-type": "application/json"})
with urllib.request.urlopen(request) as response:
    print(json.load(response)["choices"][0]["message"]["content"], end="")
