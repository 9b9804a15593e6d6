/**
 * The programs that make one call each, as short as their language allows and in the way its users write it. Every one
 * takes the URL and the body from the environment, says `version X` on its first line, and ends with `absentStatus`
 * when the library it is about is not installed.
 */
export const absentStatus = 77;

/** Also for Bun and Deno, which know `process`. */
export const fetchScript = `
const { LLMTAP_CANARY_URL: url, LLMTAP_CANARY_BODY: body } = process.env;
console.log('version ' + (globalThis.Bun?.version ?? globalThis.Deno?.version.deno ?? process.versions.node));
fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body }).then(
  async (reply) => { await reply.text(); process.exitCode = reply.ok ? 0 : 1; },
  (error) => { console.error(String(error.cause ?? error)); process.exitCode = 1; },
);`;

export const httpsScript = `
const { LLMTAP_CANARY_URL: url, LLMTAP_CANARY_BODY: body } = process.env;
console.log('version ' + process.versions.node);
require('node:https')
  .request(url, { method: 'POST', headers: { 'content-type': 'application/json' } }, (reply) => reply.resume())
  .on('error', (error) => { console.error(String(error)); process.exitCode = 1; })
  .end(body);`;

const pythonHead = `
import os, sys
url, body = os.environ['LLMTAP_CANARY_URL'], os.environ['LLMTAP_CANARY_BODY']
head = {'content-type': 'application/json'}
`;

export const urllibScript = `${pythonHead}
import platform, urllib.request
print('version', platform.python_version(), flush=True)
urllib.request.urlopen(urllib.request.Request(url, body.encode(), head), timeout=60).read()`;

/** @param library imported under its own name */
function makeLibraryScript(library: string, call: string): string {
  return `${pythonHead}
try:
    import ${library}
except ModuleNotFoundError:
    sys.exit(${absentStatus})
print('version', ${library}.__version__, flush=True)
${call}`;
}

export const requestsScript = makeLibraryScript('requests', 'requests.post(url, data=body, headers=head, timeout=60)');

export const httpxScript = makeLibraryScript('httpx', 'httpx.post(url, content=body, headers=head, timeout=60)');

export const aiohttpScript = makeLibraryScript(
  'aiohttp',
  `import asyncio
async def main():
    async with aiohttp.ClientSession() as session:
        async with session.post(url, data=body, headers=head) as reply:
            await reply.read()
asyncio.run(main())`,
);

export const rubyScript = `
require 'net/http'
puts "version #{RUBY_VERSION}"
STDOUT.flush
Net::HTTP.post(URI(ENV['LLMTAP_CANARY_URL']), ENV['LLMTAP_CANARY_BODY'], 'content-type' => 'application/json')`;

export const phpCurlScript = `
if (!extension_loaded('curl')) exit(${absentStatus});
echo 'version ' . PHP_VERSION . "\\n";
$call = curl_init(getenv('LLMTAP_CANARY_URL'));
curl_setopt_array($call, [CURLOPT_POSTFIELDS => getenv('LLMTAP_CANARY_BODY'), CURLOPT_RETURNTRANSFER => true,
  CURLOPT_HTTPHEADER => ['content-type: application/json']]);
if (curl_exec($call) === false) { fwrite(STDERR, curl_error($call)); exit(1); }`;

export const phpStreamsScript = `
if (!extension_loaded('openssl')) exit(${absentStatus});
echo 'version ' . PHP_VERSION . "\\n";
$context = stream_context_create(['http' => ['method' => 'POST', 'header' => 'content-type: application/json',
  'content' => getenv('LLMTAP_CANARY_BODY')]]);
if (file_get_contents(getenv('LLMTAP_CANARY_URL'), false, $context) === false) exit(1);`;

export const perlScript = `
exit ${absentStatus} unless eval { require LWP::UserAgent; require LWP::Protocol::https; 1 };
$| = 1;
print "version $LWP::UserAgent::VERSION\\n";
my $reply = LWP::UserAgent->new->post($ENV{LLMTAP_CANARY_URL}, 'content-type' => 'application/json',
  Content => $ENV{LLMTAP_CANARY_BODY});
unless ($reply->is_success) { print STDERR $reply->status_line; exit 1 }`;

export const javaSource = `
import java.net.URI;
import java.net.http.*;

public class Canary {
  public static void main(String[] args) throws Exception {
    System.out.println("version " + System.getProperty("java.version"));
    var body = HttpRequest.BodyPublishers.ofString(System.getenv("LLMTAP_CANARY_BODY"));
    var call = HttpRequest.newBuilder(URI.create(System.getenv("LLMTAP_CANARY_URL")))
        .header("content-type", "application/json").POST(body).build();
    HttpClient.newHttpClient().send(call, HttpResponse.BodyHandlers.ofString());
  }
}
`;

export const goSource = `package main

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
)

func main() {
	fmt.Println("version", strings.TrimPrefix(runtime.Version(), "go"))
	body := strings.NewReader(os.Getenv("LLMTAP_CANARY_BODY"))
	reply, err := http.Post(os.Getenv("LLMTAP_CANARY_URL"), "application/json", body)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	reply.Body.Close()
}
`;
