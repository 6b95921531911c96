// Asks Perfetto's trace processor: node trace-processor.mjs ASSETS TRACE SQL...
//
// ASSETS is the folder of an npm package that brings it as WebAssembly, made for a browser's worker: trace_processor.wasm,
// engine_bundle.node.js, engine.mjs. Prints one line of JSON for each statement, a list of its rows.
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import vm from 'node:vm';

const [assets, trace, ...statements] = process.argv.slice(2);
console.warn = () => {};

// What the bundle expects of a worker.
const define = (name, value) =>
    Object.defineProperty(globalThis, name, {value, writable: true, configurable: true});
define('self', globalThis);
define('WorkerGlobalScope', class {});
define('location', {href: pathToFileURL(assets).href + '/'});
const wasm = readFileSync(join(assets, 'trace_processor.wasm'));
define('XMLHttpRequest', class {
    open() {}
    send() {
        this.response = wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.length);
    }
});

// The package has the 32-bit build only: let the bundle's probe for 64 bits, a module of 23 bytes, fail.
WebAssembly.Module = new Proxy(WebAssembly.Module, {
    construct(target, [bytes]) {
        if (bytes.length === 23) throw new Error('no memory64');
        return new target(bytes);
    },
});

vm.runInThisContext(readFileSync(join(assets, 'engine_bundle.node.js'), 'utf8'));
const channel = new MessageChannel();
globalThis.onmessage({data: channel.port1});

const {EngineBase} = await import(pathToFileURL(join(assets, 'engine.mjs')).href);
class Engine extends EngineBase {
    mode = 'WASM';
    id = 'trace processor';
    constructor() {
        super();
        channel.port2.onmessage = message => this.onRpcResponseBytes(message.data);
    }
    rpcSendRequestBytes(data) {
        channel.port2.postMessage(data);
    }
    [Symbol.dispose]() {}
}

await new Promise(resolve => setTimeout(resolve, 100)); // for the runtime's own promises
const engine = new Engine();
await engine.parse(new Uint8Array(readFileSync(trace)));
await engine.notifyEof();
for (const sql of statements) {
    const result = await engine.query(sql);
    const rows = [];
    for (const row = result.iter({}); row.valid(); row.next()) {
        rows.push(Object.fromEntries(result.columns().map(name => [name, row.get(name)])));
    }
    console.log(JSON.stringify(rows, (_, value) => typeof value === 'bigint' ? Number(value) : value));
}
process.exit(0);
